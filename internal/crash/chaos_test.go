//go:build linux

package crash

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/setopsco/setops/internal/plan"
	"github.com/setopsco/setops/pkg/api"
)

// everything reports whether all faults are met, as `make chaos` has it; else it is a sample.
func everything() bool { return os.Getenv("SETOPS_CHAOS") == "all" }

func TestAStageIsBeforeOrBehindACommitWhereverTheServerBreaks(t *testing.T) {
	onEachEngine(t, func(t *testing.T, engine string) {
		m := newMatrix(t, engine)
		m.prepare()
		p, err := m.client.Plan(t.Context(), stageRef)
		must(t, err)
		hasEveryKind(t, p)
		m.walk()
		for _, faults := range m.chosen([]api.PlanStep{{ID: string(plan.MakeNetwork), Kind: string(plan.MakeNetwork)}}) {
			m.endureFresh(faults...)
		}
		m.destroy()
	})
}

func TestTheServerThatIsBuiltForPeopleHasNoFaults(t *testing.T) {
	t.Parallel()
	needEmbedded(t)
	ours, err := breakable()
	must(t, err)
	theirs, err := programs()
	must(t, err)
	for program, want := range map[string]bool{ours: true, theirs: false} {
		text, err := os.ReadFile(program)
		must(t, err)
		if has := bytes.Contains(text, []byte("SETOPSD_CHAOS")); has != want {
			t.Errorf("%s can be armed: %t", program, has)
		}
	}
}

// leastSteps is how many steps the plan has that the matrix is made of.
const leastSteps = 28

// hasEveryKind looks whether no kind of step was forgotten. Only a stage without a network is given one: see endureFresh.
func hasEveryKind(t *testing.T, p api.Plan) {
	t.Helper()
	kinds := map[string]bool{string(plan.MakeNetwork): true}
	for _, s := range p.Steps {
		kinds[s.Kind] = true
	}
	for _, kind := range declaredKinds(t) {
		if !kinds[kind] {
			t.Errorf("no step is of the kind %q", kind)
		}
	}
	if len(p.Steps) < leastSteps {
		t.Errorf("the plan has %d steps", len(p.Steps))
	}
}

// declaredKinds reads the constants of plan.Kind.
func declaredKinds(t *testing.T) (kinds []string) {
	t.Helper()
	tree, err := parser.ParseFile(token.NewFileSet(), "../plan/plan.go", nil, parser.SkipObjectResolution)
	must(t, err)
	ast.Inspect(tree, func(n ast.Node) bool {
		spec, is := n.(*ast.ValueSpec)
		if kind, named := typeOf(spec, is); !named || kind != "Kind" {
			return true
		}
		kind, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
		must(t, err)
		kinds = append(kinds, kind)
		return true
	})
	if !slices.Contains(kinds, string(plan.Switch)) {
		t.Fatalf("the kinds of steps are not found: %q", kinds)
	}
	return kinds
}

func typeOf(spec *ast.ValueSpec, is bool) (name string, named bool) {
	if !is {
		return "", false
	}
	ident, named := spec.Type.(*ast.Ident)
	if !named {
		return "", false
	}
	return ident.Name, true
}

// endureFresh is endure for the first commit of a stage that starts tasks: it makes the network.
func (m *matrix) endureFresh(faults ...string) {
	m.t.Helper()
	ctx, ref := m.t.Context(), stageRef
	ref.Stage = "fresh"
	_, err := m.client.CreateStage(ctx, ref)
	must(m.t, err)
	first := appRef("first")
	first.StageRef = ref
	_, err = m.client.StageCommands(ctx, ref, api.AppCreate{Name: first.App}, api.NetworkSet{Name: first.App, Public: new(true)})
	must(m.t, err)
	m.meet(ref)
	_, err = m.client.StageCommands(ctx, ref, api.ReleaseCreate{Name: first.App, Digest: m.push(first)},
		api.ReleaseActivate{Name: first.App, ReleaseID: 1}, api.EnvSet{Name: first.App, Key: "VERSION", Value: "1"})
	must(m.t, err)
	m.meet(ref, faults...)
	if m.newest(ref).State == "failed" {
		m.meet(ref)
	}
	door := strings.Replace(m.hostOf(first.App), ".prod.", ".fresh.", 1) + "/env/VERSION"
	m.await("the app of the fresh stage serves", func() error { return m.opens(door, 1) })
	must(m.t, m.client.DestroyStage(ctx, ref))
	m.isWhole(m.here)
}
