package cli_test

import (
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/setopsco/setops/internal/cli"
)

func TestTheCredentialHelperIsSetopsByAnotherName(t *testing.T) {
	for _, test := range []struct{ started, args []string }{
		{[]string{"/usr/bin/setops", "app"}, []string{"app"}},
		{[]string{"/home/ada/bin/docker-credential-setops", "get"}, []string{"docker", "get"}},
		{[]string{"docker-credential-setops.exe", "list"}, []string{"docker", "list"}},
		{[]string{"setops"}, []string{}},
		{nil, nil},
	} {
		if got := cli.Arguments(test.started); !slices.Equal(got, test.args) {
			t.Errorf("%q: %q, not %q", test.started, got, test.args)
		}
	}
}

// loggedIn is a user who has signed in, and the registry's host.
func loggedIn(t *testing.T, flags ...string) (*session, string) {
	t.Helper()
	s, _ := signedOut(t)
	s.run(append([]string{"login", "--service-user", "--url", s.server.URL}, flags...)...).want(t, 0)
	u, err := url.Parse(s.server.URL)
	if err != nil {
		t.Fatal(err)
	}
	return s, u.Host
}

// ask speaks to the credential helper.
func (s *session) ask(action, stdin string) result {
	s.stdin = stdin
	return s.run("docker", action)
}

func TestDockerGetsTheSessionForOurRegistryOnly(t *testing.T) {
	s, host := loggedIn(t)
	const credentials = `{"ServerURL":"SERVER","Username":"ada@example.com","Secret":"` + token + `"}` + "\n"
	if r := s.ask("get", host); r.code != 0 || r.stdout != credentials || r.stderr != "" {
		t.Errorf("%+v", r)
	}
	if r := s.ask("get", "http://"+host+"/v2/"); r.code != 0 || !strings.Contains(r.stdout, token) {
		t.Errorf("by its address: %+v", r)
	}
	if r := s.ask("list", ""); r.code != 0 || r.stdout != `{"SERVER":"ada@example.com"}`+"\n" {
		t.Errorf("%+v", r)
	}
	for _, other := range []string{"ghcr.io", "https://index.docker.io/v1/", host + "0", "x" + host} {
		if r := s.ask("get", other); r.code != 1 || r.stdout != "credentials not found in native keychain\n" {
			t.Errorf("%s: %+v", other, r)
		}
	}
	// The stored session stays that of its server, wherever the commands go.
	s.set("SETOPS_URL", "https://elsewhere.example.com")
	if r := s.ask("get", "elsewhere.example.com"); r.code != 1 || strings.Contains(r.stdout, token) {
		t.Errorf("%+v", r)
	}
	if r := s.ask("get", host); r.code != 0 || r.stdout != credentials {
		t.Errorf("%+v", r)
	}
	if sent := s.server.sent(); len(sent) != 1 {
		t.Errorf("the server was asked: %+v", sent[1:])
	}
}

func TestDockerGetsATokenOfTheEnvironment(t *testing.T) {
	s := newSession(t)
	s.set("SETOPS_URL", "https://setops.example.com:443")
	if r := s.ask("get", "setops.example.com"); r.code != 0 || !strings.Contains(r.stdout, `"Username":"token","Secret":"`+token+`"`) {
		t.Errorf("%+v", r)
	}
}

func TestWithoutASessionDockerGoesOnAsNobody(t *testing.T) {
	s, _ := signedOut(t)
	if r := s.ask("get", "127.0.0.1:7700"); r.code != 1 || r.stdout != "credentials not found in native keychain\n" || !strings.Contains(r.stderr, "setops login") {
		t.Errorf("%+v", r)
	}
	if r := s.ask("list", ""); r.code != 0 || r.stdout != "{}\n" {
		t.Errorf("%+v", r)
	}
	s.run("docker", "steal").want(t, 1, "get, store, erase, list")
	s.run("docker").want(t, 1, "get, store, erase or list")
}

