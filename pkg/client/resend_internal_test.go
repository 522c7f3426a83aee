package client

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/setopsco/setops/pkg/api"
)

func TestWhoeverDoesNotQueueIsToldAtOnce(t *testing.T) {
	running := &api.ServiceError{Code: "CommitAlreadyRunning", Temporary: true, RequestID: "abcd1234"}
	overload := &api.ServiceError{Code: "Overload", Temporary: true, RequestID: "abcd1234"}
	commit := call{method: "POST", key: "k", in: api.StartCommit{NoQueue: true}}
	if commit.bears(running) || !commit.bears(overload) {
		t.Error("a commit that does not queue is sent again behind another, or not where the server is busy")
	}
	commit.in = api.StartCommit{}
	if !commit.bears(running) {
		t.Error("a commit that queues is not sent again")
	}
}

func TestALostAnswerIsAskedForAgainForAFewSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, sent, began := New("http://server", "token", Options{}), 0, time.Now()
		err := c.insist(t.Context(), call{method: http.MethodGet}, func() error {
			sent++
			return &ConnectionError{Err: io.EOF}
		})
		var lost *ConnectionError
		if !errors.As(err, &lost) || lost.Tries != sent || sent < 3 {
			t.Errorf("%v; it was sent %d times", err, sent)
		}
		if passed := time.Since(began); passed > c.options.Resend || passed < c.options.Resend/2 {
			t.Errorf("gave up after %s", passed)
		}
	})
}

// leaving is a server that tells one event, and then stays away.
type leaving struct{ requests int }

func (l *leaving) RoundTrip(*http.Request) (*http.Response, error) {
	if l.requests++; l.requests > 1 {
		return nil, io.EOF
	}
	body := io.NopCloser(strings.NewReader("event: progress\ndata: {\"state\":\"running\"}\n\n"))
	return &http.Response{StatusCode: http.StatusOK, Body: body}, nil
}

func TestAWatchEndsWhenTheServerStaysAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, server, began := New("http://server", "token", Options{}), &leaving{}, time.Now()
		c.http.SetTransport(server)
		_, err := c.WatchCommit(t.Context(), StageRef{}, "c0ffee", func(api.Progress) {})
		var lost *ConnectionError
		if !errors.As(err, &lost) || server.requests < 3 {
			t.Errorf("%v after %d connections", err, server.requests)
		}
		if passed := time.Since(began); passed < c.options.Patience || passed > 2*c.options.Patience {
			t.Errorf("gave up after %s", passed)
		}
	})
}
