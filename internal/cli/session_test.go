package cli_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// signedOut is a session without token, whose credentials lie on standard input.
func signedOut(t *testing.T) (*session, string) {
	t.Helper()
	s := newSession(t)
	s.environ = []string{s.environ[0]}
	s.stdin = "demo\nada@example.com\ncorrect horse \n"
	return s, filepath.Join(s.home(), ".setops.yml")
}

func TestLoginStoresAPrivateSessionAndKeepsTheRestOfTheFile(t *testing.T) {
	s, path := signedOut(t)
	write(t, path, "# mine\nproject: shop # always\nColour: blue\ntoken: old\n")
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	r := s.run("login", "--service-user", "--no-setup", "--url", s.server.URL+"/")
	r.want(t, 0)
	if strings.Contains(r.stdout+r.stderr, token) {
		t.Errorf("the token is shown: %s", r.stdout)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{"# mine\n", "project: shop # always\n", "Colour: blue\n", "token: " + token, "organization: demo\n"} {
		if !strings.Contains(string(text), part) {
			t.Errorf("the file lacks %q:\n%s", part, text)
		}
	}
	if info, _ := os.Stat(path); info.Mode().Perm() != 0o600 {
		t.Errorf("the file has mode %v", info.Mode())
	}
	if body := s.server.last(t, "POST").body; body != `{"organization":"demo","email":"ada@example.com","password":"correct horse ","service_user":true}` {
		t.Errorf("sent %s", body)
	}
	s.run("stage").want(t, 0) // signed in, and the project is the file's
}

func TestAWrongPasswordLeavesTheFileAlone(t *testing.T) {
	s, path := signedOut(t)
	s.stdin = "demo\r\nada@example.com\r\nwrong\r\n"
	s.run("login", "--service-user", "--url", s.server.URL).want(t, 1, "password is wrong")
	if _, err := os.Stat(path); err == nil {
		t.Error("a file was written")
	}
}

func TestLoginByPasswordNeedsATerminal(t *testing.T) {
	s, _ := signedOut(t)
	s.run("login", "--password", "--url", s.server.URL).want(t, 1, "--service-user")
	s.run("login", "--password", "--service-user", "--url", s.server.URL).want(t, 1, "password")
	s.stdin = "demo\nada@example.com\n"
	s.run("login", "--service-user", "--url", s.server.URL).want(t, 1, "three lines")
	s.run("login", "--service-user", "--url", "example.com:7700").want(t, 1, "http://HOST:PORT")
}

func TestAStoredTokenGoesOnlyToItsIssuer(t *testing.T) {
	s, _ := signedOut(t)
	s.run("login", "--service-user", "--url", s.server.URL).want(t, 0)
	other := newFake(t)
	s.set("SETOPS_URL", other.URL)
	s.run("project").want(t, 1, "not at "+other.URL, "setops login --url "+other.URL)
	if sent := other.sent(); len(sent) > 0 {
		t.Errorf("the other server was sent %+v", sent)
	}
	s.set("SETOPS_TOKEN", token) // a token that the user hands over goes where the user says
	s.run("project").want(t, 0)
}

func TestLogoutEndsTheStoredSessionWhereItWasIssued(t *testing.T) {
	s, path := signedOut(t)
	s.run("logout").want(t, 0, "not signed in")
	s.run("login", "--service-user", "--url", s.server.URL).want(t, 0)
	s.set("SETOPS_URL", "http://127.0.0.1:1")
	s.run("logout").want(t, 0, "Signed out")
	if got := s.server.last(t, "DELETE"); got.line != "DELETE /v1/sessions" || got.authorization != "Bearer "+token {
		t.Errorf("sent %+v", got)
	}
	text, err := os.ReadFile(path)
	if err != nil || strings.Contains(string(text), token) {
		t.Errorf("%v, the file still holds the token:\n%s", err, text)
	}
	s.run("project").want(t, 1, "setops login")
}

func TestLogoutForgetsTheSessionOfAServerThatIsDown(t *testing.T) {
	s, path := signedOut(t)
	s.run("login", "--service-user", "--url", s.server.URL).want(t, 0)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	write(t, path, strings.ReplaceAll(string(text), s.server.URL, "http://127.0.0.1:1")) // the port of a server may be another's soon
	s.run("logout").want(t, 0, "holds until it expires", "Signed out")
	if text, err := os.ReadFile(path); err != nil || strings.Contains(string(text), token) {
		t.Errorf("%v, the file still holds the token:\n%s", err, text)
	}
}

func TestAnExpiredTokenSaysToSignIn(t *testing.T) {
	s := newSession(t)
	s.set("SETOPS_TOKEN", "expired")
	s.run("project").want(t, 1, "expired", "Run `setops login`.")
}

func TestDebugShowsRequestsButNoSecret(t *testing.T) {
	s := newSession(t)
	s.stdin = "demo\nada@example.com\ncorrect horse \n"
	r := s.run("--debug", "-p", "shop", "-s", "production", "--app", "web", "env:set", "KEY=hush")
	r.want(t, 0, "POST http://SERVER/v1/organizations/demo/projects/shop/stages/production/changeset/commands: 200")
	r.stderr += s.run("login", "--service-user", "--debug").stderr
	for _, secret := range []string{"hush", "correct horse", token} {
		if strings.Contains(r.stderr, secret) {
			t.Errorf("debug shows %q: %s", secret, r.stderr)
		}
	}
}
