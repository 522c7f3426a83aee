package archtest

import (
	"os"
	"strings"
	"testing"
)

// A rule finds what breaks it and says what to do then.
type rule struct {
	name string // "A package …" makes it a sentence
	find func([]unit) []string
	todo string
}

// page is where all rules are written, each in a line or a sentence.
const page = `docs/architecture.md, "Packages"`

var rules = []rule{
	{
		"imports only packages of rows above its own", importsOnlyFromAbove,
		"let the package declare the interface it needs and have the daemon give it one; a new package or a new arrow gets its " +
			"row in layers_test.go, with a reason in docs/adr where the page says otherwise",
	},
	{
		"draws no banned arrow", drawsNoBannedArrow,
		"move what is needed to a package that both may import; bans_test.go has the reasons",
	},
	{
		"in pkg/api imports only the standard library", importsOnlyTheStandardLibrary,
		"write the type out: other modules build on pkg/api",
	},
	{
		"in the pure core computes values from values", computesValuesFromValues,
		"take time, randomness and what was read as arguments; do input and output in a use case",
	},
	{
		"imports a third-party module only at its home", importsModulesAtHome,
		"ask the package that is its home; a new module gets its line in homes_test.go",
	},
	{
		"in cmd is a few lines", keepsProgramsShort,
		"move them to internal/cli, internal/daemon or the shim, where tests reach them",
	},
	{
		"does nothing by init", doesNothingByInit,
		"make a function and call it from where its effect is needed",
	},
	{
		"hides nothing in a context", hidesNothingInContexts,
		"pass it as an argument or keep it in the struct that uses it",
	},
	{
		"is named by what it does", namesPackagesByWhatTheyDo,
		"name it by a noun of docs/nomenclature.md or a verb, and give away what does not fit",
	},
	{
		"leaves nothing unfinished", leavesNothingUnfinished,
		"do it, or file an issue and say in the comment how it is today",
	},
	{
		"has one package comment", hasOnePackageComment,
		"say what the package is, what it is not and where to start, in one file",
	},
	{
		"has tests", hasTests,
		"write them; where another package's tests are of it, say so in tested_test.go",
	},
	{
		"keeps no stale entry in a table of these rules", hasNoStaleEntry,
		"delete the entry: what it allowed is not there any more",
	},
}

func TestThePackagesKeepTheRules(t *testing.T) {
	units, err := load(os.DirFS("../.."))
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rules {
		t.Run("a package "+r.name, func(t *testing.T) {
			if found := r.find(units); len(found) > 0 {
				t.Errorf("%s\nrule: a package %s (%s)\nwhat to do: %s", strings.Join(found, "\n"), r.name, page, r.todo)
			}
		})
	}
}
