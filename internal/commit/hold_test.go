package commit_test

import (
	"context"
	"errors"
	"testing"

	"github.com/setopsco/setops/internal/changeset"
	"github.com/setopsco/setops/internal/setops"
)

func TestHeldCommitsAreRefusedAndRunningOnesAreWaitedFor(t *testing.T) {
	w, p := deployed(t)
	defer p.stop(t)
	gone, waits := make(chan struct{}), make(chan struct{})
	p.Predecessor = func(context.Context) error {
		close(waits)
		<-gone
		return nil
	}
	w.stage(t, deploy("web", 2)...)
	c, err := p.Start(t.Context(), stage, ada, newID())
	must(t, err)
	<-waits
	if got := w.releases(t); got != "web:1 worker:1" {
		t.Errorf("switched to %s while an earlier server still routes", got)
	}

	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	if err := p.Hold(cancelled); !errors.Is(err, context.Canceled) {
		t.Errorf("it did not wait: %v", err)
	}
	w.stage(t, deploy("worker", 2)...)
	var refused *setops.Error
	if _, err := p.Start(t.Context(), stage, ada, newID()); !errors.As(err, &refused) || refused.Code != setops.Overload || !refused.Temporary {
		t.Errorf("got %v", err)
	}

	close(gone)
	must(t, p.Hold(t.Context()))
	if end := p.await(t, c.ID); end.State != changeset.Done {
		t.Errorf("%+v %+v", end, end.Failure)
	}
	if got := w.releases(t); got != "web:2 worker:1" || w.staged(t) != 2 {
		t.Errorf("%s, %d commands staged", got, w.staged(t))
	}

	p.Release()
	p.Predecessor = nil
	if c, err = p.Start(t.Context(), stage, ada, newID()); err != nil {
		t.Fatal(err)
	}
	if end := p.await(t, c.ID); end.State != changeset.Done || w.releases(t) != "web:2 worker:2" {
		t.Errorf("%+v, %s", end, w.releases(t))
	}
}

func TestACommitThatCannotBeginIsNotWaitedFor(t *testing.T) {
	_, p := deployed(t)
	defer p.stop(t)
	if _, err := p.Start(t.Context(), stage, ada, newID()); !setops.IsCode(err, setops.ChangesetDoesNotExist) {
		t.Errorf("got %v", err)
	}
	must(t, p.Hold(t.Context()))
}

func TestACommitThatIsInterruptedBeforeItsSwitchIsUndone(t *testing.T) {
	w, p := deployed(t)
	waits := make(chan struct{})
	p.Predecessor = func(ctx context.Context) error {
		close(waits)
		<-ctx.Done()
		return ctx.Err()
	}
	w.stage(t, deploy("web", 2)...)
	_, err := p.Start(t.Context(), stage, ada, newID())
	must(t, err)
	<-waits
	p.stop(t)

	p = w.start(t, nil)
	defer p.stop(t)
	must(t, p.Resume(t.Context()))
	w.settled(t, p)
	if got := w.releases(t); got != "web:1 worker:1" || w.staged(t) != 2 {
		t.Errorf("%s, %d commands staged", got, w.staged(t))
	}
}
