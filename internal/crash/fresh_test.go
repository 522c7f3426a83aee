//go:build linux

package crash

import (
	"slices"
	"strings"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"

	"github.com/setopsco/setops/internal/plan"
	"github.com/setopsco/setops/pkg/api"
	"github.com/setopsco/setops/pkg/client"
)

// first is the app of a stage that has no network yet.
var first = client.AppRef{App: "first", StageRef: client.StageRef{ProjectRef: stageRef.ProjectRef, Stage: "fresh"}}

// walkFresh has the server break while the network of a stage is made, each time that of another one.
func (m *matrix) walkFresh() {
	m.t.Helper()
	for _, faults := range m.chosen([]api.PlanStep{{ID: string(plan.MakeNetwork), Kind: string(plan.MakeNetwork)}}) {
		began := time.Now()
		m.endureFresh(faults...)
		m.t.Logf("a fresh stage, %q; %s", faults, time.Since(began).Round(time.Millisecond))
	}
}

// endureFresh is endure for the first commit of a stage that starts tasks. At last the stage is destroyed with all that it has.
func (m *matrix) endureFresh(faults ...string) {
	m.t.Helper()
	ctx, ref := m.t.Context(), first.StageRef
	_, err := m.client.CreateStage(ctx, ref)
	must(m.t, err)
	m.stageOn(ref, api.AppCreate{Name: first.App}, api.NetworkSet{Name: first.App, Public: new(true)})
	m.meet(ref)
	m.stageOn(
		ref, api.ReleaseCreate{Name: first.App, Digest: m.pushImage(first, otherImage(m.t))},
		api.ReleaseActivate{Name: first.App, ReleaseID: 1}, api.EnvSet{Name: first.App, Key: "VERSION", Value: "1"},
	)
	p, err := m.client.Plan(ctx, ref)
	must(m.t, err)
	if !slices.ContainsFunc(p.Steps, func(s api.PlanStep) bool { return s.Kind == string(plan.MakeNetwork) }) {
		m.t.Fatalf("no network is made: %+v", p.Steps)
	}
	m.meet(ref, faults...)
	if m.newest(ref).State == "failed" {
		m.meet(ref)
	}
	door := strings.Replace(m.hostOf(first.App), ".prod.", ".fresh.", 1) + "/env/VERSION"
	m.await("the app of the fresh stage serves", func() error { return m.opens(door, 1) })
	must(m.t, m.client.DestroyStage(ctx, ref))
	m.isWhole(m.here)
}

func (m *matrix) stageOn(ref client.StageRef, commands ...api.Arguments) {
	m.t.Helper()
	_, err := m.client.StageCommands(m.t.Context(), ref, commands...)
	must(m.t, err)
}

// otherImage is of nobody else: one that others run stays when a stage is destroyed.
func otherImage(t *testing.T) v1.Image {
	t.Helper()
	image, err := appImage()
	must(t, err)
	config, err := image.ConfigFile()
	must(t, err)
	config = config.DeepCopy()
	config.Config.Env = []string{"STAGE=fresh"}
	image, err = mutate.ConfigFile(image, config)
	must(t, err)
	return image
}
