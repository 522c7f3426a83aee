package client_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/setopsco/setops/pkg/api"
)

// told is one event of a commit's stream with an id.
func told(id, state string) string {
	return fmt.Sprintf("event: progress\nid: %s\ndata: {\"state\":%q}\n\n", id, state)
}

func TestAWatchGoesOnBehindTheLastEventSeen(t *testing.T) {
	var asked []string
	c, _ := serve(t, func(w http.ResponseWriter, r *http.Request, n int) {
		asked = append(asked, r.Header.Get("Last-Event-ID"))
		switch n {
		case 1:
			send(w, told("4", "queued")+told("5", "running"))
		case 2:
			refuse(w, http.StatusServiceUnavailable, true)
		default:
			send(w, told("6", "running")+told("7", "cancelled"))
		}
	})
	var states []string
	last, err := c.WatchCommit(t.Context(), stage, "c0ffee", func(p api.Progress) { states = append(states, p.State) })
	if err != nil || last.State != "cancelled" {
		t.Errorf("%+v, %v", last, err)
	}
	if want := []string{"", "5", "5"}; !slices.Equal(asked, want) {
		t.Errorf("asked behind %q, want %q", asked, want)
	}
	if want := []string{"queued", "running", "running", "cancelled"}; !slices.Equal(states, want) {
		t.Errorf("told %q, want %q", states, want)
	}
}

func TestAWatchOfAStageThatIsGoneSaysWhatTheServerSays(t *testing.T) {
	c, requests := serve(t, func(w http.ResponseWriter, _ *http.Request, n int) {
		if n == 1 {
			send(w, told("4", "running"))
			return
		}
		w.WriteHeader(http.StatusNotFound)
		_, _ = fmt.Fprint(w, `{"type":"StateError","code":"StageDoesNotExist","message":"there is no stage production"}`)
	})
	_, err := c.WatchCommit(t.Context(), stage, "c0ffee", func(api.Progress) {})
	if err == nil || err.Error() != "there is no stage production" || requests.Load() != 2 {
		t.Errorf("%v after %d connections", err, requests.Load())
	}
}

func TestACommitThatShallNotQueueIsAskedForOnce(t *testing.T) {
	code := "CodeCommitAlreadyRunning"
	c, requests := serve(t, func(w http.ResponseWriter, _ *http.Request, _ int) {
		w.WriteHeader(http.StatusConflict)
		_, _ = fmt.Fprintf(w, `{"type":"StateError","code":%q,"temporary":true}`, code)
	})
	var refused *api.ServiceError
	_, err := c.StartCommit(t.Context(), stage, api.StartCommit{NoQueue: true})
	if !errors.As(err, &refused) || requests.Load() != 1 {
		t.Errorf("%v after %d requests", err, requests.Load())
	}
	if _, err := c.StartCommit(t.Context(), stage, api.StartCommit{}); err == nil || requests.Load() != 6 {
		t.Errorf("one that may queue: %v after %d requests", err, requests.Load()-1)
	}
	code = "Overload"
	if _, err := c.StartCommit(t.Context(), stage, api.StartCommit{NoQueue: true}); err == nil || requests.Load() != 11 {
		t.Errorf("with a busy server: %v after %d requests", err, requests.Load()-6)
	}
}

func TestCallsAboutCommitsAreWhatTheServerRoutes(t *testing.T) {
	var asked []string
	c, _ := serve(t, func(w http.ResponseWriter, r *http.Request, _ int) {
		body, _ := io.ReadAll(r.Body)
		_, path, _ := strings.Cut(r.URL.RequestURI(), "/stages/production")
		asked = append(asked, strings.TrimSpace(r.Method+" "+path+" "+string(body)))
		_, _ = fmt.Fprint(w, "{}")
	})
	ctx := t.Context()
	_, err1 := c.StartCommit(ctx, stage, api.StartCommit{Message: "m", Plan: "h", WaitTimeout: 60})
	_, err2 := c.Commits(ctx, stage, 3)
	_, err3 := c.Commits(ctx, stage, 0)
	_, err4 := c.CommitDetails(ctx, stage, "c0ffee")
	_, err5 := c.Cancel(ctx, stage, "c0ffee")
	_, err6 := c.Revert(ctx, stage, "c0/fee", api.Revert{To: true})
	_, err7 := c.Diff(ctx, stage)
	_, err8 := c.Plan(ctx, stage)
	_, err9 := c.RemoveCommand(ctx, stage, 2)
	if err := errors.Join(err1, err2, err3, err4, err5, err6, err7, err8, err9); err != nil {
		t.Fatal(err)
	}
	want := []string{
		`POST /commits {"message":"m","plan":"h","wait_timeout":60}`, "GET /commits?limit=3", "GET /commits",
		"GET /commits/c0ffee/details", "POST /commits/c0ffee/cancel", `POST /commits/c0%2Ffee/revert {"to":true}`,
		"GET /changeset/diff", "GET /changeset/plan", "DELETE /changeset/commands/2",
	}
	if !slices.Equal(asked, want) {
		t.Errorf("asked\n%s\nwant\n%s", strings.Join(asked, "\n"), strings.Join(want, "\n"))
	}
}
