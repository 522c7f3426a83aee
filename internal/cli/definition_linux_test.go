package cli_test

import (
	"path/filepath"
	"strings"
	"testing"
)

func TestADefinitionIsAppliedAfterAYesAndNothingElse(t *testing.T) {
	for typed, applied := range map[string]bool{"yes": true, "YES": true, "y": false, "": false, "no": false} {
		s, x := newSession(t), newTerminal(t)
		if _, err := x.keyboard.WriteString(typed + "\n"); err != nil {
			t.Fatal(err)
		}
		stdout, code := s.runOn(x, "-p", "shop", "-s", "production", "stage:apply", "-f", "setops.yml")
		var did []string
		for _, r := range s.server.sent() {
			method, path, _ := strings.Cut(r.line, " ")
			did = append(did, method+" "+filepath.Base(path))
		}
		want := "POST definition, GET changeset, DELETE changeset"
		if applied {
			want = "POST definition, POST commits, GET events"
		}
		if got := strings.Join(did, ", "); got != want || (code == 0) != applied || strings.Contains(stdout, "successful") != applied {
			t.Errorf("%q: exit code %d, sent %s:\n%s", typed, code, got, stdout)
		}
		if says := "Nothing was applied, and nothing stays staged."; strings.Contains(x.screen(), says) == applied {
			t.Errorf("%q: the screen is\n%s", typed, x.screen())
		}
		if !strings.Contains(stdout, "App old: destroyed\n") {
			t.Errorf("the change is not shown: %s", stdout)
		}
	}
}
