// Package daemon is the composition root of setopsd: it makes every part of the server, joins them, starts them in the
// right order and stops them in the reverse one. It is the only package that knows all the others, and it decides
// nothing else.
//
// A server has two halves. The core (core.go, parts.go) is what only one process can have open: data directory, store,
// registry, engine, commits. The front (front.go, door.go, gate.go) is what clients are connected to: listeners and router.
// An upgrade (upgrade.go) stops the core while the front serves. Start with Daemon.Open.
package daemon

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/handover"
)

// Daemon is one server: Open, then Run, then Close.
type Daemon struct {
	Config Config
	Out    io.Writer // gets the ready line, and where the first password is
	Logger *slog.Logger
	// NewEngine makes another engine than Config.Engine says; tests use it.
	NewEngine func(ctx context.Context, c EngineConfig) (engine.Engine, error)

	// Now is the clock by which schedules are due; nil: time.Now. Tests use it.
	Now func() time.Time

	// Hangup, where set, starts Program at each signal, and hands the server over to it.
	Hangup  <-chan os.Signal
	Program handover.Program
	// Taker is this process's side of such a handover, where another process has started it.
	Taker *handover.Taker
	// NotifySocket is where systemd wants to hear of the server's state; empty: nobody does.
	NotifySocket string

	front    *front
	core     *core
	standsBy bool // it did when it was opened
}

// APIAddress and RouterAddress are where the server listens, once it is open.
func (d *Daemon) APIAddress() string { return d.front.api.bound }

// RouterAddress is where apps answer.
func (d *Daemon) RouterAddress() string { return d.front.http.bound }

// Open makes all parts and listens; nothing is answered before Run. A process that is to take over returns from it when the
// old one has stopped its core. On an error everything is closed again.
func (d *Daemon) Open(ctx context.Context) error {
	if d.Logger == nil {
		d.Logger = slog.New(slog.DiscardHandler)
	}
	if d.Now == nil {
		d.Now = time.Now
	}
	if err := d.check(ctx); err != nil {
		return err
	}
	d.front, d.core = newFront(d), newCore(d)
	if d.Taker == nil && d.Config.isShared() {
		if err := d.openShared(ctx); err != nil {
			return errors.Join(err, d.Close())
		}
		return nil
	}
	// The lock comes before the listeners, as it says best what a second server does wrong, and both come before anything
	// is written: a port that is taken must leave no half first start behind.
	order := []func(context.Context) error{d.core.lock, d.front.listen, d.core.open}
	if d.Taker != nil {
		order = []func(context.Context) error{d.front.listen, d.Taker.Prepared, d.core.lock, d.core.open}
	}
	if err := d.core.each(ctx, order...); err != nil {
		return errors.Join(err, d.Close())
	}
	return nil
}

// openShared opens a server that may be one of several.
func (d *Daemon) openShared(ctx context.Context) error {
	err := d.core.lock(ctx)
	switch {
	case errors.Is(err, errInUse):
		d.standsBy = true
		return d.openStandby(ctx)
	case err != nil:
		return err
	case d.Config.sharesCluster():
		return d.openOnCluster(ctx)
	}
	return d.core.each(ctx, d.front.listen, d.core.open)
}

// check refuses what cannot run here, before the first file is written.
func (d *Daemon) check(ctx context.Context) error {
	if err := d.Config.check(); err != nil {
		return err
	}
	if err := d.Config.read(); err != nil {
		return err
	}
	if d.NewEngine == nil {
		if err := checkEngine(ctx, d.Config); err != nil {
			return err
		}
	}
	return d.Config.checkPassword()
}

// Run brings the stages to their last committed state, serves, says so, and returns when ctx has ended or another process
// has taken over, and all that was in flight is answered. Tasks go on running.
func (d *Daemon) Run(ctx context.Context) error {
	if d.standsBy {
		if promoted, err := d.standBy(ctx); err != nil || !promoted {
			return err
		}
	}
	if err := d.core.start(ctx); err != nil {
		return err
	}
	d.front.accept()
	d.core.begin()
	if d.Taker == nil {
		d.notify("READY=1")
	}
	d.Taker.Ready()
	fmt.Fprintln(d.Out, d.readyLine())
	d.settle()
	for {
		select {
		case err := <-d.front.failed:
			return err
		case <-ctx.Done():
			return d.stop()
		case <-d.Hangup:
			if gone, err := d.handOver(ctx); gone || err != nil {
				return err
			}
		}
	}
}

// settle gives back what only the start needed.
func (d *Daemon) settle() {
	if err := giveBackStartPages(); err != nil {
		d.Logger.Debug("pages of the start stay in memory", "error", err)
	}
}

// readyLine says where the server answers. The first two words never change; with TLS there are more.
func (d *Daemon) readyLine() string {
	api := "http"
	if d.front.api.tls != nil {
		api = "https"
	}
	line := fmt.Sprintf("setopsd ready api=%s://%s router=http://%s", api, d.APIAddress(), d.RouterAddress())
	if d.front.https != nil {
		line += fmt.Sprintf(" router-tls=https://%s", d.front.https.bound)
	}
	return line
}

func (d *Daemon) stop() error {
	d.Logger.Info("stopping; tasks go on running")
	d.notify("STOPPING=1")
	d.core.end()
	d.core.resign()
	d.front.shutDown()
	return nil
}

// Close frees what Open made.
func (d *Daemon) Close() error {
	var all []error
	if d.front != nil {
		d.front.cut()
		all = append(all, d.core.stop())
		all = append(all, d.front.close())
	}
	return errors.Join(append(all, d.Taker.Close())...)
}
