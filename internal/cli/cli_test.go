package cli_test

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"github.com/setopsco/setops/internal/cli"
)

// patience is how long a test waits for what has to come.
const patience = time.Minute

// result is how a run of setops ended.
type result struct {
	stdout, stderr string
	code           int
}

// session is a signed-in user: a home directory and an environment.
type session struct {
	t       *testing.T
	server  *fake
	environ []string
	stdin   string
}

func newSession(t *testing.T) *session {
	t.Helper()
	s := &session{t: t, server: newFake(t)}
	t.Chdir(t.TempDir()) // no project's file above
	write(t, "setops.yml", definitionText)
	s.environ = []string{
		"HOME=" + t.TempDir(), "SETOPS_URL=" + s.server.URL, "SETOPS_TOKEN=" + token, "SETOPS_ORGANIZATION=demo",
	}
	return s
}

func (s *session) run(args ...string) result { return s.runContext(s.t.Context(), args...) }

func (s *session) runContext(ctx context.Context, args ...string) result {
	var stdout, stderr bytes.Buffer
	code := cli.Main(ctx, args, s.environ, strings.NewReader(s.stdin), &stdout, &stderr)
	hide := strings.NewReplacer(strings.TrimPrefix(s.server.URL, "http://"), "SERVER")
	return result{hide.Replace(stdout.String()), hide.Replace(stderr.String()), code}
}

func (s *session) set(name, value string) { s.environ = append(s.environ, name+"="+value) }

func (r result) want(t *testing.T, code int, stderr ...string) {
	t.Helper()
	if r.code != code {
		t.Errorf("exit code %d, want %d; stderr: %s", r.code, code, r.stderr)
	}
	for _, part := range stderr {
		if !strings.Contains(r.stderr, part) {
			t.Errorf("standard error lacks %q: %s", part, r.stderr)
		}
	}
}
