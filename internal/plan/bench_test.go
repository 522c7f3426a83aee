package plan_test

import (
	"fmt"
	"testing"

	"github.com/setopsco/setops/internal/changeset"
	"github.com/setopsco/setops/internal/plan"
	"github.com/setopsco/setops/internal/setops"
)

// bigStage has n apps as real ones are: variables, releases, a health check, tasks that serve.
func bigStage(n int) *world {
	w := &world{spec: setops.Spec{Apps: map[string]*setops.App{}}, serving: map[string]plan.Generation{}, running: map[string]bool{}, network: true}
	for i := range n {
		a := setops.NewApp(fmt.Sprintf("app-%d", i))
		a.Committed, a.ActiveRelease = true, 10
		a.Container.HealthCheck = &setops.HealthCheck{Command: []string{"curl", "-f", "localhost"}, Interval: 10, Timeout: 10, Retries: 5}
		a.Env = map[string]setops.EnvVar{}
		for k := range 20 {
			a.Env[fmt.Sprintf("VARIABLE_%d", k)] = setops.EnvVar{Value: setops.Sealed(fmt.Sprintf("s1:%0100d", k))}
		}
		for k := range 10 {
			a.Releases = append(a.Releases, setops.Release{ID: k + 1, Digest: digest(k)})
		}
		g := plan.Generation{ID: a.Name + "-1", App: a.Name, Fingerprint: plan.Fingerprint(key, a)}
		w.spec.Apps[a.Name], w.serving[a.Name], w.running[g.ID] = a, g, true
	}
	return w
}

// BenchmarkFoldAndPlan1000 is the goal of "folding and planning 1,000 commands on a stage of 1,000 apps: at most 50 ms".
func BenchmarkFoldAndPlan1000(b *testing.B) {
	spread := make([]changeset.Command, 0, 1000)
	oneApp := make([]changeset.Command, 0, 1000)
	for i := range 500 {
		app := fmt.Sprintf("app-%d", 2*i)
		spread = append(spread, release(app, 11), activate(app, 11))
		oneApp = append(oneApp, &changeset.EnvSet{AppName: "app-7", Key: fmt.Sprintf("NEW_%d", i), Value: "s1:x"}, release("app-7", 11+i))
	}
	w := bigStage(1000)
	for name, commands := range map[string][]changeset.Command{"spread": spread, "one app": oneApp} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				after, problems := changeset.Fold(w.spec, commands)
				if len(problems) > 0 {
					b.Fatal(problems[0])
				}
				if p := plan.Make(w.input(after, true)); p.Empty() {
					b.Fatal("nothing to do")
				}
			}
		})
	}
}
