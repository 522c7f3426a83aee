package commit_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/setopsco/setops/internal/changeset"
	"github.com/setopsco/setops/internal/commit"
	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/engine/enginetest/script"
	"github.com/setopsco/setops/internal/engine/fake"
	"github.com/setopsco/setops/internal/setops"
)

// oneOff gives the only one-off task of an app.
func (p *process) oneOff(t *testing.T, app string) setops.Task {
	t.Helper()
	tasks, err := p.engine.List(context.Background(), stage.ID, app)
	must(t, err)
	tasks = slices.DeleteFunc(tasks, func(task setops.Task) bool { return !task.OneOff() })
	if len(tasks) != 1 {
		t.Fatalf("one-off tasks of app %s: %+v", app, tasks)
	}
	return tasks[0]
}

// wrote is what the task of a commit has written.
func (p *process) wrote(t *testing.T, app, id string) string {
	t.Helper()
	var texts []string
	must(t, p.engine.ReadLogs(context.Background(), engine.LogQuery{StageID: stage.ID, App: app, TaskID: id}, func(l engine.LogLine) bool {
		if l.Source == engine.SourceApp {
			texts = append(texts, l.Text)
		}
		return true
	}))
	return strings.Join(texts, " ")
}

// begins waits until the task of an app has written a word.
func (p *process) begins(t *testing.T, app, id, word string) {
	t.Helper()
	found := errors.New("found")
	ctx, cancel := context.WithCancelCause(context.Background())
	err := p.engine.ReadLogs(ctx, engine.LogQuery{StageID: stage.ID, App: app, Follow: true}, func(l engine.LogLine) bool {
		if l.TaskID == id && l.Text == word {
			cancel(found)
		}
		return ctx.Err() == nil
	})
	if context.Cause(ctx) != found {
		t.Fatal(err)
	}
}

func TestATaskBeforeActivationSeesTheReleaseAndWhatIsStagedWithIt(t *testing.T) {
	w, p := deployed(t)
	defer p.stop(t)
	colour := &changeset.EnvSet{AppName: "web", Key: "COLOUR", Value: w.box.Seal("env s-1 web COLOUR", "green")}
	end := p.commit(t, w, append(deployAfter("web", 2, "env", "COLOUR", "env", "PORT"), colour)...)
	if end.State != changeset.Done || end.Total != 5 {
		t.Fatalf("%+v %+v", end, end.Failure)
	}
	task := p.oneOff(t, "web")
	if task.Release != 2 || task.Digest != digest(2) || task.Status != setops.Stopped || task.ExitCode == nil || *task.ExitCode != 0 {
		t.Errorf("%+v", task)
	}
	if got := p.wrote(t, "web", task.ID); got != "COLOUR=green PORT=5000" {
		t.Errorf("it wrote %q", got)
	}
	tasks, err := p.engine.List(t.Context(), stage.ID, "web")
	must(t, err)
	for _, other := range tasks {
		if other.Release == 2 && !other.OneOff() && !other.CreatedAt.After(task.StoppedAt) {
			t.Errorf("a new task was made at %s, before %s", other.CreatedAt, task.StoppedAt)
		}
	}
	w.settled(t, p)
	if got := w.releases(t); got != "web:2 worker:1" {
		t.Error(got)
	}
}

func TestATaskBeforeActivationThatFailsChangesNothing(t *testing.T) {
	w, p := deployed(t)
	defer p.stop(t)
	commands := append(deployAfter("web", 2, "print", "no such column", "exit", "3"), deploy("worker", 2)...)
	w.stage(t, commands...)
	c, err := p.Start(t.Context(), stage, ada, commit.Request{})
	must(t, err)
	end := p.await(t, c.ID)
	f := end.Failure
	if end.State != changeset.Failed || f.Message != "the task before the activation of release 2 of app web exited with code 3" {
		t.Fatalf("%+v %+v", end, f)
	}
	if f.Code != "CommitFailed" || f.App != "web" || f.Release != 2 || f.TaskID != commit.TaskID(c.ID, "web") ||
		f.Check != "task before activation" || *f.LastAnswer.ExitCode != 3 || !slices.Equal(f.Log, []string{"no such column"}) {
		t.Errorf("%+v", f)
	}
	w.settled(t, p)
	if got := w.releases(t); got != "web:1 worker:1" || w.staged(t) != 4 {
		t.Errorf("%s, %d commands staged", got, w.staged(t))
	}
	observed, err := p.engine.Observe(t.Context())
	must(t, err)
	if len(observed.Generations) != 2 {
		t.Errorf("%+v", observed.Generations)
	}
}

