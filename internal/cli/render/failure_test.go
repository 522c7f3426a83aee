package render_test

import (
	"strings"
	"testing"

	"github.com/setopsco/setops/internal/cli/render"
	"github.com/setopsco/setops/pkg/api"
)

func failureScreen(t *testing.T, f api.Failure) string {
	t.Helper()
	var b strings.Builder
	if err := render.Failure(&b, f); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestAFailureIsToldFromItsCauseToWhatToType(t *testing.T) {
	got := failureScreen(t, api.Failure{
		Message: "app web did not get ready: it answered 503.", App: "web", Release: 3, TaskID: "7a5c", Check: "network health check",
		LastAnswer: &api.LastAnswer{Status: 503, Body: "no database"}, Step: "await web-1",
		Others: []api.OtherFailure{{App: "worker", Message: "it was not ready yet"}},
		Log:    []string{"boot", "\tat main.go:7"}, Next: []string{"setops log", "setops changeset:commit"},
	})
	want := `The commit failed: app web did not get ready: it answered 503.

   App:           web, release 3
   Task:          7a5c
   Check:         network health check
   Last answer:   503 Service Unavailable: no database
   Step:          await web-1
   App worker:    it was not ready yet

The last 2 lines of the task:
   boot
       at main.go:7

What served before serves on, and the changeset is kept.
Mend it and commit again, or drop it with %changeset:discard%.

Next:
   setops log
   setops changeset:commit
`
	if got != strings.ReplaceAll(want, "%", "`") {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestWhatIsNotKnownIsNotShown(t *testing.T) {
	got := failureScreen(t, api.Failure{Message: "the disk is full", Temporary: true})
	want := `The commit failed: the disk is full.

What served before serves on, and the changeset is kept.
The same commit may succeed later; or drop the changeset with %changeset:discard%.
`
	if got != strings.ReplaceAll(want, "%", "`") {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestNothingInAFailureSteersTheTerminal(t *testing.T) {
	evil := "\x1b[31mred\x1b[0m\x1b]0;title\x07\u009b2J\r"
	got := failureScreen(t, api.Failure{
		Message: evil, App: evil, TaskID: evil, Check: evil, Step: evil, Log: []string{evil}, Next: []string{evil},
		LastAnswer: &api.LastAnswer{Body: evil, ConnectError: evil}, Others: []api.OtherFailure{{App: evil, Message: evil}},
	})
	if strings.ContainsAny(got, "\x1b\x07\r\u009b") {
		t.Errorf("got %q", got)
	}
	if !strings.Contains(got, `   red\x1b]0;title`) {
		t.Errorf("the log is not readable: %s", got)
	}
}

func TestTheLastAnswerIsAFewWords(t *testing.T) {
	for want, a := range map[string]*api.LastAnswer{
		"killed, out of memory": {OutOfMemory: true, Signal: "SIGKILL", ExitCode: new(137)},
		"killed by SIGSEGV":     {Signal: "SIGSEGV", ExitCode: new(139)},
		"exit code 0":           {ExitCode: new(0)},
		"exit code 7: no file":  {ExitCode: new(7), Output: "no file"},
		"connection refused":    {ConnectError: "connection refused"},
		"404 Not Found":         {Status: 404},
		"799: strange":          {Status: 799, Body: "strange"},
	} {
		if got := failureScreen(t, api.Failure{LastAnswer: a}); !strings.Contains(got, "   Last answer:   "+want+"\n") {
			t.Errorf("%s: got %s", want, got)
		}
	}
}
