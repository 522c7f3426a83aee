package transact

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/setopsco/setops/internal/changeset"
	"github.com/setopsco/setops/internal/setops"
)

// text is all of a spec but Committed and who activated releases when. Without lists, of releases it has the active ones.
func text(s setops.Spec, lists bool) string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(s.Apps)) {
		app := s.Apps[name]
		settings, err := json.Marshal(app)
		if err != nil {
			panic(err)
		}
		fmt.Fprintf(&b, "%s %s", name, settings)
		byID := func(a, b setops.Release) int { return a.ID - b.ID } // Fold has them as they were staged
		for _, r := range slices.SortedFunc(slices.Values(app.Releases), byID) {
			if lists || r.ID == app.ActiveRelease {
				fmt.Fprintf(&b, " %d=%s", r.ID, r.Digest)
			}
		}
		b.WriteString("\n")
	}
	return b.String()
}

// same fails where two states of the stage differ, by this package's eyes and by those of the product.
func same(t *testing.T, what string, got, want setops.Spec, lists bool) {
	t.Helper()
	if text(got, lists) != text(want, lists) {
		t.Fatalf("%s: the stage is\n%sand should be\n%s", what, text(got, lists), text(want, lists))
	}
	for _, change := range changeset.Compare(want, got) {
		for _, v := range change.Values {
			if lists || !strings.HasPrefix(v.Field, "releases.") {
				t.Fatalf("%s: app %s differs: %+v", what, change.Name, v)
			}
		}
	}
}

func encoded(t *testing.T, commands []changeset.Command) string {
	t.Helper()
	list, err := changeset.EncodeList(commands)
	must(t, err)
	return string(list)
}

// nothingToDo fails where the plan of the stage as it is has a step: for somebody who has staged nothing, as at a start of the
// server; and for a commit of commands that change nothing.
func (w *world) nothingToDo(t *testing.T) {
	t.Helper()
	idle, err := w.commits.Preview(t.Context(), stage, eve)
	must(t, err)
	again, err := w.commits.Preview(t.Context(), stage, eve)
	must(t, err)
	if !idle.Plan.Empty() || idle.Hash != again.Hash {
		t.Fatalf("an unchanged stage has the plan %s\n%s", idle.Hash, idle.Plan)
	}
	for _, app := range idle.Before.Apps {
		if _, ok := w.stage(t, eve, &changeset.ResourceSet{AppName: app.Name, Scale: &app.Resources.Scale}); !ok {
			t.Fatalf("app %s cannot keep its scale", app.Name)
		}
	}
	p, err := w.commits.Preview(t.Context(), stage, eve)
	must(t, err)
	if !p.Plan.Empty() {
		t.Fatalf("commands that change nothing have the plan\n%s", p.Plan)
	}
	w.discard(t, eve)
}

// settled waits until no commit is left to do, and then until the engine, the routes and the ports are what the stage is.
func (w *world) settled(t *testing.T) {
	t.Helper()
	var why string
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(2 * time.Millisecond) {
		if why = w.unsettled(t); why == "" {
			return
		}
	}
	t.Fatal(why)
}

func (w *world) unsettled(t *testing.T) string {
	t.Helper()
	for _, c := range w.commitsInOrder(t) {
		if !c.State.Ended() {
			return fmt.Sprintf("commit %s is %s, in phase %s", c.ID, c.State, c.Phase)
		}
	}
	unfinished, err := w.store.Unfinished(t.Context())
	must(t, err)
	if len(unfinished) > 0 {
		return fmt.Sprintf("commits have steps left: %s", w.left(t, slices.Collect(maps.Keys(unfinished))))
	}
	for _, differs := range []func(*testing.T) string{w.generationsDiffer, w.tasksDiffer, w.portsDiffer} {
		if why := differs(t); why != "" {
			return why
		}
	}
	return ""
}

// left names the steps behind their commit points that commits have left.
func (w *world) left(t *testing.T, ids []string) string {
	t.Helper()
	var all []string
	for _, id := range ids {
		p, _, done, err := w.store.Journal(t.Context(), id)
		must(t, err)
		for i, step := range p.Steps {
			if step.After && !done[i] {
				all = append(all, step.ID+" ("+step.Cause+")")
			}
		}
	}
	return strings.Join(all, ", ")
}

func (w *world) generationsDiffer(t *testing.T) string {
	t.Helper()
	serving, err := w.store.Serving(t.Context(), stage.ID)
	must(t, err)
	known, err := w.store.Generations(t.Context())
	must(t, err)
	observed, err := w.engine.Observe(t.Context())
	must(t, err)
	want, got := map[string]string{}, map[string]string{}
	for app, g := range serving {
		want[app] = g.ID
	}
	for _, g := range observed.Generations {
		if got[g.App] != "" || !g.Kept {
			return fmt.Sprintf("the engine has %+v besides", g)
		}
		got[g.App] = g.ID
	}
	if routes := w.routed(); !maps.Equal(got, want) || !maps.Equal(routes, want) || len(known) != len(want) {
		return fmt.Sprintf("the engine keeps %v, routes lead to %v, the store knows %v, and %v should serve", got, routes, known, want)
	}
	for name, app := range w.spec(t).Apps {
		if (app.ActiveRelease != 0) != (want[name] != "") {
			return fmt.Sprintf("app %s serves %q", name, want[name])
		}
	}
	return ""
}

func (w *world) tasksDiffer(t *testing.T) string {
	t.Helper()
	serving, err := w.store.Serving(t.Context(), stage.ID)
	must(t, err)
	tasks, err := w.engine.List(t.Context(), stage.ID, "")
	must(t, err)
	up := map[string]int{}
	for _, task := range tasks {
		switch task.Status {
		case setops.Running:
			up[task.Generation]++
		case setops.Stopped:
		default:
			return fmt.Sprintf("task %+v", task)
		}
	}
	spec := w.spec(t)
	for name, g := range serving {
		if up[g.ID] != spec.Apps[name].Resources.Scale {
			return fmt.Sprintf("%d tasks of %s run, of %d", up[g.ID], g.ID, spec.Apps[name].Resources.Scale)
		}
		delete(up, g.ID)
	}
	if len(up) > 0 {
		return fmt.Sprintf("tasks run besides: %v", up)
	}
	return ""
}

func (w *world) portsDiffer(t *testing.T) string {
	t.Helper()
	ports, err := w.store.Ports(t.Context(), stage.ID)
	must(t, err)
	for name, app := range w.spec(t).Apps {
		if _, has := ports[name]; has != app.NeedsPort() {
			return fmt.Sprintf("app %s has a port: %v", name, has)
		}
		delete(ports, name)
	}
	if len(ports) > 0 {
		return fmt.Sprintf("ports are left: %v", ports)
	}
	return ""
}
