//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"time"
)

const (
	routerRounds = 5
	routerGoal   = 0.8 // of nginx's requests a second
)

// measureRouter compares requests through the router with requests through nginx, to the same app in its container, and
// with requests to the app itself. The machine is shared by load, proxy and app.
func measureRouter(ctx context.Context, b *bench, res *result) error {
	if err := install(ctx, "wrk", "wrk"); err != nil {
		return err
	}
	s, _, err := b.deployed(ctx)
	if err != nil {
		return err
	}
	direct, err := s.taskAddress(ctx)
	if err != nil {
		return err
	}
	front, err := b.openNginx(ctx, direct)
	if err != nil {
		return err
	}
	for _, at := range []struct{ address, host string }{{s.router, appHost}, {front.address, ""}, {direct, ""}} {
		if _, err := awaitAnswer(ctx, "http://"+at.address, at.host, ""); err != nil {
			return err
		}
	}
	ours, peer, alone := &proxied{process: s.process}, &proxied{process: front.process}, &proxied{}
	err = rounds(routerRounds,
		func(round int) error { return ours.wrk(ctx, s.router, appHost, round) },
		func(round int) error { return peer.wrk(ctx, front.address, appHost, round) },
		func(round int) error { return alone.wrk(ctx, direct, appHost, round) },
	)
	if err != nil {
		return err
	}
	o, p, a := median(ours.rates), median(peer.rates), median(alone.rates)
	res.add(row{
		what: "Requests a second through the router / nginx, 32 connections, more is better",
		ours: fmt.Sprintf("%.0f /s", o), peer: fmt.Sprintf("%.0f /s", p), ratio: fmt.Sprintf("%.2f", o/p),
		goal: fmt.Sprintf("≥ %g", routerGoal), met: o >= routerGoal*p,
	})
	res.note("The app alone answers %.0f requests a second. CPU time per request: router %s, nginx %s. Load, proxy and app share the machine.",
		a, micros(median(ours.cpu)), micros(median(peer.cpu)))
	return nil
}

func micros(d time.Duration) string { return fmt.Sprintf("%d µs", d.Microseconds()) }

// taskAddress is where the one task of the app is reached from the host, past the router.
func (s *server) taskAddress(ctx context.Context) (string, error) {
	out, err := output(ctx, s.env(), s.setops, "log", "-n", "9999")
	if err != nil {
		return "", err
	}
	found := listening.FindAllStringSubmatch(out, -1)
	if found == nil {
		return "", errors.New("the app did not log where it listens")
	}
	return found[len(found)-1][1], nil
}

var listening = regexp.MustCompile(`(?m)listens on (\S+)$`)

// proxied is what wrk found of a server.
type proxied struct {
	process *process // nil: its CPU time is of no interest
	rates   []float64
	cpu     samples // per request
}

var (
	perSecond = regexp.MustCompile(`Requests/sec:\s+([0-9.]+)`)
	troubles  = regexp.MustCompile(`(?m)^\s*(Non-2xx.*|Socket errors.*)$`)
)

const wrkTime = 2 * time.Second

func (p *proxied) wrk(ctx context.Context, address, host string, round int) error {
	before := p.process.cpuTime()
	out, err := output(ctx, nil, "wrk", "-t1", "-c32", "-d"+wrkTime.String(), "-H", "Host: "+host, "http://"+address+"/")
	if err != nil {
		return err
	}
	spent := p.process.cpuTime() - before
	found := perSecond.FindStringSubmatch(out)
	if found == nil || troubles.MatchString(out) {
		return fmt.Errorf("wrk at %s: not every request was answered by 200: %s", address, out)
	}
	rate, err := strconv.ParseFloat(found[1], 64)
	if err != nil || round < 0 {
		return err
	}
	p.rates = append(p.rates, rate)
	p.cpu.keep(round, time.Duration(float64(spent)/rate/wrkTime.Seconds()))
	return nil
}
