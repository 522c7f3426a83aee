package changeset_test

import (
	"encoding/json"
	"math/rand/v2"
	"testing"

	"github.com/setopsco/setops/internal/changeset"
	"github.com/setopsco/setops/internal/setops"
)

// settings is all of a stage but Committed and the lists of releases, as text.
func settings(t *testing.T, s setops.Spec) string {
	t.Helper()
	active := map[string]string{}
	for name, a := range s.Apps {
		if r, ok := a.Release(a.ActiveRelease); ok {
			active[name] = r.Digest + " " + r.Tag
		} else if a.ActiveRelease != 0 {
			t.Errorf("app %s has no release %d, which is active", name, a.ActiveRelease)
		}
	}
	text, err := json.MarshalIndent(map[string]any{"apps": s.Apps, "images": active, "log_retention": s.LogRetention}, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// states are specs of one stage, each made from the one before it by commands that were committed.
func states(r *rand.Rand, n int) []setops.Spec {
	spec := []func() setops.Spec{stage, withDomains, func() setops.Spec { return setops.Spec{} }}[r.IntN(3)]()
	all := make([]setops.Spec, n)
	for i := range all {
		for range 1 + r.IntN(4) {
			spec, _ = changeset.Fold(spec, randomCommands(r))
		}
		spec = committed(spec)
		all[i] = spec
	}
	return all
}

func committed(s setops.Spec) setops.Spec {
	s = s.Clone()
	for _, a := range s.Apps {
		a.Committed = true
	}
	return s
}

// folded is what commands make of a spec; all of them must apply.
func folded(t *testing.T, s setops.Spec, commands []changeset.Command) setops.Spec {
	t.Helper()
	after, problems := changeset.Fold(s, commands)
	for _, p := range problems {
		t.Errorf("%v\nof %s", p, written(commands))
	}
	return after
}

// written shows commands as lines.
func written(commands []changeset.Command) string {
	text := ""
	for _, c := range commands {
		arguments, _ := changeset.Encode(c)
		text += c.Name() + " " + string(arguments) + "\n"
	}
	return text
}
