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

func TestACommitThatFailsShowsNoMoreThanItDid(t *testing.T) {
	failed := api.Progress{State: "failed", Phase: "planning"}
	if got := linesOf(running("initializing", 0, 0), failed); got != "Initializing… Planning…" {
		t.Error(got)
	}
	if got := linesOf(api.Progress{State: "done", Phase: "applying"}); got != "Initializing… Planning…" {
		t.Errorf("a commit without steps: %s", got)
	}
}
