package daemon

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"

	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/handover"
	"github.com/setopsco/setops/internal/setops"
)

// handOver starts the program anew and hands the server over to it. It reports true when this process has nothing left to
// do. Where the new process does not take over, this one goes on as before.
func (d *Daemon) handOver(ctx context.Context) (gone bool, err error) {
	if os.Getpid() == 1 {
		d.Logger.Error("process 1 cannot hand over to another: its container ends with it; start a new container instead")
		return false, nil
	}
	d.Logger.Info("handing over to a new process", "program", d.Program.Path)
	d.notify("RELOADING=1")
	heedHangups := d.ignoreHangups()
	defer heedHangups()
	heir, err := (&handover.Giver{
		Program: d.Program, Sockets: d.front.sockets, Core: replaceable{d}, Logger: d.Logger,
	}).Give(ctx)
	var lost *handover.LostError
	switch {
	case err == nil:
		d.notify(fmt.Sprintf("MAINPID=%d\nREADY=1", heir.PID))
		return true, d.leave(ctx, heir)
	case errors.As(err, &lost): // the apps are still answered, and nobody keeps them alive
		d.front.shutDown()
		return true, err
	case ctx.Err() != nil || errors.Is(err, handover.ErrStopped):
		return true, d.stop()
	}
	d.Logger.Error("no new process has taken over; this one goes on", "error", err)
	heedHangups() // before it is said that the next may come
	d.notify("READY=1")
	return false, nil
}

// leave answers what is in flight, while the new process serves already. That one takes this process for gone as soon as
// neither it nor its own predecessor sends anything to tasks.
func (d *Daemon) leave(ctx context.Context, heir *handover.Heir) (err error) {
	d.Logger.Info("another process serves; answering what is in flight", "pid", heir.PID)
	d.front.leave(ctx, func() {
		if waited := d.Taker.Wait(ctx); waited != nil {
			d.Logger.Warn("ending before an earlier process", "error", waited)
		}
		err = heir.Close()
	})
	return err
}

// ignoreHangups says why nothing happens at a signal that comes meanwhile. The function that it returns ends that.
func (d *Daemon) ignoreHangups() func() {
	over, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			select {
			case <-d.Hangup:
				d.Logger.Warn("the server is being handed over already; the signal is ignored")
			case <-over:
				return
			}
		}
	}()
	return sync.OnceFunc(func() {
		close(over)
		<-ended
	})
}

// replaceable is the core as a handover sees it.
type replaceable struct{ *Daemon }

func (r replaceable) Settle(ctx context.Context) {
	if err := r.core.commits.Hold(ctx); err != nil {
		r.Logger.Warn("commits still run; they are interrupted", "error", err)
	}
}

func (r replaceable) Unsettle() { r.core.commits.Release() }

func (r replaceable) Stop() error {
	r.front.api.stop()
	r.core.handsOver = true
	return r.core.stop()
}

func (r replaceable) Start(ctx context.Context) error {
	c := newCore(r.Daemon)
	for _, step := range []func(context.Context) error{c.lock, c.open, c.start} {
		if err := step(ctx); err != nil {
			return errors.Join(err, c.stop())
		}
	}
	r.core = c
	if err := r.front.api.listen(r.front.sockets); err != nil {
		return err
	}
	r.front.api.accept(r.front.failed)
	c.begin()
	return nil
}

// patient is a Drainer that knows that an earlier process may still send requests to a task.
type patient struct {
	engine.Drainer
	taker *handover.Taker
}

// Drain returns when no process has anything in flight to the task.
func (p patient) Drain(ctx context.Context, t setops.Task) error {
	if err := p.Drainer.Drain(ctx, t); err != nil {
		return err
	}
	return p.taker.Wait(ctx)
}
