package root

import (
	"io"
	"slices"
	"strings"
	"testing"
)

func TestLinesThatMeanTheSameAreArrangedTheSame(t *testing.T) {
	root := tree(io.Discard)
	for _, test := range []struct{ typed, arranged string }{
		{"app:create web", "app:create web"},
		{"-p shop -s production app:create web", "app:create -p shop -s production web"},
		{"app create web -p shop", "app:create web -p shop"},
		{"app list", "app"},
		{"--stage staging app list", "app --stage staging"},
		{"--stage staging app log show web --task dd22", "log --app web --stage staging --task dd22"},
		{"--force project:destroy shop", "project:destroy --force shop"},
		{"--force stage destroy x -p shop", "stage:destroy --force x -p shop"},
		{"--detach -o json task run -- app list", "task:run --detach -o json -- app list"},
		{"-fn 10 log --app web", "log -fn 10 --app web"},
		{"-n10 log", "log -n10"},
		{"--limit=3 --app log log", "log --limit=3 --app log"},
		{"--interval 10 container set health-check -- curl x", "container:set --interval 10 health-check -- curl x"},
		{"release:activate 3 --before -- log list", "release:activate 3 --before -- log list"},
		{"--before release:activate 3 -- rake --all", "release:activate --before 3 -- rake --all"},
		{"--before release activate 3 -p shop -- rake", "release:activate --before 3 -p shop -- rake"},
		{"release --before activate 3 -- rake", "release:activate --before 3 -- rake"},
		{"release activate --before 3 -- rake", "release:activate --before 3 -- rake"},
		{"--before 2026 log", "log --before 2026"},
		{"--before log log", "log --before log"},
		{"app --before=2026 log show web", "log --app web --before=2026"},
		{"docker list", "docker list"},
		{"help release create", "help release:create"},
		{"help", "help"},
		{"login info", "login:info"},
		{"nonsense --force", "nonsense --force"},
		{"-- app list", "-- app list"},
		{"__complete -p x app li", "__complete app -p x li"},
		{"__complete --force project:destroy sh", "__complete project:destroy --force sh"},
		{"__complete --force --release 3 -p shop --app=web project:destr", "__complete -p shop --app=web project:destr"},
		{"__complete -p sh", "__complete -p sh"},
		{"__complete app", "__complete app"},
		{"__complete", "__complete"},
		{"", ""},
	} {
		got := arrange(root, strings.Fields(test.typed))
		if want := strings.Fields(test.arranged); !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", test.typed, got, want)
		}
	}
}

// Arranging must neither lose nor invent what a user typed, whatever it is.
func FuzzArrangeKeepsEveryArgument(f *testing.F) {
	root := tree(io.Discard)
	f.Add("-p shop app list -- x")
	f.Add("app log show web")
	f.Add("- -- help help")
	f.Fuzz(func(t *testing.T, line string) {
		typed := strings.Fields(line)
		got := arrange(root, slices.Clone(typed))
		words := strings.Fields(strings.ReplaceAll(strings.Join(got, " "), ":", " "))
		for _, w := range strings.Fields(strings.ReplaceAll(line, ":", " ")) {
			if !slices.Contains(words, w) && !slices.Contains([]string{"list", "app", "show"}, w) {
				t.Errorf("%q lost %q: %q", typed, w, got)
			}
		}
	})
}
