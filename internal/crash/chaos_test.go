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
	"testing"

	"github.com/setopsco/setops/internal/plan"
	"github.com/setopsco/setops/pkg/api"
)

// everything reports whether all faults are met, as `make chaos` has it; else it is a sample.
func everything() bool { return os.Getenv("SETOPS_CHAOS") == "all" }

// stride is how many moments of an order a test goes on at once.
func stride(sample int) int {
	if everything() {
		return 1
	}
	return sample
}

func TestAStageIsBeforeOrBehindACommitWhereverTheServerBreaks(t *testing.T) {
	onEachEngine(t, func(t *testing.T, engine string) {
		m := newMatrix(t, engine)
		m.prepare()
		p, err := m.client.Plan(t.Context(), stageRef)
		must(t, err)
		hasEveryKind(t, p)
		if engine != "kubernetes" && len(p.Steps) < leastSteps {
			t.Errorf("the plan has %d steps", len(p.Steps))
		}
		m.walk()
		m.walkFresh()
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

// hasEveryKind looks whether no kind of step was forgotten. Only a stage without a network is given one: see fresh_test.go.
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
}

// declaredKinds reads the constants of plan.Kind.
func declaredKinds(t *testing.T) (kinds []string) {
	t.Helper()
	tree, err := parser.ParseFile(token.NewFileSet(), "../plan/plan.go", nil, parser.SkipObjectResolution)
	must(t, err)
	for n := range ast.Preorder(tree) {
		spec, is := n.(*ast.ValueSpec)
		if !is {
			continue
		}
		if named, is := spec.Type.(*ast.Ident); is && named.Name == "Kind" {
			kind, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
			must(t, err)
			kinds = append(kinds, kind)
		}
	}
	if !slices.Contains(kinds, string(plan.Switch)) {
		t.Fatalf("the kinds of steps are not found: %q", kinds)
	}
	return kinds
}
