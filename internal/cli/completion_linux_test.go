package cli_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/setopsco/setops/internal/cli"
	"github.com/setopsco/setops/internal/cli/kit"
)

// TestMain is setops itself where the tests are run by that name, as the shells below do.
func TestMain(m *testing.M) {
	kit.CompletionTime = patience
	if filepath.Base(os.Args[0]) == "setops" {
		os.Exit(cli.Main(context.Background(), os.Args[1:], os.Environ(), os.Stdin, os.Stdout, os.Stderr))
	}
	os.Exit(m.Run())
}

// shells are real ones: how each is started without the settings of the user, and how it learns to complete.
var shells = map[string]struct {
	command []string
	setUp   string
}{
	"bash":                         {[]string{"bash", "--noprofile", "--norc", "-i"}, "source <(setops completion bash)"},
	"bash with bash-completion":    {[]string{"bash", "--noprofile", "--norc", "-i"}, "source " + bashCompletion + "; source <(setops completion bash)"},
	"zsh":                          {[]string{"zsh", "-f", "-i"}, "autoload -U compinit; compinit -D -u; source <(setops completion zsh)"},
	"fish, as it completes a line": {[]string{"fish", "--no-config", "-i"}, "setops completion fish | source"},
}

const bashCompletion = "/usr/share/bash-completion/bash_completion"

// typedLines are begun lines, behind which the tab key is pressed, and the request that the completed line sends.
var typedLines = map[string]string{
	"setops projec\t:inf\tshop":                               "GET /v1/organizations/demo/projects/shop",
	"setops -p shop -s prod\tapp:inf\twe\t":                   "GET /v1/organizations/demo/projects/shop/stages/production/apps/web",
	"setops --force project:destr\tsh\t":                      "DELETE /v1/organizations/demo/projects/shop",
	"setops -p shop -s production changeset:sho\t41d\t":       "GET /v1/organizations/demo/projects/shop/stages/production/commits/" + commitC + "/details",
	"setops -p shop -s production app inf\twe\t":              "GET /v1/organizations/demo/projects/shop/stages/production/apps/web",
	"setops -p shop -s production changeset sho\t41d\t":       "GET /v1/organizations/demo/projects/shop/stages/production/commits/" + commitC + "/details",
	"setops -o js\tproject:inf\twebs\t":                       "GET /v1/organizations/demo/projects/website",
	"setops -p we\tuser:inv\tx@example.com --role ad\t":       "POST /v1/organizations/demo/projects/website/users",
	"setops -p shop -s production --app we\trelease:act\t2\t": "POST /v1/organizations/demo/projects/shop/stages/production/changeset/commands",
	"setops -p shop -s production --app web task:st\ta8\t":    "DELETE /v1/organizations/demo/projects/shop/stages/production/apps/web/tasks/" + taskA,
}

// TestRealShellsComplete types lines into shells on a terminal, with the tab key, and waits for what they send.
func TestRealShellsComplete(t *testing.T) {
	for name, shell := range shells {
		t.Run(name, func(t *testing.T) {
			s, x := newSession(t), newTerminal(t)
			s.startShell(x, shell.command, shell.setUp)
			for line, want := range typedLines {
				before := len(s.server.sent())
				x.types(line + "\n")
				s.awaitRequest(x, before, want, line)
			}
		})
	}
}

// startShell starts a shell on the terminal, in which setops is this program, and waits until it is ready.
func (s *session) startShell(x *terminal, command []string, setUp string) {
	s.t.Helper()
	if _, err := exec.LookPath(command[0]); err != nil {
		s.t.Fatalf("%v: `.ci/install test` installs it", err)
	}
	self, err := os.Executable()
	if err != nil {
		s.t.Fatal(err)
	}
	bin := s.t.TempDir()
	if err := os.Symlink(self, filepath.Join(bin, "setops")); err != nil {
		s.t.Fatal(err)
	}
	shell := exec.Command(command[0], command[1:]...)
	shell.Env = append(slices.Clone(s.environ), "PATH="+bin+":"+os.Getenv("PATH"), "TERM=xterm", "PS1=$ ", "LANG=C.UTF-8")
	shell.Stdin, shell.Stdout, shell.Stderr = x.tty, x.tty, x.tty
	shell.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := shell.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() {
		_ = shell.Process.Kill()
		_ = shell.Wait()
	})
	x.types(setUp + "; echo rea''dy\n")
	x.await("ready")
}

