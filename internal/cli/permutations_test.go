package cli_test

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// A wish is what somebody wants of setops, apart from how they spell it.
type wish struct {
	command string   // as in "app:info"
	args    []string // in this order
	flags   [][]string
	rest    []string // behind --
}

var (
	project = []string{"-p shop", "-p=shop", "-pshop", "--project shop", "--project=shop"}
	stage   = []string{"-s production", "-s=production", "-sproduction", "--stage production", "--stage=production"}
	app     = []string{"--app web", "--app=web"}
)

// wishes have flags that could be read as something else: names of commands as values, flags that have a value with one command
// and none with another.
var wishes = []wish{
	{"app:info", []string{"web"}, [][]string{project, stage, {"-o json", "-ojson", "--output=json"}, {"-q", "--quiet"}}, nil},
	{"app", nil, [][]string{project, stage, {"--app log"}}, nil},
	{"stage", nil, [][]string{project, {"--stage app"}}, nil},
	{"project:destroy", []string{"shop"}, [][]string{{"--force", "--force=true"}, {"-q"}}, nil},
	{"stage:create", []string{"production"}, [][]string{project, {"--ignore-exist", "--ignore-exists"}}, nil},
	{"resource:set", []string{"resources"}, [][]string{project, stage, app, {"--cpu 256", "--cpu=256"}, {"--memory 512"}}, nil},
	{"env:set", []string{"A=-1", "B=app"}, [][]string{project, stage, app, {"--description list"}}, nil},
	{
		"task:run", nil,
		[][]string{project, stage, app, {"--detach", "--detached"}, {"--release 3", "--release=3"}, {"--entrypoint sh,-c"}},
		[]string{"echo", "--force", "-p", "other"},
	},
	{"release:activate", []string{"3"}, [][]string{project, stage, app, {"--before"}}, []string{"log", "list"}},
	{"log", nil, [][]string{project, stage, app, {"-n 5", "-n5", "--limit=5"}, {"--no-source"}, {"--before 2026"}}, nil},
	{"changeset:commit", nil, [][]string{project, stage, {"-m release", "--message=release"}, {"--detach"}, {"--ignore-not-exists"}}, nil},
	{"changeset:discard", nil, [][]string{project, stage, {"--ignore-not-exist"}}, nil},
}

// TestFlagsMayStandAnywhereAndBeSpelledInAnyWay says the same wish in many ways, which must all send the same.
func TestFlagsMayStandAnywhereAndBeSpelledInAnyWay(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	s := newSession(t)
	for _, w := range wishes {
		want := s.requestsOf("setops " + w.spelled(func(int) int { return 0 }))
		if want == "" {
			t.Errorf("%s sends nothing", w.command)
		}
		for range 25 {
			line := w.spelled(random.IntN)
			if got := s.requestsOf("setops " + line); got != want {
				t.Errorf("%s sends\n%s, want\n%s", line, got, want)
			}
		}
	}
}

// spelled chooses a spelling of each flag and a place for it, and writes the command with a colon or a blank.
func (w wish) spelled(choose func(int) int) string {
	words := []string{w.command}
	if noun, verb, found := strings.Cut(w.command, ":"); found && choose(2) == 1 {
		words = []string{noun, verb}
	} else if !found && w.command != "log" && choose(2) == 1 {
		words = []string{w.command, "list"}
	}
	words = append(words, w.args...)
	for _, spellings := range w.flags {
		at := len(words) - choose(len(words)+1)
		words = slices.Insert(words, at, spellings[choose(len(spellings))])
	}
	if w.rest != nil {
		words = append(append(words, "--"), w.rest...)
	}
	return strings.Join(words, " ")
}
