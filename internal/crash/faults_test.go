//go:build linux

package crash

import (
	"slices"
	"strings"

	"github.com/setopsco/setops/pkg/api"
)

// momentsOfSteps are those at which something happens: before a step is begun, when only the journal knows of it, when it is done
// and the journal does not know, and when that knows; and before it is begun or when it is done, the journal cannot be written.
var momentsOfSteps = []string{
	"kill before begin ", "kill after begin ", "kill before done ", "kill after done ", "fail before begin ", "fail before done ",
}

// faults are those that commits away from here shall meet.
func (m *matrix) faults(p api.Plan) [][]string {
	if *only != "" {
		return [][]string{strings.Split(*only, ",")}
	}
	if m.here == m.sides[1] && !everything() { // those before the commit point are met on the way there
		p.Steps = slices.DeleteFunc(p.Steps, func(s api.PlanStep) bool { return !s.After })
	}
	if m.engine == "kubernetes" && !everything() {
		return m.few(p.Steps)
	}
	all := m.chosen(p.Steps)
	if m.here == m.sides[0] && everything() && m.engine == "embedded" {
		all = slices.Concat(all, faultsOfCommits(), faultsOfUndoing(), faultsOfTheNext())
	}
	return all
}

// few are the faults on a cluster, where a commit takes longest: at each kind of step one, in turns when it begins and when it is done. Those
// behind the commit point strike one after the other in the same commit, and the way back meets none.
func (m *matrix) few(steps []api.PlanStep) [][]string {
	all, behind := [][]string{}, []string{}
	if m.here == m.sides[1] {
		return all
	}
	seen := map[string]bool{}
	for _, s := range steps {
		if seen[s.Kind] {
			continue
		}
		fault := []string{"kill after begin ", "kill after done "}[len(seen)%2] + placeOf(s)
		if seen[s.Kind] = true; s.After {
			behind = append(behind, fault)
			continue
		}
		all = append(all, []string{fault})
	}
	return append(all, behind)
}

// chosen are the faults of steps: all of them, or a sample that has each kind of step, before and after. Where each takes long the
// moments are fewer.
func (m *matrix) chosen(steps []api.PlanStep) (all [][]string) {
	moments := momentsOfSteps
	switch {
	case !everything():
		moments = []string{"kill after begin ", "kill after done "}
	case m.engine != "embedded":
		moments = []string{"kill before done ", "kill after done "}
	}
	seen := map[string]bool{}
	for _, s := range steps {
		if !everything() && seen[s.Kind] {
			continue
		}
		seen[s.Kind] = true
		for _, moment := range moments {
			all = append(all, []string{moment + placeOf(s)})
		}
	}
	return all
}

// faultsOfCommits are at all other writes of a commit on its way.
func faultsOfCommits() (all [][]string) {
	for _, point := range []string{"enqueue", "claim", "phase planning", "journal", "phase applying", "pass", "end done"} {
		for _, moment := range []string{"kill before ", "kill after ", "fail before ", "fail after "} {
			all = append(all, []string{moment + point})
		}
	}
	return all
}

// faultsOfUndoing are of commits that fail for another one.
func faultsOfUndoing() (all [][]string) {
	for _, next := range []string{
		"kill before phase undoing", "kill after phase undoing", "fail before phase undoing",
		"kill before end failed", "kill after end failed", "fail before end failed", "fail after end failed",
	} {
		all = append(all, []string{"fail before done await web", next})
	}
	return all
}

// faultsOfTheNext strike the process again that goes on with what another one left.
func faultsOfTheNext() (all [][]string) {
	for _, next := range []string{"kill before take over", "kill after take over", "kill before end failed", "kill after end failed"} {
		all = append(all, []string{"kill before done await web", next}, []string{"kill before done run task of api", next})
	}
	for _, next := range []string{"kill before take over", "kill after take over", "kill before end done", "kill after end done"} {
		all = append(all, []string{"kill after pass", next})
	}
	return append(all, []string{"kill before done remove web", "kill before done remove web"})
}
