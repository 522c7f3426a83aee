package commit_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/setopsco/setops/internal/changeset"
	"github.com/setopsco/setops/internal/commit"
	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/engine/fake"
	"github.com/setopsco/setops/internal/engine/host"
	"github.com/setopsco/setops/internal/setops"
)

func (w *world) staged(t *testing.T) int {
	t.Helper()
	c, _, err := w.store.Changeset(context.Background(), stage.ID, ada.ID)
	must(t, err)
	return len(c.Commands)
}

func TestACommitMakesTheStageWhatWasStaged(t *testing.T) {
	w, p := deployed(t)
	defer p.stop(t)
	w.settled(t, p)
	commands := append(deploy("web", 2), &changeset.AppDestroy{AppName: "worker"}, &changeset.ResourceSet{AppName: "web", Scale: new(3)})
	if end := p.commit(t, w, commands...); end.State != changeset.Done || end.Done != end.Total || end.Total != 4 {
		t.Fatalf("%+v %+v", end, end.Failure)
	}
	if got := w.releases(t); got != "web:2" || w.staged(t) != 0 {
		t.Errorf("%s, %d commands staged", got, w.staged(t))
	}
	w.settled(t, p)
}

func TestProgressNamesEveryPhaseAndNeverGoesBack(t *testing.T) {
	w, p := deployed(t)
	defer p.stop(t)
	w.stage(t, deploy("web", 2)...)
	c, err := p.Start(t.Context(), stage, ada, commit.Request{})
	must(t, err)
	var last commit.Progress
	phases := map[changeset.Phase]int{changeset.Initializing: 0, changeset.Planning: 1, changeset.Applying: 2}
	must(t, p.Watch(t.Context(), stage.ID, c.ID, 0, func(now commit.Progress) bool {
		if phases[now.Phase] < phases[last.Phase] || now.Done < last.Done || now.Done > now.Total {
			t.Errorf("%+v after %+v", now, last)
		}
		last = now
		return true
	}))
	if last.State != changeset.Done || last.Total != 4 {
		t.Errorf("%+v", last)
	}
	// Who asks later is told the end at once.
	if end := p.await(t, c.ID); end != last {
		t.Errorf("%+v, not %+v", end, last)
	}
	if err := p.Watch(t.Context(), "another stage", c.ID, 0, nil); !setops.IsCode(err, setops.CommitNotFound) {
		t.Errorf("got %v", err)
	}
}

func TestACommitThatFailsChangesNothing(t *testing.T) {
	for name, test := range map[string]struct {
		image fake.Image
		fault string // method of the runtime that fails
		why   string
		code  setops.Code
	}{
		"the app ends at once":      {fake.Exit(3, 0), "", "app web did not get ready: exited with code 3", setops.CommitFailed},
		"another architecture":      {fake.Image{PrepareErr: &host.ImageError{Reason: "it is for arm64"}}, "", "it is for arm64", setops.CommitFailed},
		"no such program":           {fake.Words("nonsense"), "", "app web did not get ready", setops.CommitFailed},
		"the image cannot be had":   {fake.Serve(), "Prepare", "and no app is to blame: ", setops.ServerFailure},
		"containers cannot be made": {fake.Serve(), "Create", "no app is to blame: create container: broken", setops.ServerFailure},
		"the disk is full": {
			fake.Image{PrepareErr: fmt.Errorf("unpack: %w", syscall.ENOSPC)},
			"",
			"the server could not bring the image of app web to where tasks start, and no app is to blame: no space left on the server's disk",
			setops.ServerFailure,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, p := deployed(t)
			defer p.stop(t)
			w.runtime.SetImage(digest(2), test.image)
			w.runtime.Fail(test.fault, errors.New("broken"))
			// With a check, an app that ends is never taken for ready, however late anybody notices.
			commands := append(deploy("web", 2), &changeset.NetworkSet{AppName: "web", HealthCheckPath: new("/")},
				&changeset.ResourceSet{AppName: "worker", Scale: new(2)}, &changeset.AppCreate{AppName: "new"})
			end := p.commit(t, w, append(commands, deploy("new", 1)...)...)
			if end.State != changeset.Failed || !strings.Contains(end.Failure.Message, test.why) || end.Failure.Code != string(test.code) {
				t.Errorf("%+v %+v", end, end.Failure)
			}
			w.runtime.Fail(test.fault, nil)
			w.settled(t, p)
			if got := w.releases(t); got != "web:1 worker:1" || w.staged(t) != 7 {
				t.Errorf("%s, %d commands staged", got, w.staged(t))
			}
			// Mended, the same changeset goes through.
			w.runtime.SetImage(digest(2), fake.Serve())
			if end := p.commit(t, w, &changeset.EnvSet{AppName: "web", Key: "A", Value: w.box.Seal("env s-1 web A", "x")}); end.State != changeset.Done {
				t.Errorf("%+v", end.Failure)
			}
			w.settled(t, p)
			if got := w.releases(t); got != "new:1 web:2 worker:1" {
				t.Error(got)
			}
		})
	}
}