func (x *terminal) types(text string) {
	x.t.Helper()
	if _, err := x.keyboard.WriteString(text); err != nil {
		x.t.Fatal(err)
	}
}

// awaitRequest waits until a request behind the first ones is the wanted one.
func (s *session) awaitRequest(x *terminal, before int, want, line string) {
	s.t.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(2 * time.Millisecond) {
		if slices.Contains(lines(s.server.sent()[before:]), want) {
			return
		}
	}
	s.t.Fatalf("%q never sent %s, only %v; the terminal shows %q", line, want, lines(s.server.sent()[before:]), x.raw())
}

func TestNamesAndValuesAreCompletedFromTheServer(t *testing.T) {
	s := newSession(t)
	for line, want := range map[string]string{
		"-o ":                              "table wide plain json",
		"-p ":                              "shop website",
		"-p shop -s ":                      "production",
		"-p shop -s production --app ":     "web worker",
		"-p shop stage:destroy --force ":   "production",
		"app:destroy ":                     "web worker",
		"--app web release:activate ":      "2 1",
		"--app web --before release:act":   "release:activate",
		"--app web task:run --release ":    "2 1",
		"--app web task:stop ":             taskA + " " + taskB,
		"--app web log --task ":            taskA + " " + taskB,
		"--app web env:unset RACK_ENV ":    "SECRET_KEY_BASE WHO_AM_I",
		"--app web domain:destroy ":        "example.com *.example.com www.example.com",
		"--app web network:unset health-c": "health-check-path health-check-status",
		"--app web container:set st":       "start-timeout stop-timeout",
		"--app web network:set protocol ":  "http tcp",
		"--app web network:set public ":    "true false",
		"--app web network:set port ":      "",
		"--domain x option:set primary ":   "true false",
		"user:invite grace@x.org --role ":  "member admin",
		"app ":                             "create destroy info ps",
		"app destroy ":                     "web worker",
		"--force project destroy ":         "shop website",
		"app log ":                         "show",
		"app log show ":                    "web worker",
		"--detach changeset ":              "attach cancel commit diff discard info log plan remove revert show wait",
		"changeset nothing ":               "",
		"--app web container set st":       "start-timeout stop-timeout",
		"--app web log --task":             "--task",
		"stage:apply -t ":                  "web= worker=",
		"stage:apply -t web=1.0,":          "web=1.0,worker=",
	} {
		args := append([]string{"__complete"}, strings.Fields(line)...)
		if strings.HasSuffix(line, " ") {
			args = append(args, "")
		}
		if !strings.Contains(line, "-p ") {
			args = slices.Insert(args, 1, "-p", "shop", "-s", "production")
		}
		r := s.run(args...)
		var names []string
		for proposal := range strings.Lines(r.stdout) {
			if name, _, _ := strings.Cut(strings.TrimSpace(proposal), "\t"); !strings.HasPrefix(name, ":") {
				names = append(names, name)
			}
		}
		if got := strings.Join(names, " "); got != want {
			t.Errorf("%q proposes %q, want %q", line, got, want)
		}
	}
}

func TestWhatCannotBeCompletedIsSilentAndAskedForOnce(t *testing.T) {
	var asked atomic.Int32
	cutting := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		asked.Add(1)
		panic(http.ErrAbortHandler)
	}))
	defer cutting.Close()
	s := newSession(t)
	for why, variables := range map[string][]string{
		"nobody is signed in": {"SETOPS_TOKEN="},
		"no server answers":   {"SETOPS_URL=" + cutting.URL},
		"it is refused":       {"SETOPS_TOKEN=sops_other"},
	} {
		before := s.environ
		s.environ = append(slices.Clone(before), variables...)
		r := s.run("__complete", "--debug", "-p", "")
		s.environ = before
		if first, _, _ := strings.Cut(r.stdout, "\n"); r.code != 0 || first != ":4" || strings.Contains(r.stderr, "rror") || strings.Contains(r.stderr, "debug:") {
			t.Errorf("%s: %+v", why, r)
		}
	}
	if n := asked.Load(); n != 1 {
		t.Errorf("a server that does not answer was asked %d times", n)
	}
}
