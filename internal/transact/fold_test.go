package transact

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/setopsco/setops/internal/changeset"
	"github.com/setopsco/setops/internal/plan"
	"github.com/setopsco/setops/internal/setops"
)

// TestEqualInputGivesEqualBytesWhateverTheOrderOfMaps folds, compares, inverts and plans random commands twice, of stages that are
// equal and whose maps were filled in different orders: what is stored, shown and hashed is the same to the byte.
func TestEqualInputGivesEqualBytesWhateverTheOrderOfMaps(t *testing.T) {
	t.Parallel()
	applied := 0
	for seed := range uint64(2000) {
		d := dicesOf(seed)
		before := d.someSpec()
		commands := d.someCommands(before)
		text, problems := allOf(t, shuffled(d, before), commands)
		if again, _ := allOf(t, shuffled(d, before), commands); again != text {
			t.Fatalf("seed %d: once\n%s\nthen\n%s", seed, text, again)
		}
		applied += len(commands) - problems
	}
	if applied < 3000 {
		t.Errorf("only %d commands applied", applied)
	}
}

// someSpec folds some commands, so that there is something to change.
func (d dice) someSpec() setops.Spec {
	spec := setops.Spec{}
	for range 3 {
		spec, _ = changeset.Fold(spec, d.someCommands(spec))
		spec = stored(spec)
	}
	return spec
}

// someCommands makes commands as they are stored: with ids of releases, and sealed values.
func (d dice) someCommands(spec setops.Spec) []changeset.Command {
	var all []changeset.Command
	for range 1 + d.IntN(15) {
		c := d.command(spec)
		if app := spec.Apps[c.App()]; app != nil && d.in(4) {
			id := 1 + d.IntN(4)
			all = append(all, &changeset.ReleaseCreate{AppName: c.App(), ID: id, Digest: fmt.Sprintf("sha256:%064x", d.IntN(6))})
			c = d.activate(c.App(), id)
		}
		all = append(all, c)
		spec, _ = changeset.Fold(spec, all[len(all)-1:])
	}
	return all
}

// allOf is everything that follows from a stage and commands, as text, and how many of them do not apply.
func allOf(t *testing.T, before setops.Spec, commands []changeset.Command) (string, int) {
	t.Helper()
	after, problems := changeset.Fold(before, commands)
	in := plan.Input{
		Stage: stage, Before: before, After: after, Commit: true, Key: []byte("key"), Gates: changeset.Gates(after, commands),
		Serving: map[string]plan.Generation{}, Running: map[string]bool{}, Ports: map[string]bool{},
		NewID: func(app string) string { return app + "-2" }, NewTaskID: func(app string) string { return "task of " + app },
	}
	for name, app := range before.Apps {
		if app.ActiveRelease != 0 {
			in.Serving[name] = plan.Generation{ID: name + "-1", App: name, Fingerprint: plan.Fingerprint(in.Key, app)}
			in.Running[name+"-1"] = len(app.Env) < 2
		}
		if app.NeedsPort() {
			in.Ports[name] = true
		}
	}
	delta := changeset.DeltaOf(before, after)
	inverse, conflicts := changeset.Inverse(delta.Before, delta.After, after)
	list := encoded(t, commands)
	facts := []any{
		list, text(after, true), fmt.Sprint(problems), plan.Make(in), plan.Hash(in, 7, []byte(list)), encoded(t, changeset.Between(before, after)),
		text(delta.Before, true), text(delta.After, true), text(inverse, true), conflicts, shownChanges(changeset.Compare(before, after)),
	}
	return strings.TrimSpace(fmt.Sprintln(facts...)), len(problems)
}

func shownChanges(changes []changeset.AppChange) string {
	var b strings.Builder
	for _, c := range changes {
		fmt.Fprintln(&b, c.Name, c.Change, c.Lost)
		for _, v := range c.Values {
			fmt.Fprintln(&b, v.Field, shownValue(v.Old), shownValue(v.New), v.Sealed, v.Secret)
		}
	}
	return b.String()
}

func shownValue(v *string) string {
	if v == nil {
		return "-"
	}
	return *v
}

// shuffled is an equal spec whose maps were filled in a random order, and once had more in them.
func shuffled(d dice, s setops.Spec) setops.Spec {
	copied := setops.Spec{Apps: reordered(d, s.Apps), LogRetention: s.LogRetention}
	for name, app := range copied.Apps {
		clone := app.Clone()
		clone.Env, clone.Domains, clone.Schedules = reordered(d, app.Env), reordered(d, app.Domains), reordered(d, app.Schedules)
		copied.Apps[name] = clone
	}
	return copied
}

func reordered[V any](d dice, m map[string]V) map[string]V {
	if m == nil {
		return nil
	}
	keys := make([]string, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	rand.New(d).Shuffle(len(keys), func(i, j int) { keys[i], keys[j] = keys[j], keys[i] })
	var none V
	fresh := map[string]V{}
	for i := range d.IntN(20) {
		fresh[fmt.Sprint("gone ", i)] = none
	}
	for _, key := range keys {
		fresh[key] = m[key]
	}
	maps.DeleteFunc(fresh, func(key string, _ V) bool { return strings.HasPrefix(key, "gone ") })
	return fresh
}