func TestTheLogOfATaskIsThereWithoutItsApp(t *testing.T) {
	w, p := deployed(t)
	defer p.stop(t)
	end := p.commit(t, w, append([]changeset.Command{&changeset.AppCreate{AppName: "new"}}, deployAfter("new", 1, "print", "no", "exit", "1")...)...)
	if end.State != changeset.Failed || p.wrote(t, "new", end.Failure.TaskID) != "no" {
		t.Errorf("%+v %+v", end, end.Failure)
	}
	w.settled(t, p)
}

func TestATaskBeforeActivationIsStoppedWhereTheCommitFailsBesides(t *testing.T) {
	w, p := deployed(t)
	defer p.stop(t)
	ready := make(chan struct{})
	w.runtime.SetImage(digest(3), fake.Image{Program: func(context.Context, script.Process) int { <-ready; return 1 }})
	w.stage(t, append(deployAfter("web", 2, "print", "begun", "wait"), deployAfter("worker", 3, "fail")...)...)
	c, err := p.Start(t.Context(), stage, ada, commit.Request{})
	must(t, err)
	p.begins(t, "web", commit.TaskID(c.ID, "web"), "begun")
	close(ready)
	if end := p.await(t, c.ID); end.State != changeset.Failed || end.Failure.App != "worker" || len(end.Failure.Others) != 0 {
		t.Errorf("%+v %+v", end, end.Failure)
	}
	if task := p.oneOff(t, "web"); task.Status != setops.Stopped { // before the commit has ended
		t.Errorf("%+v", task)
	}
	w.settled(t, p)
}

func TestATaskThatAServerLeftBehindIsStoppedBeforeItsChangesetComesBack(t *testing.T) {
	w, p := deployed(t)
	w.stage(t, deployAfter("web", 2, "print", "begun", "wait")...)
	c, err := p.Start(t.Context(), stage, ada, commit.Request{})
	must(t, err)
	p.begins(t, "web", commit.TaskID(c.ID, "web"), "begun")
	p.stop(t)

	next := w.start(t, nil)
	defer next.stop(t)
	if task := next.oneOff(t, "web"); task.Status.Ended() {
		t.Errorf("a server that stops does not wait for tasks, and ended %+v", task)
	}
	must(t, next.Resume(t.Context()))
	if end := next.await(t, c.ID); end.State != changeset.Failed || !strings.Contains(end.Failure.Message, "the server was stopped") {
		t.Errorf("%+v %+v", end, end.Failure)
	}
	if task := next.oneOff(t, "web"); task.Status != setops.Stopped || w.staged(t) != 2 {
		t.Errorf("%d commands staged, %+v", w.staged(t), task)
	}
	w.settled(t, next)
	w.runtime.SetImage(digest(2), fake.Serve())
	if end := next.commit(t, w, &changeset.ReleaseActivate{AppName: "web", ID: 2, Before: []string{"print", "done"}}); end.State != changeset.Done {
		t.Errorf("%+v", end.Failure)
	}
	w.settled(t, next)
}

func TestWhoWatchesACommitIsToldOfItsTaskWhileThatRuns(t *testing.T) {
	w, p := deployed(t)
	defer p.stop(t)
	w.stage(t, deployAfter("web", 2, "print", "begun", "wait")...)
	c, err := p.Start(t.Context(), stage, ada, commit.Request{})
	must(t, err)
	task := ""
	must(t, p.Watch(t.Context(), stage.ID, c.ID, 0, func(e commit.Progress) bool {
		task = e.Task
		return task == ""
	}))
	if task != commit.TaskID(c.ID, "web") {
		t.Errorf("the task is %q", task)
	}
	p.begins(t, "web", task, "begun") // so its log can be read
	_, err = p.Cancel(t.Context(), stage, ada, c.ID)
	must(t, err)
	if end := p.await(t, c.ID); end.State != changeset.Cancelled {
		t.Errorf("%+v", end)
	}
	w.settled(t, p)
}

func TestTheTaskOfACommitHasOneID(t *testing.T) {
	web, worker := commit.TaskID("c1", "web"), commit.TaskID("c1", "worker")
	if len(web) != 32 || web != commit.TaskID("c1", "web") || web == worker || web == commit.TaskID("c2", "web") {
		t.Errorf("%s %s", web, worker)
	}
}
