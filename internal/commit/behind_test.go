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

// slowEngine lets the first removal of a generation wait.
type slowEngine struct {
	engine.Engine
	once    sync.Once
	waits   chan struct{} // closed once somebody waits
	goingOn chan struct{}
}

func slow() *slowEngine {
	return &slowEngine{waits: make(chan struct{}), goingOn: make(chan struct{})}
}

func (e *slowEngine) Remove(ctx context.Context, id string, fence int64) error {
	e.once.Do(func() {
		close(e.waits)
		select {
		case <-e.goingOn:
		case <-ctx.Done():
		}
	})
	return e.Engine.Remove(ctx, id, fence)
}

// TestAnAppThatIsBackSurvivesTheRestOfItsDestruction commits an app again while the tasks of before drain.
func TestAnAppThatIsBackSurvivesTheRestOfItsDestruction(t *testing.T) {
	t.Parallel()
	e := slow()
	w, first := deployed(t)
	first.stop(t)
	p := w.start(t, func(s commit.Store, real engine.Engine) (commit.Store, engine.Engine) {
		e.Engine = real
		return s, e
	})
	defer p.stop(t)
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
