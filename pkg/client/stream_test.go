package client_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/setopsco/setops/pkg/api"
	"github.com/setopsco/setops/pkg/client"
)

func send(w http.ResponseWriter, text string) {
	w.Header().Set("Content-Type", "text/event-stream")
	_, _ = fmt.Fprint(w, text)
	w.(http.Flusher).Flush()
}

func progress(state string, done int) string {
	return fmt.Sprintf("event: progress\ndata: {\"state\":%q,\"phase\":\"applying\",\"done\":%d,\"total\":3}\n\n", state, done)
}

func TestACommitIsWatchedAcrossLostConnections(t *testing.T) {
	c, requests := serve(t, func(w http.ResponseWriter, _ *http.Request, n int) {
		switch n {
		case 1:
			send(w, progress("running", 1))
			cut(w)
		case 2:
			refuse(w, http.StatusServiceUnavailable, true)
		case 3:
			cut(w)
		case 4:
			send(w, ": still there\n\nevent: other\ndata: {}\n\n"+progress("running", 2)+"event: progress\ndata: {\"state\":\"done\"")
			// the last event is not complete: the connection ends here
		default:
			send(w, progress("done", 3))
		}
	})
	var steps []int
	last, err := c.WatchCommit(t.Context(), stage, "c0ffee", func(p api.Progress) { steps = append(steps, p.Done) })
	if err != nil || last.State != "done" || !slices.Equal(steps, []int{1, 2, 3}) || requests.Load() != 5 {
		t.Errorf("%+v, %v, steps %v after %d connections", last, err, steps, requests.Load())
	}
}

func TestAWatchEndsAtOnceWhereItIsRefusedForGood(t *testing.T) {
	c, requests := serve(t, func(w http.ResponseWriter, _ *http.Request, _ int) { refuse(w, http.StatusNotFound, false) })
	_, err := c.WatchCommit(t.Context(), stage, "c0ffee", func(api.Progress) {})
	var refused *api.ServiceError
	if !errors.As(err, &refused) || refused.Status != http.StatusNotFound || requests.Load() != 1 {
		t.Errorf("%v after %d connections", err, requests.Load())
	}
}

func TestACancelledWatchSaysSo(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	c, _ := serve(t, func(w http.ResponseWriter, r *http.Request, _ int) {
		send(w, progress("running", 1))
		<-r.Context().Done()
	})
	_, err := c.WatchCommit(ctx, stage, "c0ffee", func(api.Progress) { cancel() })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

func line(second int) string {
	return fmt.Sprintf("event: line\nid: e%d\ndata: {\"time\":\"2026-03-17T09:58:%02d.5Z\",\ndata: \"source\":\"app\",\"text\":\"line %d\"}\n\n", second, second, second)
}

func TestAFollowedLogGoesOnBehindTheLastLineSeen(t *testing.T) {
	var asked []string
	c, _ := serve(t, func(w http.ResponseWriter, r *http.Request, n int) {
		asked = append(asked, r.URL.RawQuery+" "+r.Header.Get("Last-Event-ID"))
		if n == 1 {
			send(w, line(1)+line(2))
			return
		}
		send(w, line(3)+"event: end\ndata: {\"task\":{\"id\":\"55a9\",\"exit_code\":3}}\n\n")
	})
	var texts []string
	ended, err := c.FollowLog(t.Context(), web, client.LogQuery{Limit: 250, Task: "55a9"}, func(l api.LogLine) error {
		texts = append(texts, l.Text)
		return nil
	})
	if err != nil || ended == nil || *ended.ExitCode != 3 || strings.Join(texts, ",") != "line 1,line 2,line 3" {
		t.Errorf("%+v, %v, %v", ended, err, texts)
	}
	if want := []string{"limit=250&task=55a9 ", "limit=250&task=55a9 e2"}; !slices.Equal(asked, want) {
		t.Errorf("asked %v, want %v", asked, want)
	}
}

func TestLinesThatComeAgainAreToldOnce(t *testing.T) {
	var asked []string
	c, _ := serve(t, func(w http.ResponseWriter, r *http.Request, n int) {
		asked = append(asked, r.Header.Get("Last-Event-ID"))
		switch n {
		case 1:
			send(w, line(1)+line(2)+line(3))
		case 2:
			send(w, line(2)) // and it breaks amid what is known
		default:
			send(w, line(2)+line(3)+line(4)+"event: end\ndata: {\"task\":{}}\n\n")
		}
	})
	var texts []string
	_, err := c.FollowLog(t.Context(), web, client.LogQuery{}, func(l api.LogLine) error {
		texts = append(texts, l.Text)
		return nil
	})
	if err != nil || strings.Join(texts, ",") != "line 1,line 2,line 3,line 4" || !slices.Equal(asked, []string{"", "e3", "e3"}) {
		t.Errorf("%v, %v, asked behind %v", err, texts, asked)
	}
}

func TestAWholeLogHasNoLimit(t *testing.T) {
	var asked string
	c, _ := serve(t, func(w http.ResponseWriter, r *http.Request, _ int) {
		asked = r.URL.RawQuery
		send(w, "event: end\ndata: {\"task\":{}}\n\n")
	})
	_, err := c.FollowTask(t.Context(), web, client.LogQuery{Task: "55a9", Whole: true, Limit: 3}, func(api.LogLine) error { return nil })
	if err != nil || asked != "limit=0&task=55a9" {
		t.Errorf("%v, asked %s", err, asked)
	}
}

func TestALogThatWasNeverReachedIsNotWaitedFor(t *testing.T) {
	c, requests := serve(t, func(w http.ResponseWriter, _ *http.Request, _ int) { cut(w) })
	_, err := c.FollowLog(t.Context(), web, client.LogQuery{}, func(api.LogLine) error { return nil })
	var lost *client.ConnectionError
	if !errors.As(err, &lost) || requests.Load() != 1 {
		t.Errorf("%v after %d connections", err, requests.Load())
	}
}

func TestAReaderThatFailsEndsTheStream(t *testing.T) {
	full := errors.New("disk full")
	c, requests := serve(t, func(w http.ResponseWriter, _ *http.Request, _ int) { send(w, line(1)) })
	_, err := c.FollowLog(t.Context(), web, client.LogQuery{}, func(api.LogLine) error { return full })
	if !errors.Is(err, full) || requests.Load() != 1 {
		t.Errorf("%v after %d connections", err, requests.Load())
	}
}
