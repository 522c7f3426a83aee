package commit_test

import (
	"context"
	"strings"
	"sync"
	"testing"

	"github.com/setopsco/setops/internal/changeset"
	"github.com/setopsco/setops/internal/commit"
	"github.com/setopsco/setops/internal/engine"
)

// slowEngine lets what is done behind commits wait until go on is called: the removal of a generation, or its next change.
type slowEngine struct {
	engine.Engine
	method  string
	once    sync.Once
	waits   chan struct{} // closed once somebody waits
	goingOn chan struct{}
}

func slow(method string) *slowEngine {
	return &slowEngine{method: method, waits: make(chan struct{}), goingOn: make(chan struct{})}
}

func (e *slowEngine) wait(ctx context.Context) {
	e.once.Do(func() {
		close(e.waits)
		select {
		case <-e.goingOn:
		case <-ctx.Done():
		}
	})
}

func (e *slowEngine) Remove(ctx context.Context, id string) error {
	if e.method == "Remove" {
		e.wait(ctx)
	}
	return e.Engine.Remove(ctx, id)
}

func (e *slowEngine) Ensure(ctx context.Context, g engine.Generation) error {
	if e.method == "Ensure" && g.Scale == 1 {
		e.wait(ctx)
	}
	return e.Engine.Ensure(ctx, g)
}

// onSlow starts a process on a slow engine in a world where web and worker serve, web with two tasks.
func onSlow(t *testing.T, e *slowEngine) (*world, *process) {
	t.Helper()
	w, first := deployed(t)
	if end := first.commit(t, w, &changeset.ResourceSet{AppName: "web", Scale: new(2)}); end.State != changeset.Done {
		t.Fatalf("%+v", end.Failure)
	}
	w.settled(t, first)
	first.stop(t)
	p := w.start(t, func(s commit.Store, real engine.Engine) (commit.Store, engine.Engine) {
		e.Engine = real
		return s, e
	})
	t.Cleanup(func() { p.stop(t) })
	return w, p
}

// TestAnAppThatIsBackSurvivesTheRestOfItsDestruction commits an app again while the tasks of before drain.
func TestAnAppThatIsBackSurvivesTheRestOfItsDestruction(t *testing.T) {
	t.Parallel()
	e := slow("Remove")
	w, p := onSlow(t, e)
	must(t, p.Resume(context.Background()))
	if end := p.commit(t, w, &changeset.AppDestroy{AppName: "web"}); end.State != changeset.Done {
		t.Fatalf("%+v", end.Failure)
	}
	<-e.waits
	back := append([]changeset.Command{&changeset.AppCreate{AppName: "web"}}, deploy("web", 1)...)
	if end := p.commit(t, w, back...); end.State != changeset.Done {
		t.Fatalf("%+v", end.Failure)
	}
	close(e.goingOn)
	w.settled(t, p)
	if got := w.releases(t); got != "web:1 worker:1" {
		t.Error(got)
	}
}

// TestFewerTasksAreNoMatterOnceAnotherCommitHasMore has a scaling down that comes late.
func TestFewerTasksAreNoMatterOnceAnotherCommitHasMore(t *testing.T) {
	t.Parallel()
	for name, next := range map[string][]changeset.Command{
		"of the same generation": {&changeset.ResourceSet{AppName: "web", Scale: new(3)}},
		"of another generation":  append(deploy("web", 2), &changeset.ResourceSet{AppName: "web", Scale: new(3)}),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := slow("none")
			w, p := onSlow(t, e)
			must(t, p.Resume(context.Background()))
			e.method = "Ensure"
			if end := p.commit(t, w, &changeset.ResourceSet{AppName: "web", Scale: new(1)}); end.State != changeset.Done {
				t.Fatalf("%+v", end.Failure)
			}
			<-e.waits
			w.stage(t, next...)
			c, err := p.Start(context.Background(), stage, ada, commit.Request{})
			must(t, err)
			must(t, p.Watch(context.Background(), stage.ID, c.ID, 0, func(now commit.Progress) bool { return now.Phase != changeset.Applying }))
			close(e.goingOn)
			if end := p.await(t, c.ID); end.State != changeset.Done {
				t.Fatalf("%+v", end.Failure)
			}
			w.settled(t, p)
		})
	}
}

// TestAnAppThatIsMadeAnewInOneCommitLeavesNothing has no step that is never done, and no log of the app that was.
func TestAnAppThatIsMadeAnewInOneCommitLeavesNothing(t *testing.T) {
	t.Parallel()
	w, p := deployed(t)
	defer p.stop(t)
	if end := p.commit(t, w, &changeset.AppDestroy{AppName: "web"}, &changeset.AppCreate{AppName: "web"}); end.State != changeset.Done {
		t.Fatalf("%+v", end.Failure)
	}
	w.settled(t, p)
	tasks, err := p.engine.List(context.Background(), stage.ID, "web")
	must(t, err)
	var lines []string
	must(t, p.engine.ReadLogs(context.Background(), engine.LogQuery{StageID: stage.ID, App: "web", All: true}, func(l engine.LogLine) bool {
		lines = append(lines, l.Text)
		return true
	}))
	if len(tasks)+len(lines) > 0 {
		t.Errorf("left are %v and the log\n%s", tasks, strings.Join(lines, "\n"))
	}
	if got := w.releases(t); got != "web:0 worker:1" {
		t.Error(got)
	}
}
