package release

import (
	"strings"
	"testing"
)

func TestVersionsThatAreOneMinorApartWorkTogether(t *testing.T) {
	s := newShell(t, "0.4.3", "SETOPS_PROJECT=versions", "SETOPS_STAGE=near", "SETOPS_APP=web")
	if got, want := s.must("setops version --server"), "CLI Version:      0.4.3\nServer Version:   0.5.0\nAPI Version:      v1\n"; got != want {
		t.Errorf("setops version --server says %q, want %q", got, want)
	}
	s.signIn()
	o := s.run("setops project:create --ignore-exists; setops stage:create; setops app:create web; setops env:set A=b; setops changeset:commit; setops app:info web")
	if o.code != 0 || !strings.Contains(o.stdout, "Commit successful!") || !strings.Contains(o.stdout, "-- A   b") {
		t.Errorf("exit %d\n%s%s", o.code, o.stdout, o.stderr)
	}
	if strings.Contains(o.stderr, "Warning: setops is") {
		t.Errorf("warned of the version: %s", o.stderr)
	}
}

func TestVersionsThatAreFartherApartWarnOnceACommand(t *testing.T) {
	s := newShell(t, "0.3.9", "SETOPS_PROJECT=versions", "SETOPS_STAGE=far", "SETOPS_APP=web")
	s.signIn()
	s.must("setops project:create --ignore-exists; setops stage:create")
	o := s.run("setops app:create web")
	const warning = "Warning: setops is 0.3.9 and the server 0.5.0, more than one minor version apart."
	if o.code != 0 || strings.Count(o.stderr, warning) != 1 || strings.Contains(o.stdout, "Warning") {
		t.Errorf("exit %d\n%s%s", o.code, o.stdout, o.stderr)
	}
}