func TestDockerLoginKeepsTheSession(t *testing.T) {
	s, host := loggedIn(t)
	for _, test := range []struct {
		server, user, secret string
		code                 int
		says                 string
	}{
		{host, "ada@example.com", "another password", 0, ""},
		{host, "token", token, 0, ""},
		{host, "bob@example.com", "his", 1, "run `setops login` as bob@example.com"},
		{"ghcr.io", "ada@example.com", "x", 1, "of SERVER only"},
	} {
		r := s.ask("store", `{"ServerURL":"`+test.server+`","Username":"`+test.user+`","Secret":"`+test.secret+`"}`)
		if r.code != test.code || !strings.Contains(r.stdout, test.says) || strings.Contains(r.stdout, token) {
			t.Errorf("%+v: %+v", test, r)
		}
	}
	s.ask("erase", host).want(t, 0)
	if r := s.ask("get", host); r.code != 0 || !strings.Contains(r.stdout, token) {
		t.Errorf("the session is gone: %+v", r)
	}
}

func TestLoginSetsDockerUpAndLogoutTakesThatBack(t *testing.T) {
	s, host := loggedIn(t)
	config := filepath.Join(s.home(), ".docker", "config.json")
	if text, err := os.ReadFile(config); err != nil || !strings.Contains(string(text), `"`+host+`": "setops"`) {
		t.Errorf("%v: %s", err, text)
	}
	program := filepath.Join(s.home(), "bin", "docker-credential-setops")
	if info, err := os.Stat(program); err != nil || info.Mode().Perm() != 0o755 {
		t.Errorf("%v: %v", err, info)
	}
	s.stdin = "demo\nada@example.com\ncorrect horse \n"
	s.run("login", "--service-user", "--url", s.server.URL).want(t, 0, "does not find docker-credential-setops", "add ~/bin to PATH")
	s.set("PATH", "/usr/bin:"+filepath.Dir(program))
	if r := s.run("login", "--service-user", "--url", s.server.URL); r.code != 0 || r.stderr != "" {
		t.Errorf("%+v", r)
	}
	s.run("logout").want(t, 0)
	if text, err := os.ReadFile(config); err != nil || strings.Contains(string(text), "setops") {
		t.Errorf("%v: %s", err, text)
	}
}

func TestLoginLeavesDockerAloneWhereItIsToldOrMust(t *testing.T) {
	s, _ := loggedIn(t, "--no-setup")
	if entries, err := os.ReadDir(s.home()); err != nil || len(entries) != 2 { // .setops.yml and its lock
		t.Errorf("%v, %v", entries, err)
	}
	elsewhere := t.TempDir()
	write(t, filepath.Join(elsewhere, "config.json"), "no JSON")
	s.set("DOCKER_CONFIG", elsewhere)
	s.stdin = "demo\nada@example.com\ncorrect horse \n"
	s.run("login", "--service-user", "--url", s.server.URL).want(t, 0, "Docker was not set up", "config.json", "--no-setup")
	if text, _ := os.ReadFile(filepath.Join(elsewhere, "config.json")); string(text) != "no JSON" {
		t.Errorf("the file became %s", text)
	}
	s.run("project").want(t, 0) // signed in all the same
}

func TestALineForDockerLoginIsForAShell(t *testing.T) {
	s, _ := loggedIn(t)
	const line = "docker login --username ada@example.com --password " + token + " SERVER\n"
	for _, output := range []string{"plain", "table"} {
		if r := s.run("registry:login", "-o", output); r.code != 0 || r.stdout != line || r.stderr != "" {
			t.Errorf("%s: %+v", output, r)
		}
	}
	for _, part := range []string{`"server": "SERVER"`, `"username": "ada@example.com"`, `"password": "` + token + `"`, `"command": "docker login `} {
		if r := s.run("registry:login", "-o", "json"); !strings.Contains(r.stdout, part) {
			t.Errorf("lacks %s: %s", part, r.stdout)
		}
	}
	out, _ := signedOut(t)
	out.run("registry:login").want(t, 1, "setops login")
}
