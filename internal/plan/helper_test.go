package plan_test

import (
	"fmt"
	"testing"

	"github.com/setopsco/setops/internal/changeset"
	"github.com/setopsco/setops/internal/graph"
	"github.com/setopsco/setops/internal/plan"
	"github.com/setopsco/setops/internal/setops"
)

var key = []byte("a key of fingerprints")

func digest(n int) string { return fmt.Sprintf("sha256:%064x", n) }

// world is a stage with what runs of it. A commit changes both as the server would.
type world struct {
	spec    setops.Spec
	serving map[string]plan.Generation
	running map[string]bool
	network bool
	ports   map[string]bool
	commits int
}

// running gives a committed stage on which the named apps serve their release 1.
func running(t *testing.T, apps ...string) *world {
	t.Helper()
	w := &world{serving: map[string]plan.Generation{}, running: map[string]bool{}, ports: map[string]bool{}}
	var commands []changeset.Command
	for _, name := range apps {
		commands = append(commands, &changeset.AppCreate{AppName: name}, release(name, 1), activate(name, 1))
	}
	if len(commands) > 0 {
		w.commit(t, commands...)
	}
	return w
}

func release(app string, id int) changeset.Command {
	return &changeset.ReleaseCreate{AppName: app, Digest: digest(id), ID: id}
}

func activate(app string, id int) changeset.Command {
	return &changeset.ReleaseActivate{AppName: app, ID: id}
}

// activateAfter activates a release behind a pre-activation task.
func activateAfter(app string, id int, argv ...string) changeset.Command {
	return &changeset.ReleaseActivate{AppName: app, ID: id, Before: argv}
}

func (w *world) input(after setops.Spec, commit bool) plan.Input {
	return plan.Input{
		Before: w.spec, After: after, Serving: w.serving, Running: w.running, Network: w.network, Ports: w.ports, Commit: commit, Key: key,
		NewID:     func(app string) string { return fmt.Sprintf("%s-%d", app, w.commits+1) },
		NewTaskID: func(app string) string { return fmt.Sprintf("task-%s-%d", app, w.commits+1) },
	}
}

// gated is input with the pre-activation tasks of commands.
func (w *world) gated(after setops.Spec, commands []changeset.Command) plan.Input {
	in := w.input(after, true)
	in.Gates = changeset.Gates(after, commands)
	return in
}

// plan gives the plan of a commit without running it.
func (w *world) plan(t *testing.T, commands ...changeset.Command) (plan.Plan, setops.Spec) {
	t.Helper()
	after, problems := changeset.Fold(w.spec, commands)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	p := plan.Make(w.gated(after, commands))
	if err := graph.Check(plan.Nodes(p.Steps)); err != nil {
		t.Fatalf("%v in the plan\n%s", err, p)
	}
	return p, after
}

// commit runs a plan as the server, its store and its engine together do.
func (w *world) commit(t *testing.T, commands ...changeset.Command) plan.Plan {
	t.Helper()
	p, after := w.plan(t, commands...)
	w.commits++
	w.apply(p, after)
	return p
}

func (w *world) apply(p plan.Plan, after setops.Spec) {
	for _, s := range p.Steps {
		switch s.Kind {
		case plan.MakeNetwork:
			w.network = true
		case plan.StartGeneration:
			w.running[s.Generation] = true
			w.serving[s.App] = plan.Generation{ID: s.Generation, App: s.App, Fingerprint: plan.Fingerprint(key, after.Apps[s.App])}
		case plan.OpenPort:
			w.ports[s.App] = true
		case plan.ClosePort:
			delete(w.ports, s.App)
		case plan.RemoveGeneration:
			delete(w.running, s.Generation)
			if w.serving[s.App].ID == s.Generation {
				delete(w.serving, s.App)
			}
		}
	}
	w.spec = after.Clone()
	for _, a := range w.spec.Apps {
		a.Committed = true
	}
}
