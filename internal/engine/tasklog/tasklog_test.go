package tasklog_test

import (
	"context"
	"errors"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/engine/logfile"
	"github.com/setopsco/setops/internal/engine/tasklog"
)

const (
	stage = "st1"
	app   = "web"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// logs are of an engine that knows one task, t1, whose log is complete when that channel is closed.
func logs(t *testing.T) (l *tasklog.Logs, complete chan struct{}, closeEngine func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	complete = make(chan struct{})
	return &tasklog.Logs{Dir: t.TempDir(), Now: time.Now, Open: ctx, Complete: func(taskID string) <-chan struct{} {
		if taskID == "t1" {
			return complete
		}
		return nil
	}}, complete, cancel
}

func write(t *testing.T, l *tasklog.Logs, task string, ago time.Duration, source, text string) {
	t.Helper()
	w, err := logfile.Open(l.AppDir(stage, app), task, logfile.Options{})
	must(t, err)
	must(t, w.Append(time.Now().Add(-ago), source, text))
	must(t, w.Close())
}

func read(t *testing.T, l *tasklog.Logs, q engine.LogQuery) (lines []string) {
	t.Helper()
	q.StageID, q.App = stage, app
	must(t, l.Read(t.Context(), q, func(line engine.LogLine) bool {
		lines = append(lines, line.TaskID+" "+line.Source+" "+line.Text)
		return true
	}))
	return lines
}

func TestChecksThatPassedAreShownToWhoAsks(t *testing.T) {
	l, _, _ := logs(t)
	write(t, l, "t1", time.Minute, engine.SourceApp, "hello")
	write(t, l, "t1", 0, tasklog.SourcePassed, "check passed")
	for _, c := range []struct {
		query engine.LogQuery
		want  []string
	}{
		{engine.LogQuery{}, []string{"t1 app hello"}},
		{engine.LogQuery{All: true}, []string{"t1 app hello", "t1 system check passed"}},
		{engine.LogQuery{All: true, Source: engine.SourceSystem}, []string{"t1 system check passed"}},
		{engine.LogQuery{All: true, Source: engine.SourceApp}, []string{"t1 app hello"}},
	} {
		if got := read(t, l, c.query); !slices.Equal(got, c.want) {
			t.Errorf("%+v: %q", c.query, got)
		}
	}
}

func TestAFollowerEndsWithTheLogOfItsTask(t *testing.T) {
	l, complete, _ := logs(t)
	for _, task := range []string{"t1", "t2"} { // nobody knows t2 any more
		write(t, l, task, 0, engine.SourceApp, "hello")
		past := func() {
			if task == "t1" {
				close(complete)
			}
		}
		if got := read(t, l, engine.LogQuery{TaskID: task, Follow: true, Past: past}); !slices.Equal(got, []string{task + " app hello"}) {
			t.Errorf("%s: %q", task, got)
		}
	}
}

func TestAFollowerEndsWithTheEngine(t *testing.T) {
	l, _, closeEngine := logs(t)
	q := engine.LogQuery{StageID: stage, App: app, Follow: true, Past: closeEngine}
	if err := l.Read(t.Context(), q, func(engine.LogLine) bool { return true }); !errors.Is(err, engine.ErrClosed) {
		t.Errorf("got %v", err)
	}
}

func TestLinesOverTheRetentionAreNotShownAndGo(t *testing.T) {
	l, _, _ := logs(t)
	write(t, l, "t1", 2*time.Hour, engine.SourceApp, "old")
	write(t, l, "t2", 2*time.Hour, engine.SourceApp, "old")
	long := time.Now().Add(-2 * time.Hour)
	for _, task := range []string{"t1", "t2"} {
		must(t, os.Chtimes(l.AppDir(stage, app)+"/"+task+".1.log", long, long))
	}
	if got := read(t, l, engine.LogQuery{}); len(got) != 2 {
		t.Errorf("got %q", got)
	}
	l.Kept = func(context.Context, string) (time.Duration, error) { return time.Hour, nil }
	if got := read(t, l, engine.LogQuery{}); got != nil {
		t.Errorf("got %q", got)
	}
	must(t, l.Sweep())
	left, err := os.ReadDir(l.AppDir(stage, app))
	if err != nil || len(left) != 1 || left[0].Name() != "t1.1.log" { // somebody may hold it open
		t.Errorf("%v, %v", left, err)
	}
	must(t, l.Remove(stage, ""))
	if _, err := os.Stat(l.AppDir(stage, "")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}

func TestLogsWithoutAKnownRetentionStay(t *testing.T) {
	l, _, _ := logs(t)
	write(t, l, "t2", 0, engine.SourceApp, "hello")
	unknown := errors.New("no database")
	l.Kept = func(context.Context, string) (time.Duration, error) { return 0, unknown }
	if err := l.Sweep(); !errors.Is(err, unknown) {
		t.Errorf("got %v", err)
	}
	if err := l.Read(t.Context(), engine.LogQuery{StageID: stage, App: app}, nil); !errors.Is(err, unknown) {
		t.Errorf("got %v", err)
	}
	l.Kept = nil
	if got := read(t, l, engine.LogQuery{}); len(got) != 1 {
		t.Errorf("got %q", got)
	}
}
