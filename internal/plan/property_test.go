package plan_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/setopsco/setops/internal/changeset"
	"github.com/setopsco/setops/internal/plan"
	"github.com/setopsco/setops/internal/setops"
)

// randomCommand makes commands for three apps; those that do not apply are left out by whoever folds.
func randomCommand(r *rand.Rand, nextRelease func() int) changeset.Command {
	app := []string{"web", "worker", "new"}[r.IntN(3)]
	switch r.IntN(11) {
	case 0:
		return &changeset.AppCreate{AppName: app}
	case 1:
		return &changeset.AppDestroy{AppName: app}
	case 2:
		return &changeset.ResourceSet{AppName: app, Scale: new(r.IntN(5))}
	case 3:
		return &changeset.ResourceSet{AppName: app, Memory: new(128 * (1 + r.IntN(3)))}
	case 4:
		return &changeset.NetworkSet{AppName: app, Public: new(r.IntN(2) == 0)}
	case 5:
		return &changeset.EnvSet{AppName: app, Key: "A", Value: setops.Sealed(fmt.Sprint("s1:", r.IntN(3)))}
	case 6:
		return &changeset.ContainerSet{AppName: app, HealthCheck: &changeset.HealthCheck{Command: []string{"true"}, Retries: new(1 + r.IntN(3))}}
	case 7:
		return &changeset.NetworkSet{AppName: app, Protocol: new([]setops.Protocol{setops.HTTP, setops.TCP}[r.IntN(2)])}
	case 8, 9:
		return release(app, nextRelease())
	}
	if r.IntN(3) == 0 {
		return activateAfter(app, 1+r.IntN(nextRelease()), "migrate")
	}
	return activate(app, 1+r.IntN(nextRelease()))
}

// randomChange gives commands and the spec that they lead to.
func randomChange(r *rand.Rand, before setops.Spec, nextRelease func() int) (setops.Spec, []changeset.Command) {
	var commands []changeset.Command
	for range 1 + r.IntN(8) {
		commands = append(commands, randomCommand(r, nextRelease))
	}
	after, _ := changeset.Fold(before, commands)
	return after, commands
}

// TestWhateverIsCommittedIsThere runs random commits one after the other. After each of them nothing is left to do, what
// serves is what should, and before its switch nothing that serves was touched.
func TestWhateverIsCommittedIsThere(t *testing.T) {
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 2))
		w := running(t, "web", "worker")
		last := 1
		nextRelease := func() int { last++; return last }
		for range 8 {
			if r.IntN(4) == 0 {
				w.running, w.network = map[string]bool{}, r.IntN(2) == 0 // a reboot
			}
			after, commands := randomChange(r, w.spec, nextRelease)
			p := plan.Make(w.gated(after, commands))
			if again := plan.Make(w.gated(after, commands)); again.String() != p.String() {
				t.Fatalf("seed %d: once\n%s\nthen\n%s", seed, p, again)
			}
			checkBefore(t, w, p)
			checkGates(t, p, changeset.Gates(after, commands))
			w.commits++
			w.apply(p, after)
			checkServing(t, w)
			if p := plan.Make(w.input(w.spec, false)); !p.Empty() {
				t.Errorf("there is still to do\n%s", p)
			}
			if t.Failed() {
				t.Fatalf("seed %d, the plan was\n%s", seed, p)
			}
		}
	}
}

// checkBefore wants that nothing before the commit point takes away from what serves, and that every new generation is
// awaited.
func checkBefore(t *testing.T, w *world, p plan.Plan) {
	t.Helper()
	awaited := map[string]bool{}
	for _, s := range p.Before() {
		switch s.Kind {
		case plan.AwaitGeneration:
			awaited[s.Generation] = true
		case plan.RemoveGeneration, plan.ClosePort, plan.RemoveLogs, plan.AdjustGeneration:
			t.Errorf("%s runs before the commit point", s.ID)
		}
	}
	for _, s := range p.Before() {
		if s.Kind != plan.StartGeneration {
			continue
		}
		if !awaited[s.Generation] {
			t.Errorf("nobody waits for %s", s.ID)
		}
		if s.Restores != (w.serving[s.App].ID == s.Generation) {
			t.Errorf("%s restores: %v", s.ID, s.Restores)
		}
	}
	if p.Empty() {
		return
	}
	if last := p.Before()[len(p.Before())-1]; last.Kind != plan.Switch {
		t.Errorf("the last step before the commit point is %s", last.ID)
	}
}

// checkGates wants that every pre-activation task is run once, and that the switch and all that starts, grows or is asked by
// the commit comes behind all of them.
func checkGates(t *testing.T, p plan.Plan, gates map[string][]string) {
	t.Helper()
	var tasks []string
	for _, s := range p.Steps {
		if s.Kind == plan.RunTask {
			tasks = append(tasks, s.ID)
			if !slices.Equal(s.Argv, gates[s.App]) || s.After || s.Task == "" || !slices.Contains(s.Needs, "prepare image of "+s.App) {
				t.Errorf("%+v is the task of gate %v", s, gates[s.App])
			}
		}
	}
	if len(tasks) != len(gates) {
		t.Errorf("the tasks %v are those of %v", tasks, gates)
	}
	for _, s := range p.Before() {
		held := s.Kind == plan.StartGeneration && !s.Restores || s.Kind == plan.ScaleGeneration || s.Kind == plan.ProveGeneration || s.Kind == plan.Switch
		for _, task := range tasks {
			if slices.Contains(s.Needs, task) != held {
				t.Errorf("%s needs %v, not as it should %s", s.ID, s.Needs, task)
			}
		}
	}
}

func checkServing(t *testing.T, w *world) {
	t.Helper()
	for name, app := range w.spec.Apps {
		g, serves := w.serving[name]
		if serves != (app.ActiveRelease > 0) {
			t.Errorf("app %s serves: %v", name, serves)
		}
		if serves && (!w.running[g.ID] || g.Fingerprint != plan.Fingerprint(key, app)) {
			t.Errorf("app %s is served by %s, which runs: %v", name, g.ID, w.running[g.ID])
		}
	}
	for name, app := range w.spec.Apps {
		if w.ports[name] != app.NeedsPort() {
			t.Errorf("app %s has a port: %v", name, w.ports[name])
		}
	}
	if len(w.running) != len(w.serving) {
		t.Errorf("%d generations run, %d serve", len(w.running), len(w.serving))
	}
}
