package render

import (
	"strings"
	"testing"

	"github.com/setopsco/setops/pkg/api"
)

// linesOf gives the plain lines of a commit that tells these steps.
func linesOf(steps ...api.Progress) string {
	var out strings.Builder
	p := NewProgress(&out, true) // no terminal, so that nothing moves
	for _, s := range steps {
		p.Update(s)
	}
	p.End()
	return strings.ReplaceAll(strings.TrimSuffix(out.String(), "\n"), "\n", " ")
}

func running(phase string, done, total int) api.Progress {
	return api.Progress{State: "running", Phase: phase, Done: done, Total: total}
}

func TestEveryPhaseAndStepIsShownOnceHoweverTheyAreTold(t *testing.T) {
	done := api.Progress{State: "done", Phase: "applying", Done: 3, Total: 3}
	const all = "Initializing… Planning… Applying… (1/3) Applying… (2/3) Applying… (3/3)"
	for name, steps := range map[string][]api.Progress{
		"one by one": {
			running("initializing", 0, 0), running("planning", 0, 0), running("applying", 0, 3),
			running("applying", 1, 3), running("applying", 2, 3), done,
		},
		"only the end":       {done},
		"the same again":     {running("initializing", 0, 0), running("applying", 2, 3), running("applying", 2, 3), done},
		"back after a break": {running("applying", 2, 3), running("initializing", 0, 0), running("applying", 1, 3), done},
	} {
		if got := linesOf(steps...); got != all {
			t.Errorf("%s: %s", name, got)
		}
	}
}

func TestACommitThatWaitsShowsEachChangeOfTheQueue(t *testing.T) {
	queued := func(ahead int) api.Progress {
		return api.Progress{State: "queued", Phase: "waiting", Ahead: ahead}
	}
	const all = "Initializing… Planning… Applying… (1/1)"
	done := api.Progress{State: "done", Phase: "applying", Done: 1, Total: 1}
	for name, told := range map[string]struct {
		steps []api.Progress
		want  string
	}{
		"two before it":      {[]api.Progress{queued(2), queued(2), queued(1), queued(0), done}, "Waiting for 2 other commits… Waiting for 1 other commit… " + all},
		"none before it":     {[]api.Progress{queued(0), done}, all},
		"back after a break": {[]api.Progress{queued(1), running("initializing", 0, 0), queued(1), done}, "Waiting for 1 other commit… " + all},
	} {
		if got := linesOf(told.steps...); got != told.want {
			t.Errorf("%s: %s", name, got)
		}
	}
}

func TestACommitThatIsUndoneSaysSoOnce(t *testing.T) {
	ended := api.Progress{State: "cancelled", Phase: "undoing", Done: 1, Total: 3}
	const want = "Initializing… Planning… Applying… (1/3) Undoing…"
	if got := linesOf(running("applying", 1, 3), running("undoing", 1, 3), running("undoing", 1, 3), ended); got != want {
		t.Error(got)
	}
	if got := linesOf(ended); got != want {
		t.Errorf("only the end: %s", got)
	}
	if got := linesOf(running("planning", 0, 0), running("undoing", 0, 0)); got != "Initializing… Planning… Undoing…" {
		t.Errorf("before there were steps: %s", got)
	}
}

func TestACommitThatFailsShowsNoMoreThanItDid(t *testing.T) {
	failed := api.Progress{State: "failed", Phase: "planning"}
	if got := linesOf(running("initializing", 0, 0), failed); got != "Initializing… Planning…" {
		t.Error(got)
	}
	if got := linesOf(api.Progress{State: "done", Phase: "applying"}); got != "Initializing… Planning…" {
		t.Errorf("a commit without steps: %s", got)
	}
}
