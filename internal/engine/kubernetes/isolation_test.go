package kubernetes_test

import (
	"context"
	"strings"
	"testing"

	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/engine/kubernetes/cluster/clustertest"
	"github.com/setopsco/setops/internal/setops"
)

// A task calls an app of its stage by the name of the app. A task of another stage is told where that is, and is not let in.
func TestAnAppAnswersByItsNameToItsStageOnly(t *testing.T) {
	beside(t)
	clustertest.Ours(t)
	f := newField(t)
	other := setops.StageRef{ID: randomHex(16), Organization: "demo", Project: "field", Name: "t" + randomHex(4)}
	must(t, f.EnsureStage(t.Context(), other, 0))
	t.Cleanup(func() { must(t, f.RemoveStage(context.Background(), other.ID)) })
	g := f.generation()
	g.Container.Env = append(g.Container.Env, "VERSION=1")
	must(t, f.keep(t, g))
	must(t, f.Engine.(engine.Switch).SetServed(t.Context(), f.stage.ID, []engine.Served{
		{App: g.App, Generation: g.ID, Protocol: setops.HTTP, Port: 80},
	}))
	inside, outside := f.callerOf(t, f.stage), f.callerOf(t, other)

	eventually(t, "the app answers by its name", func() bool { return inside.ask(t.Context(), "web", "env/VERSION") == "200 1" })
	whole := "web." + f.namespace + ".svc.cluster.local"
	if got := inside.ask(t.Context(), whole, "env/VERSION"); got != "200 1" {
		t.Errorf("by its whole name: %s", got)
	}
	got := ""
	eventually(t, "another stage is kept out", func() bool {
		got = outside.ask(t.Context(), whole, "env/VERSION")
		return strings.HasPrefix(got, "502 ")
	})
	if strings.Contains(got, "no such host") {
		t.Errorf("another stage has not tried: %s", got)
	}
	if got := outside.ask(t.Context(), "web", "env/VERSION"); !strings.Contains(got, "lookup web") {
		t.Errorf("another stage by the name alone: %s", got)
	}
	if got := inside.ask(t.Context(), "web", "env/VERSION"); got != "200 1" {
		t.Errorf("then the stage itself: %s", got)
	}
}
