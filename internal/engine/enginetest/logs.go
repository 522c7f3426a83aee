package enginetest

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/setopsco/setops/internal/engine"
)

func logOf(taskID string) engine.LogQuery { return engine.LogQuery{TaskID: taskID} }

func logsAreComplete(t *testing.T, w *world) {
	const many = 500
	var words, want []string
	for i := range many {
		words = append(words, "print", fmt.Sprint("line ", i))
		want = append(want, fmt.Sprint("line ", i))
	}
	ended := w.runOneOff(t, w.oneOff(words...))
	if got := w.lines(t, logOf(ended.ID), "app"); !slices.Equal(got, want) {
		t.Errorf("%d lines of %d", len(got), many)
	}
	system := w.lines(t, logOf(ended.ID), "system")
	for _, status := range []string{"PROVISIONING", "PENDING", "ACTIVATING", "RUNNING", "DEPROVISIONING", "STOPPED"} {
		if !contains(system, "Task status is "+status) {
			t.Errorf("%s is missing in %q", status, system)
		}
	}
	if last := system[len(system)-1]; last !=
		"Task status is STOPPED, desired status is STOPPED due to 'Essential container in task exited'" {
		t.Errorf("got %q", last)
	}
}

// burstsAreComplete has a task write a lot and end at once. Wait and following come back with all of it, in order, and
// reading goes on exactly behind a line.
func burstsAreComplete(t *testing.T, w *world) {
	const many = 20_000
	var want []string
	for i := range many {
		want = append(want, fmt.Sprint("line ", i+1))
	}
	task := w.start(t, w.oneOff("count", fmt.Sprint(many)))
	follow := logOf(task.ID)
	follow.Follow = true
	if got := w.lines(t, follow, engine.SourceApp); !slices.Equal(got, want) {
		t.Errorf("%d lines of %d were followed", len(got), many)
	}
	w.wait(t, task.ID)
	var half engine.LogPosition
	var got []string
	q := logOf(task.ID)
	q.StageID, q.App, q.Source = w.stage.ID, "web", engine.SourceApp
	err := w.ReadLogs(t.Context(), q, func(l engine.LogLine) bool {
		if got = append(got, l.Text); len(got) == many/2 {
			half = l.End
		}
		return true
	})
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%d lines of %d, %v", len(got), many, err)
	}
	for _, q.Follow = range []bool{false, true} {
		q.Behind = map[string]engine.LogPosition{q.TaskID: half}
		if got := w.lines(t, q, ""); !slices.Equal(got, want[many/2:]) {
			t.Errorf("%d lines behind line %d, followed %t", len(got), many/2, q.Follow)
		}
	}
}

func followingEnds(t *testing.T, w *world) {
	task := w.start(t, w.oneOff("print", "one", "sleep", "50ms", "print", "two", "sleep", "50ms", "print", "three"))
	q := logOf(task.ID)
	q.Follow = true
	if got := w.lines(t, q, "app"); !slices.Equal(got, []string{"one", "two", "three"}) {
		t.Errorf("got %q", got)
	}
	if all := w.lines(t, logOf(task.ID), ""); !contains(all[len(all)-1:], "Task status is STOPPED") {
		t.Errorf("got %q", all)
	}
}

func linesAreSelected(t *testing.T, w *world) {
	first := w.runOneOff(t, w.oneOff("print", "one", "sleep", "20ms", "print", "two"))
	second := w.runOneOff(t, w.oneOff("print", "three"))
	if got := w.lines(t, engine.LogQuery{}, "app"); !slices.Equal(got, []string{"one", "two", "three"}) {
		t.Errorf("got %q", got)
	}
	if got := w.lines(t, engine.LogQuery{Limit: 3}, ""); len(got) != 3 {
		t.Errorf("got %q", got)
	}
	before := engine.LogQuery{Before: w.timeOf(t, second.ID, "three")}
	if got := w.lines(t, before, "app"); !slices.Equal(got, []string{"one", "two"}) {
		t.Errorf("got %q", got)
	}
	after := engine.LogQuery{After: w.timeOf(t, first.ID, "one")}
	if got := w.lines(t, after, "app"); !slices.Equal(got, []string{"two", "three"}) {
		t.Errorf("got %q", got)
	}
	if got := w.lines(t, engine.LogQuery{After: time.Now().Add(time.Hour)}, ""); len(got) != 0 {
		t.Errorf("got %q", got)
	}
}
