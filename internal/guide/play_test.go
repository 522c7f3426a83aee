package guide

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func newTestPlayer(t *testing.T) (*Player, *bytes.Buffer) {
	t.Helper()
	var out bytes.Buffer
	p, err := NewPlayer(Config{Programs: t.TempDir(), Root: t.TempDir(), Out: &out})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
		if _, err := os.Stat(p.dir); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("the directory is still there: %v", err)
		}
	})
	return p, &out
}

func steps(steps ...Step) (g Guide) {
	for i := range steps {
		g = append(g, Part{Step: &steps[i]})
	}
	return g
}

func TestCommandsAreShownAndCompared(t *testing.T) {
	p, out := newTestPlayer(t)
	g := append(Guide{{Heading: "# Words"}}, steps(
		Step{Command: "echo <PROJECT>; echo oops >&2", Want: "<PROJECT>\noops", Compared: true},
		Step{Command: "exit 3", Exit: 3},
		Step{Command: "docker push", Docker: true},
	)...)
	if err := p.Play(t.Context(), g); err != nil {
		t.Fatal(err)
	}
	if want := "\n# Words\n\n$ echo shop; echo oops >&2\nshop\noops\n\n$ exit 3\n"; out.String() != want {
		t.Errorf("shown: %q, want %q", out, want)
	}
}

func TestAStepThatIsNotTrueEndsThePlay(t *testing.T) {
	for name, step := range map[string]Step{
		"another exit code":        {Line: 7, Command: "exit 1"},
		"no exit code":             {Line: 7, Command: "true", Exit: 78},
		"something else comes out": {Line: 7, Command: "echo a", Want: "b", Compared: true},
		"a command in the middle":  {Line: 7, Command: "false\necho a", Want: "a", Compared: true},
		"a command of a pipe":      {Line: 7, Command: "false | echo a", Want: "a", Compared: true},
		"a variable that is unset": {Line: 7, Command: "echo $NOBODY_HAS_SET_THIS"},
	} {
		t.Run(name, func(t *testing.T) {
			p, _ := newTestPlayer(t)
			err := p.Play(t.Context(), steps(step, Step{Command: "touch " + p.dir + "/after"}))
			if err == nil || !strings.Contains(err.Error(), "line 7 of the guide") {
				t.Errorf("Play gave %v", err)
			}
			if _, err := os.Stat(p.dir + "/after"); err == nil {
				t.Error("the next step was played")
			}
		})
	}
}

func TestAStepIsRepeatedUntilItIsTrue(t *testing.T) {
	p, out := newTestPlayer(t)
	step := Step{Command: "echo x >>.cache/tries; wc -l <.cache/tries", Want: "3", Compared: true, Eventually: true}
	if err := p.Play(t.Context(), steps(step)); err != nil {
		t.Fatal(err)
	}
	if strings.Count(out.String(), "\n3\n") != 1 || strings.Contains(out.String(), "\n2\n") {
		t.Errorf("shown: %q", out)
	}
}

func TestAnInterruptEndsTheCommandWithItsChildren(t *testing.T) {
	p, _ := newTestPlayer(t)
	ctx, cancel := context.WithCancel(t.Context())
	p.cfg.Out = writerFunc(func(b []byte) (int, error) {
		if bytes.Contains(b, []byte("started")) {
			cancel()
		}
		return len(b), nil
	})
	begun := time.Now()
	err := p.Play(ctx, steps(Step{Command: "sleep 600 | cat & echo started; wait"}))
	if !errors.Is(err, context.Canceled) {
		t.Errorf("Play gave %v", err)
	}
	if took := time.Since(begun); took > time.Minute {
		t.Errorf("it took %s", took)
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(b []byte) (int, error) { return f(b) }

func TestAServerThatEndsBeforeItIsReadyIsExplained(t *testing.T) {
	p, _ := newTestPlayer(t)
	err := p.Play(t.Context(), steps(Step{Command: "bash -c 'echo first; echo no root >&2; exit 1'", Server: true}))
	if err == nil || !strings.Contains(err.Error(), "before it was ready") || !strings.Contains(err.Error(), "first\nno root") {
		t.Errorf("Play gave %v", err)
	}
}

func TestAServerRunsUntilTheEnd(t *testing.T) {
	p, _ := newTestPlayer(t)
	command := "bash -c 'trap \"touch " + p.dir + "/stopped; exit\" TERM; " +
		"echo setopsd ready api=http://127.0.0.1:1 router=http://127.0.0.1:2; while :; do sleep 0.05; done'"
	err := p.Play(t.Context(), steps(
		Step{Command: command, Want: "setopsd ready api=http://127.0.0.1:7700 router=http://127.0.0.1:8080", Compared: true, Server: true},
		Step{Command: "echo 127.0.0.1:7700 localhost:8080", Want: "127.0.0.1:1 localhost:2", Compared: true},
	))
	if err != nil {
		t.Fatal(err)
	}
	if err := p.server.stop(); err != nil {
		t.Fatal(err)
	}
	p.server = nil
	if _, err := os.Stat(p.dir + "/stopped"); err != nil {
		t.Error("the server was not stopped by SIGTERM")
	}
}

func TestTheUsersOwnSessionAndServerAreOutOfReach(t *testing.T) {
	t.Setenv("SETOPS_TOKEN", "secret")
	t.Setenv("SETOPSD_DATA_DIR", "/srv/theirs")
	p, _ := newTestPlayer(t)
	err := p.Play(t.Context(), steps(
		Step{Command: `echo "${SETOPS_TOKEN-none} $HOME $SETOPSD_DATA_DIR"`, Want: "none " + p.dir + "/home " + p.dir + "/data", Compared: true},
	))
	if err != nil {
		t.Error(err)
	}
}

func TestProjectsThatAGuideHasLeftAreDestroyed(t *testing.T) {
	p, _ := newTestPlayer(t)
	setops := `#!/bin/bash
case "$*" in
login:info) ;;
"project --output json") echo '{"projects": [{"name": "shop"}, {"name": "blog"}]}' ;;
*) echo "$*" >>` + p.dir + `/done ;;
esac
`
	if err := os.WriteFile(filepath.Join(p.cfg.Programs, "setops"), []byte(setops), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := p.destroy(t.Context()); err != nil {
		t.Fatal(err)
	}
	done, err := os.ReadFile(p.dir + "/done")
	if want := "project:destroy --force shop\nproject:destroy --force blog\n"; string(done) != want || err != nil {
		t.Errorf("done: %q, %v", done, err)
	}
}
