package cli_test

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/setopsco/setops/internal/cli"
)

// fakeBrowser is a program that writes down which page it is to open.
func fakeBrowser(t *testing.T) (program string, opened func() string) {
	t.Helper()
	dir := t.TempDir()
	program, page := filepath.Join(dir, "browser"), filepath.Join(dir, "page")
	if err := os.WriteFile(program, []byte("#!/bin/sh\necho \"$1\" > "+page+"\n"), 0o755); err != nil { //nolint:gosec // it is to be run
		t.Fatal(err)
	}
	return program, func() string {
		text, err := os.ReadFile(page)
		if err != nil {
			return ""
		}
		return strings.TrimSpace(string(text))
	}
}

func TestOffATerminalLoginShowsItsPageAndOpensNone(t *testing.T) {
	s, path := signedOut(t)
	browser, opened := fakeBrowser(t)
	s.set("BROWSER", browser)
	s.server.answers = []string{"authorization_pending"}
	r := s.run("login", "--no-setup", "--url", s.server.URL)
	r.want(t, 0, "http://SERVER/device?user_code=BCDF-GHJK\n", "Code:   BCDF-GHJK\n", "login --service-user", "Waiting for the browser…\n")
	if !strings.HasPrefix(r.stdout, "Organization:   demo\nEmail:          ada@example.com\n") || strings.Contains(r.stdout+r.stderr, "sops_") {
		t.Errorf("standard output: %s", r.stdout)
	}
	if page := opened(); page != "" {
		t.Errorf("a browser opened %s", page)
	}
	text, err := os.ReadFile(path)
	if err != nil || !strings.Contains(string(text), "token: "+token+"\n") || !strings.Contains(string(text), "refresh_token: sops_next\n") {
		t.Errorf("%v, the file has\n%s", err, text)
	}
	if body := s.server.last(t, "POST").body; body != "client_id=setops&device_code=device&grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Adevice_code" {
		t.Errorf("sent %s", body)
	}
	s.run("project").want(t, 0)
}

func TestLoginEndsWhereItIsDeniedOrLate(t *testing.T) {
	s, path := signedOut(t)
	for reason, want := range map[string]string{"access_denied": "denied in the browser", "expired_token": "not allowed in time. Run `setops login` again."} {
		s.server.answers = []string{reason}
		s.run("login", "--no-setup", "--url", s.server.URL).want(t, 1, want)
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("a file was written")
	}
}

// cue is a screen on which a text is waited for.
type cue struct {
	text  string
	heard func()
}

func (c cue) Write(p []byte) (int, error) {
	if strings.Contains(string(p), c.text) {
		c.heard()
	}
	return len(p), nil
}

func TestLoginEndsAtOnceWhenItIsInterrupted(t *testing.T) {
	s, path := signedOut(t)
	s.server.interval = 600 // it waits before it asks
	ctx, interrupt := context.WithCancel(t.Context())
	ended := make(chan int, 1)
	go func() {
		ended <- cli.Main(ctx, []string{"login", "--url", s.server.URL}, s.environ, strings.NewReader(""), io.Discard, cue{"Waiting for the browser", interrupt})
	}()
	select {
	case code := <-ended:
		if code != 130 {
			t.Errorf("exit code %d", code)
		}
	case <-time.After(patience):
		t.Fatal("it waits on")
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("a file was written")
	}
}

// expired is a session whose token is over, and can be renewed.
func expired(t *testing.T) (*session, string) {
	t.Helper()
	s, path := signedOut(t)
	write(t, path, "# mine\nurl: "+s.server.URL+"\nissuer: "+s.server.URL+"\norganization: demo\nemail: ada@example.com\n"+
		"token: sops_old\nrefresh_token: sops_first\nexpires_at: \"2020-01-01T00:00:00Z\"\n")
	return s, path
}

func (s *session) renewals() (n int) {
	for _, r := range s.server.sent() {
		if r.line == "POST /v1/oauth/token" {
			n++
		}
	}
	return n
}

func TestATokenThatIsOverIsRenewedSilently(t *testing.T) {
	s, path := expired(t)
	r := s.run("project")
	r.want(t, 0)
	if r.stderr != "" {
		t.Errorf("it says %q", r.stderr)
	}
	if body := s.server.last(t, "POST").body; body != "client_id=setops&grant_type=refresh_token&refresh_token=sops_first" {
		t.Errorf("sent %s", body)
	}
	s.run("stage", "-p", "shop").want(t, 0)
	text, err := os.ReadFile(path)
	if err != nil || s.renewals() != 1 || !strings.Contains(string(text), "# mine\n") || !strings.Contains(string(text), "refresh_token: sops_next\n") {
		t.Errorf("%v; renewed %d times, the file has\n%s", err, s.renewals(), text)
	}
}

func TestManyProcessesRenewASessionOnce(t *testing.T) {
	s, _ := expired(t)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() { s.run("project").want(t, 0) })
	}
	all.Wait()
	if n := s.renewals(); n != 1 {
		t.Errorf("it was renewed %d times", n)
	}
}

func TestATokenThatTheServerRefusesIsRenewedOnce(t *testing.T) {
	s, path := expired(t)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	write(t, path, strings.Replace(string(text), "2020", "2120", 1))
	s.run("project").want(t, 0)
	if n := s.renewals(); n != 1 {
		t.Errorf("it was renewed %d times", n)
	}
}

func TestASessionThatIsOverSaysToSignIn(t *testing.T) {
	s, path := expired(t)
	s.server.answers = []string{"invalid_grant"}
	s.run("project").want(t, 1, "Your session is over. Run `setops login`.")
	s.server.answers = []string{"invalid_grant"}
	s.run("logout").want(t, 0, "Signed out.")
	if text, err := os.ReadFile(path); err != nil || strings.Contains(string(text), "sops_") {
		t.Errorf("%v, the file still holds\n%s", err, text)
	}
}

func TestWhatCannotBeStoredIsNotRenewed(t *testing.T) {
	s, path := expired(t)
	if err := os.Mkdir(path+".lock", 0o700); err != nil { // so that it cannot be locked
		t.Fatal(err)
	}
	s.run("project").want(t, 1, "expired")
	if n := s.renewals(); n != 0 {
		t.Errorf("it was renewed %d times, and is lost", n)
	}
}

func TestATokenOfAVariableIsNeverRenewed(t *testing.T) {
	s, _ := expired(t)
	s.set("SETOPS_TOKEN", "sops_another")
	s.run("project").want(t, 1, "expired")
	if n := s.renewals(); n != 0 {
		t.Errorf("it was renewed %d times", n)
	}
}

func TestLogoutCanSignTheBrowserOut(t *testing.T) {
	s, _ := expired(t)
	s.run("logout", "--browser").want(t, 0, "Signed out.", "http://SERVER/logout\n")
	if got := s.server.last(t, "DELETE"); got.line != "DELETE /v1/sessions" || got.authorization != "Bearer "+token {
		t.Errorf("sent %+v", got)
	}
}
