package kubernetes_test

import (
	"testing"
	"time"

	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/engine/kubernetes"
	"github.com/setopsco/setops/internal/engine/kubernetes/latch/latchtest"
	"github.com/setopsco/setops/internal/engine/verdict"
	"github.com/setopsco/setops/internal/setops"
)

func (f *field) interactive(words ...string) engine.OneOff {
	c := f.generation().Container
	c.Entrypoint, c.Command = []string{"/testapp"}, words
	return engine.OneOff{
		ID: randomHex(16), Stage: f.stage, App: "web", Release: 1, Container: c, StopTimeout: time.Second, Limit: time.Hour,
		Console: &engine.Console{},
	}
}

func TestATaskThatNobodyJoinsIsNotStarted(t *testing.T) {
	beside(t)
	f := newField(t, func(c *kubernetes.Config) {
		c.Latch, c.Timings.Join = latchtest.Read(t, "../../.."), time.Second
	})
	task, err := f.Run(t.Context(), f.interactive("print", "begun"))
	must(t, err)
	ended, err := f.Wait(t.Context(), task.ID)
	must(t, err)
	if ended.Status != setops.Stopped || ended.Reason != verdict.ReasonUnjoined || !ended.Told || !ended.StartedAt.IsZero() {
		t.Errorf("got %+v", ended)
	}
	must(t, f.ReadLogs(t.Context(), engine.LogQuery{StageID: f.stage.ID, App: "web", TaskID: task.ID}, func(l engine.LogLine) bool {
		if l.Source == engine.SourceApp {
			t.Errorf("it has written %q", l.Text)
		}
		return true
	}))
}

func TestAServerWithoutALatchRefusesInteractiveTasks(t *testing.T) {
	beside(t)
	f := newField(t)
	if _, err := f.Run(t.Context(), f.interactive("wait")); !setops.IsCode(err, setops.CodeCurrentlyNotSupported) {
		t.Errorf("got %v", err)
	}
	if tasks, err := f.List(t.Context(), f.stage.ID, ""); err != nil || len(tasks) > 0 {
		t.Errorf("there are %+v, %v", tasks, err)
	}
}