func TestAChangesetThatDoesNotApplySaysWhichCommand(t *testing.T) {
	w, p := deployed(t)
	defer p.stop(t)
	end := p.commit(t, w, &changeset.ResourceSet{AppName: "web", Scale: new(2)}, &changeset.ReleaseActivate{AppName: "web", ID: 9})
	if end.State != changeset.Failed || end.Failure.Code != "ChangesetInvalid" ||
		!strings.HasPrefix(end.Failure.Message, "command 2 (app:release:set of app web) does not apply: app web has no release 9") {
		t.Errorf("%+v %+v", end, end.Failure)
	}
	if w.staged(t) != 2 {
		t.Error("the changeset is gone")
	}
	w.settled(t, p)
}

func TestNothingStagedIsNoCommit(t *testing.T) {
	_, p := deployed(t)
	defer p.stop(t)
	if _, err := p.Start(t.Context(), stage, ada, commit.Request{}); !setops.IsCode(err, setops.ChangesetDoesNotExist) {
		t.Errorf("got %v", err)
	}
	if _, err := p.Commit(t.Context(), stage.ID, "none"); !setops.IsCode(err, setops.CommitNotFound) {
		t.Errorf("got %v", err)
	}
}

func TestTheLastLinesOfATaskAreToldAndNeverStored(t *testing.T) {
	w, p := deployed(t)
	defer p.stop(t)
	w.runtime.SetImage(digest(2), fake.Words("print", "the canary says why", "exit", "1"))
	w.stage(t, deploy("web", 2)...)
	c, err := p.Start(t.Context(), stage, ada, commit.Request{})
	must(t, err)
	end := p.await(t, c.ID)
	if !strings.Contains(strings.Join(end.Failure.Log, "\n"), "canary") || end.Failure.TaskID == "" || end.Failure.App != "web" {
		t.Errorf("%+v", end.Failure)
	}
	stored, _, err := w.store.Commit(t.Context(), stage.ID, c.ID)
	if err != nil || stored.Failure.Log != nil || stored.Failure.TaskID != end.Failure.TaskID {
		t.Errorf("%+v, %v", stored.Failure, err)
	}
}

func TestAServiceThatClosesTellsItsWatchers(t *testing.T) {
	w, p := deployed(t)
	w.runtime.SetImage(digest(2), fake.Deaf())
	w.stage(t, append(deploy("web", 2), &changeset.NetworkSet{AppName: "web", Public: new(true)},
		&changeset.ContainerSet{AppName: "web", StartTimeout: new(3600)})...)
	c, err := p.Start(t.Context(), stage, ada, commit.Request{})
	must(t, err)
	watched := make(chan error, 1)
	applying := make(chan struct{})
	go func() {
		var once sync.Once
		watched <- p.Watch(context.Background(), stage.ID, c.ID, 0, func(now commit.Progress) bool {
			if now.Phase == changeset.Applying {
				once.Do(func() { close(applying) })
			}
			return true
		})
	}()
	<-applying
	p.stop(t)
	select {
	case err := <-watched:
		if err == nil {
			t.Error("the watcher was told that the commit has ended")
		}
	case <-time.After(10 * time.Second):
		t.Error("the watcher still waits")
	}
	next := w.start(t, nil)
	defer next.stop(t)
	must(t, next.Resume(t.Context()))
	w.settled(t, next)
	end := next.await(t, c.ID)
	if end.State != changeset.Failed || !strings.Contains(end.Failure.Message, "the server was stopped while the commit ran") {
		t.Errorf("%+v %+v", end, end.Failure)
	}
	if got := w.releases(t); got != "web:1 worker:1" || w.staged(t) != 4 {
		t.Errorf("%s, %d commands staged", got, w.staged(t))
	}
}

func TestACommitThatIsAskedForAgainIsTheSame(t *testing.T) {
	w := newWorld(t)
	p := w.start(t, nil)
	defer p.stop(t)
	w.stage(t, &changeset.AppCreate{AppName: "web"})
	c, err := p.Start(t.Context(), stage, ada, commit.Request{})
	must(t, err)
	for range 2 {
		again, err := p.Start(t.Context(), stage, ada, commit.Request{ID: c.ID})
		if err != nil || again.ID != c.ID || len(again.Changeset.Commands) != 1 {
			t.Errorf("%+v, %v", again, err)
		}
		p.await(t, c.ID)
	}
}

// watched counts how often the engine is asked what there is.
type watched struct {
	engine.Engine
	times atomic.Int32
}

func (w *watched) Observe(ctx context.Context) (engine.Observed, error) {
	w.times.Add(1)
	return w.Engine.Observe(ctx)
}

func TestAStartDoesNotObserveTheEngineForEachStage(t *testing.T) {
	w := newWorld(t)
	for i := range 20 {
		name := fmt.Sprint("more", i)
		must(t, w.store.AddStage(t.Context(), setops.Stage{ID: name, ProjectID: "p-1", Name: name}, ada))
	}
	var e watched
	p := w.start(t, func(s commit.Store, real engine.Engine) (commit.Store, engine.Engine) {
		e.Engine = real
		return s, &e
	})
	defer p.stop(t)
	must(t, p.Resume(t.Context()))
	if n := e.times.Load(); n > 2 { // to restore, and to see what nobody knows
		t.Errorf("it was observed %d times", n)
	}
}
