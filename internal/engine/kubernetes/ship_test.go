package kubernetes

import (
	"context"
	"testing"
	"time"

	"github.com/setopsco/setops/internal/engine/tasklog"
	"github.com/setopsco/setops/internal/setops"
)

// Lines that are in the log already are not shipped again, also where several have the same time.
func TestShippingGoesOnBehindTheMark(t *testing.T) {
	at := func(s string) time.Time {
		parsed, err := time.Parse(time.RFC3339Nano, s)
		if err != nil {
			t.Fatal(err)
		}
		return parsed
	}
	m := mark{at: at("2026-10-05T17:42:54.000000002Z"), n: 2}
	var got []string
	for _, line := range []string{
		"2026-10-05T17:42:54.000000001Z before\n",
		"2026-10-05T17:42:54.000000002Z first of three\n",
		"2026-10-05T17:42:54.000000002Z second\n",
		"2026-10-05T17:42:54.000000002Z third\n",
		"2026-10-05T17:42:54.000000003Z \n",
		"2026-10-05T17:42:54.000000004Z without an end",
		"no line of a container\n",
	} {
		if stamp, text, ok := parseLine(line); ok && m.misses(stamp, text) {
			got = append(got, text)
		}
	}
	if len(got) != 3 || got[0] != "third" || got[1] != "" || got[2] != "without an end" {
		t.Errorf("got %q", got)
	}
}

// Each question for a log that a node does not have is a request, and there may be thousands of such logs.
func TestALogThatCannotBeHadIsAskedForLessAndLess(t *testing.T) {
	e := &Engine{cfg: Config{}.withDefaults()}
	pauses, asked := e.pauses(), 0
	for passed := time.Duration(0); passed < 24*time.Hour; passed += pauses.Step() {
		asked++
	}
	if asked > 60 {
		t.Errorf("it is asked for %d times on one day", asked)
	}
}

// A node that was away for long says how its pods are when it is back: their logs are asked for then.
func TestALogIsAskedForWhenThereAreNewsOfItsPod(t *testing.T) {
	e := &Engine{
		cfg: Config{}.withDefaults(), logs: tasklog.Logs{Dir: t.TempDir()},
		tasks: map[string]*task{}, onStage: map[string]map[string]*task{},
	}
	one := e.newTask(setops.Task{ID: "one", StageID: "stage", App: "web", Status: setops.Running}, facts{pod: "web"}, nil)
	t.Cleanup(func() { one.log.Close() })
	one.shipping = true // and waits, as the log could not be had
	(&attendant{e: e}).ship(one)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	one.await1(ctx, time.Hour)
	if err := ctx.Err(); err != nil {
		t.Errorf("it was not asked for: %v", err)
	}
}
