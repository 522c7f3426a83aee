package archtest

import (
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

// An example is one source that breaks a rule, what the rule says of it, and the same source mended.
type example struct {
	rule, file, broken, says, mended string
}

var examples = []example{
	{
		"imports only packages of rows above its own", "internal/plan/plan.go",
		`package plan; import _ "example.org/m/internal/store"`,
		"internal/plan imports internal/store, whose row is below its own",
		`package plan; import _ "example.org/m/internal/setops"`,
	},
	{
		"imports only packages of rows above its own", "internal/auth/auth.go",
		`package auth; import _ "example.org/m/internal/router"`,
		"internal/auth imports internal/router, which its row does not grant",
		`package auth; import _ "example.org/m/internal/setops"`,
	},
	{
		"imports only packages of rows above its own", "internal/cellar/cellar.go",
		`package cellar`, "internal/cellar has no row",
		``,
	},
	{
		"draws no banned arrow", "internal/cli/cli_test.go",
		`package cli_test; import _ "example.org/m/internal/daemon"`, "internal/cli imports internal/daemon",
		`package cli_test; import _ "example.org/m/pkg/api"`,
	},
	{
		"draws no banned arrow", "internal/httpapi/app.go",
		`package httpapi; import _ "example.org/m/internal/engine/host"`, "internal/httpapi imports internal/engine/host",
		`package httpapi; import _ "example.org/m/internal/engine"`,
	},
	{
		"draws no banned arrow", "internal/engine/embedded/image/image.go",
		`package image; import _ "example.org/m/internal/engine/fake"`,
		"internal/engine/embedded/image imports internal/engine/fake",
		`package image; import _ "example.org/m/internal/engine/host"`,
	},
	{
		"in pkg/api imports only the standard library", "pkg/api/app.go",
		`package api; import _ "github.com/google/uuid"`, "pkg/api imports github.com/google/uuid",
		`package api; import _ "encoding/json"`,
	},
	{
		"in the pure core computes values from values", "internal/changeset/fold.go",
		"package changeset; import clock \"time\"; var start = clock.Now()", "internal/changeset/fold.go uses time.Now",
		"package changeset; import clock \"time\"; var start clock.Time",
	},
	{
		"in the pure core computes values from values", "internal/setops/id.go",
		`package setops; import _ "math/rand/v2"`, "internal/setops/id.go imports math/rand/v2",
		`package setops; import _ "strings"`,
	},
	{
		"imports a third-party module only at its home", "internal/app/app.go",
		`package app; import _ "modernc.org/sqlite/lib"`,
		"internal/app imports modernc.org/sqlite/lib, which lives in internal/store",
		`package app; import _ "slices"`,
	},
	{
		"imports a third-party module only at its home", "internal/store/store.go",
		`package store; import _ "gorm.io/gorm"`, "internal/store imports gorm.io/gorm, which has no home",
		`package store; import _ "modernc.org/sqlite"`,
	},
	{
		"in cmd is a few lines", "cmd/setops/main.go",
		"package main\n" + strings.Repeat("var _ = 1\n", mainLines), "cmd/setops has 31 lines of code",
		"package main\n" + strings.Repeat("// why\n\n", 2*mainLines),
	},
	{
		"does nothing by init", "internal/store/drivers.go",
		"package store; func init() {}", "internal/store/drivers.go has an init function",
		"package store; type driver int; func (driver) init() {}",
	},
	{
		"does nothing by init", "cmd/setops-shim/main.go",
		"package main; func init() {}", "cmd/setops-shim/main.go has an init function",
		`package main; import "runtime"; func init() { runtime.LockOSThread() }`,
	},
	{
		"hides nothing in a context", "internal/commit/commit.go",
		`package commit; import "context"; var _ = context.WithValue(nil, 1, 2)`,
		"internal/commit puts values into a context",
		`package commit; import "context"; var _ = context.WithoutCancel(nil)`,
	},
	{
		"is named by what it does", "internal/engine/utils/utils.go",
		`package utils`, "internal/engine/utils is named like a drawer",
		``,
	},
	{
		"leaves nothing unfinished", "internal/router/table.go",
		"package router\n\n// TO" + "DO: balance", "internal/router/table.go:3: TO" + "DO",
		"package router\n\n// table balances",
	},
	{
		"has one package comment", "internal/seal/seal.go",
		"package seal", "internal/seal has 0 package comments",
		"// Package seal closes values.\npackage seal",
	},
	{
		"has tests", "internal/plan/plan.go",
		"package plan; func Make() {}", "internal/plan has no tests",
		"package plan; type Step struct{}",
	},
	{
		"keeps no stale entry in a table of these rules", "internal/plan/make.go",
		"", "layers: there is no internal/plan",
		"package plan",
	},
	{
		"keeps no stale entry in a table of these rules", "internal/store/open.go",
		"package store", "homes: nobody imports modernc.org/sqlite",
		`package store; import _ "modernc.org/sqlite"`,
	},
	{
		"keeps no stale entry in a table of these rules", "pkg/api/app.go",
		"package api", "testedElsewhere: there is no pkg/api without tests",
		"package api; func Path() {}",
	},
	{
		"keeps no stale entry in a table of these rules", "cmd/setops-shim/main.go",
		"package main", "threadLock: there is no init",
		`package main; import "runtime"; func init() { runtime.LockOSThread() }`,
	},
}

func TestARuleSeesWhatBreaksItAndNothingWhenThatIsMended(t *testing.T) {
	for _, e := range examples {
		find := findOf(t, e.rule)
		if got := find(house(t, e.file, e.broken)); !says(got, e.says) {
			t.Errorf("a package %s: %q, want %q", e.rule, got, e.says)
		}
		if got := find(house(t, e.file, e.mended)); says(got, e.says) {
			t.Errorf("a package %s, mended: %q", e.rule, got)
		}
	}
}

func TestEveryRuleHasAnExampleThatBreaksIt(t *testing.T) {
	for _, r := range rules {
		if !slices.ContainsFunc(examples, func(e example) bool { return e.rule == r.name }) {
			t.Errorf("no example breaks the rule: a package %s", r.name)
		}
	}
}

func TestTheWholeModuleIsRead(t *testing.T) {
	units, err := load(os.DirFS("../.."))
	if err != nil {
		t.Fatal(err)
	}
	// One of each kind: a program, a file for other systems, a package of tests only.
	for _, want := range []string{"cmd/setopsd/main.go", "internal/engine/embedded/other.go", "internal/e2e/main_test.go"} {
		if !anyUnit(units, func(u unit) bool {
			return slices.ContainsFunc(u.files, func(f file) bool { return f.path == want })
		}) {
			t.Errorf("%s was not read", want)
		}
	}
}

func TestThePageOfTheRulesIsThere(t *testing.T) {
	text, err := os.ReadFile("../../docs/architecture.md")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), "\n## Packages\n") {
		t.Errorf("%s is what the rules refer to, and is not there", page)
	}
}

// house is a module with one source.
func house(t *testing.T, name, source string) []unit {
	t.Helper()
	fsys := fstest.MapFS{"go.mod": {Data: []byte("module example.org/m\n")}}
	if source != "" {
		fsys[name] = &fstest.MapFile{Data: []byte(source)}
	}
	units, err := load(fsys)
	if err != nil {
		t.Fatal(err)
	}
	return units
}

func findOf(t *testing.T, name string) func([]unit) []string {
	t.Helper()
	i := slices.IndexFunc(rules, func(r rule) bool { return r.name == name })
	if i < 0 {
		t.Fatalf("there is no rule: a package %s", name)
	}
	return rules[i].find
}

func says(found []string, want string) bool {
	return slices.ContainsFunc(found, func(f string) bool { return strings.HasPrefix(f, want) })
}
