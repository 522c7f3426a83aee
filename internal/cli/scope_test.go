package cli_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// write makes a file and its directory.
func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func (s *session) home() string {
	return strings.TrimPrefix(s.environ[0], "HOME=")
}

func TestTheStrongestWordOnTheScopeHolds(t *testing.T) {
	s := newSession(t)
	asked := func(args ...string) string {
		t.Helper()
		s.run(args...).want(t, 0)
		return strings.TrimPrefix(s.server.last(t, "GET").line, "GET /v1/organizations/demo/projects/")
	}
	dir := t.TempDir()
	deep := filepath.Join(dir, "a", "b")
	write(t, filepath.Join(s.home(), ".setops.yml"), "project: home\nstage: home\napp: home\n")
	if got, want := asked("container"), "home/stages/home/apps/home"; got != want {
		t.Errorf("the user's file gives %s, want %s", got, want)
	}
	write(t, filepath.Join(deep, "README"), "")
	write(t, filepath.Join(dir, ".setops.yml"), "project: file\nstage: file\n")
	t.Chdir(deep)
	if got, want := asked("container"), "file/stages/file/apps/home"; got != want {
		t.Errorf("a project's file in a parent gives %s, want %s", got, want)
	}
	s.set("SETOPS_STAGE", "env")
	s.set("SETOPS_APP", "env")
	if got, want := asked("container"), "file/stages/env/apps/env"; got != want {
		t.Errorf("variables give %s, want %s", got, want)
	}
	if got, want := asked("-p", "flag", "container", "--app=flag"), "flag/stages/env/apps/flag"; got != want {
		t.Errorf("flags give %s, want %s", got, want)
	}
	if got, want := asked("--app", "flag", "app:info", "argument"), "file/stages/env/apps/argument"; got != want {
		t.Errorf("an argument gives %s, want %s", got, want)
	}
}

func TestAClonedRepositoryChoosesNeitherServerNorToken(t *testing.T) {
	s := newSession(t)
	evil := newFake(t)
	write(t, ".setops.yml", "url: "+evil.URL+"\ntoken: other\norganization: other\nproject: shop\nissuer: "+evil.URL+"\n")
	s.environ = []string{s.environ[0]}
	write(t, filepath.Join(s.home(), ".setops.yml"),
		"url: "+s.server.URL+"\nissuer: "+s.server.URL+"\ntoken: "+token+"\norganization: demo\n")
	s.run("stage").want(t, 0)
	if got := s.server.last(t, "GET"); got.authorization != "Bearer "+token || !strings.Contains(got.line, "/demo/projects/shop/") {
		t.Errorf("sent %+v", got)
	}
	if sent := evil.sent(); len(sent) > 0 {
		t.Errorf("the repository's server was sent %+v", sent)
	}
}

func TestAFileThatCannotBeReadIsNamed(t *testing.T) {
	s := newSession(t)
	write(t, ".setops.yml", "project: [\n")
	s.run("-p", "shop", "stage").want(t, 1, ".setops.yml")
	s.run("version").want(t, 0) // which needs none
}

func TestAMissingScopeNamesItsFlagAndVariable(t *testing.T) {
	s := newSession(t)
	s.run("stage").want(t, 1, "-p/--project", "SETOPS_PROJECT")
	s.run("-p", "shop", "app").want(t, 1, "-s/--stage", "SETOPS_STAGE")
	s.run("-p", "shop", "-s", "production", "env").want(t, 1, "--app", "SETOPS_APP")
	if sent := s.server.sent(); len(sent) > 0 {
		t.Errorf("the server was asked nevertheless: %+v", sent)
	}
}
