package cli_test

import (
	"context"
	"strings"
	"testing"
	"time"
)

func TestAServerThatIsDownIsNamed(t *testing.T) {
	s := newSession(t)
	s.set("SETOPS_URL", "http://127.0.0.1:1") // a port that was in use before may be so again before the last try
	r := s.run("project")
	r.want(t, 1, "Error: The server at http://127.0.0.1:1 cannot be reached: connection refused.")
	if strings.Count(r.stderr, "\n") != 1 {
		t.Errorf("more than a line: %s", r.stderr)
	}
}

// interruptWhen runs setops and presses Ctrl-C once the server has been sent a request that ends so.
func (s *session) interruptWhen(ending string, args ...string) result {
	ctx, interrupt := context.WithCancel(s.t.Context())
	defer interrupt()
	done := make(chan result)
	go func() { done <- s.runContext(ctx, args...) }()
	deadline := time.After(patience)
	for {
		select {
		case r := <-done:
			return r
		case <-deadline:
			s.t.Errorf("no request ended with %s: %v", ending, s.server.sent())
			interrupt()
			return <-done
		case <-time.After(time.Millisecond):
			for _, r := range s.server.sent() {
				if strings.Contains(r.line, ending) {
					interrupt()
				}
			}
		}
	}
}

func TestCtrlCLeavesACommitToTheServer(t *testing.T) {
	s := newSession(t)
	r := s.interruptWhen("/commits/c0ffee/events", "-p", "shop", "-s", "endless", "changeset:commit")
	r.want(t, 130, "the commit goes on in the server", "`setops -p shop -s endless changeset:attach c0ffee` shows how it goes on",
		"`setops -p shop -s endless changeset:cancel c0ffee` stops it")
	if strings.Contains(r.stdout, "successful") || strings.Contains(r.stderr, "Error") {
		t.Errorf("%s%s", r.stdout, r.stderr)
	}
}

func TestCtrlCBeforeACommitHasAnIDSaysWhereToLook(t *testing.T) {
	s := newSession(t)
	r := s.interruptWhen("/stages/slow/commits", "-p", "shop", "-s", "slow", "changeset:commit")
	r.want(t, 130, "Interrupted while the commit was being asked for. `setops -p shop -s slow changeset:log`")
}

func TestCtrlCLeavesAWaitAndACancelToTheServer(t *testing.T) {
	s := newSession(t)
	s.interruptWhen("/commits/c0ffee/events", "-p", "shop", "-s", "endless", "changeset:attach").want(t, 130, "changeset:attach c0ffee")
	s = newSession(t)
	s.interruptWhen("/commits/c0ffee/events", "-p", "shop", "-s", "endless", "changeset:wait").want(t, 130, "goes on in the server")
	s = newSession(t)
	r := s.interruptWhen("/commits/c0ffee/events", "-p", "shop", "-s", "endless", "changeset:cancel")
	r.want(t, 130, "the server goes on to stop the commit", "`setops -p shop -s endless changeset:wait c0ffee`")
	if strings.Contains(r.stdout, "✅") || strings.Contains(r.stderr, "Error") {
		t.Errorf("%s%s", r.stdout, r.stderr)
	}
}

func TestCtrlCLeavesATaskToTheServer(t *testing.T) {
	s := newSession(t)
	r := s.interruptWhen("/log/events", "-p", "shop", "-s", "production", "--app", "endless", "task:run", "--", "sleep", "9")
	r.want(t, 130, "goes on in the server", "--app endless log -f --task "+taskC, "task:stop "+taskC)
}

func TestCtrlCEndsAFollowedLogQuietly(t *testing.T) {
	s := newSession(t)
	r := s.interruptWhen("/log/events", "-p", "shop", "-s", "production", "--app", "endless", "log", "-f")
	r.want(t, 130)
	if r.stderr != "" {
		t.Errorf("standard error: %s", r.stderr)
	}
}

func TestTimesMayBeCutDownToTheYear(t *testing.T) {
	s := newSession(t)
	for given, sent := range map[string]string{
		"2020-09-11T12:00:00Z":      "2020-09-11T12:00:00Z",
		"2020-09-11T12:00:00.25":    "2020-09-11T12:00:00.25Z",
		"2020-09-11T12:00:00+02:00": "2020-09-11T10:00:00Z",
		"2020-09-11T12:00":          "2020-09-11T12:00:00Z",
		"2020-09-11T12:00-01:00":    "2020-09-11T13:00:00Z",
		"2020-09-11t12":             "2020-09-11T12:00:00Z",
		"2020-09-11T":               "2020-09-11T00:00:00Z",
		"2020-09-11":                "2020-09-11T00:00:00Z",
		"2020-09":                   "2020-09-01T00:00:00Z",
		"2020":                      "2020-01-01T00:00:00Z",
	} {
		s.run("-p", "shop", "-s", "production", "--app", "web", "log", "--before", given).want(t, 0)
		want := "before=" + strings.NewReplacer(":", "%3A").Replace(sent) + "&limit=250"
		if got := s.server.last(t, "GET").line; !strings.HasSuffix(got, want) {
			t.Errorf("--before %s sent %s, want %s", given, got, want)
		}
	}
	for _, wrong := range []string{"20", "2020-13", "2020-09-11 12:00", "now"} {
		s.run("-p", "shop", "-s", "production", "--app", "web", "log", "--after", wrong).want(t, 1, "--after")
	}
	s.run("-p", "shop", "-s", "production", "--app", "web", "log", "-n", "0").want(t, 1, "1 to 9999")
}
