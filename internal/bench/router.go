//go:build linux

package main

import (
	"context"
	"fmt"
	"regexp"
	"strconv"
	"time"
)

const routerRounds = 3

// measureRouter compares requests to the app in its container through the router with requests to the same program on
// the host. The machine is shared by load, router and app, so that this says what the router costs, not what it can do.
func measureRouter(ctx context.Context, b *bench, res *result) error {
	if err := install(ctx, "wrk", "wrk"); err != nil {
		return err
	}
	s, _, err := b.deployed(ctx)
	if err != nil {
		return err
	}
	address, err := freeAddress()
	if err != nil {
		return err
	}
	direct, err := start(b.dir, nil, b.image.program, address)
	if err != nil {
		return err
	}
	b.onClose(direct.stop)
	for _, at := range []struct{ address, host string }{{s.router, appHost}, {address, ""}} {
		if _, err := awaitAnswer(ctx, "http://"+at.address, at.host, ""); err != nil {
			return err
		}
	}
	var ours, peer []float64
	err = rounds(routerRounds,
		func(round int) error { return wrk(ctx, s.router, appHost, round, &ours) },
		func(round int) error { return wrk(ctx, address, address, round, &peer) },
	)
	if err != nil {
		return err
	}
	o, p := median(ours), median(peer)
	res.add(row{
		what: "Requests through the router / direct, 32 connections, more is better",
		ours: fmt.Sprintf("%.0f /s", o), peer: fmt.Sprintf("%.0f /s", p), ratio: fmt.Sprintf("%.2f", o/p),
	})
	return nil
}

var (
	perSecond = regexp.MustCompile(`Requests/sec:\s+([0-9.]+)`)
	troubles  = regexp.MustCompile(`(?m)^\s*(Non-2xx.*|Socket errors.*)$`)
)

const wrkTime = 2 * time.Second

func wrk(ctx context.Context, address, host string, round int, rates *[]float64) error {
	out, err := output(ctx, nil, "wrk", "-t1", "-c32", "-d"+wrkTime.String(), "-H", "Host: "+host, "http://"+address+"/")
	if err != nil {
		return err
	}
	found := perSecond.FindStringSubmatch(out)
	if found == nil || troubles.MatchString(out) {
		return fmt.Errorf("wrk at %s: not every request was answered by 200: %s", address, out)
	}
	rate, err := strconv.ParseFloat(found[1], 64)
	if round >= 0 {
		*rates = append(*rates, rate)
	}
	return err
}
