package client_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/setopsco/setops/pkg/api"
	"github.com/setopsco/setops/pkg/client"
)

var (
	quick = client.Options{Backoff: time.Millisecond, Patience: time.Minute, Resend: time.Minute}
	brief = client.Options{Backoff: time.Millisecond, Resend: 50 * time.Millisecond} // where nobody will ever answer
	stage = client.StageRef{ProjectRef: client.ProjectRef{Organization: "demo", Project: "shop"}, Stage: "production"}
	web   = client.AppRef{StageRef: stage, App: "web"}
)

// serve answers the n-th request, counted from 1, with answer.
func serve(t *testing.T, answer func(w http.ResponseWriter, r *http.Request, n int)) (*client.Client, *atomic.Int32) {
	t.Helper()
	var requests atomic.Int32
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer(w, r, int(requests.Add(1)))
	}))
	t.Cleanup(s.Close)
	return client.New(s.URL, "token", quick), &requests
}

func refuse(w http.ResponseWriter, status int, temporary bool) {
	w.WriteHeader(status)
	_, _ = fmt.Fprintf(w, `{"type":"StateError","code":"Overload","message":"busy","temporary":%v,"request_id":"abcd1234"}`, temporary)
}

func cut(w http.ResponseWriter) {
	connection, _, err := http.NewResponseController(w).Hijack()
	if err == nil {
		_ = connection.Close()
	}
}

func TestWhatTheServerCallsTemporaryIsSentAgain(t *testing.T) {
	c, requests := serve(t, func(w http.ResponseWriter, _ *http.Request, n int) {
		if n < 3 {
			refuse(w, http.StatusConflict, true)
			return
		}
		_, _ = fmt.Fprint(w, `{"id":"c0ffee"}`)
	})
	commit, err := c.StartCommit(t.Context(), stage, api.StartCommit{})
	if err != nil || commit.ID != "c0ffee" || requests.Load() != 3 {
		t.Errorf("commit %+v, %v after %d requests", commit, err, requests.Load())
	}
}

func TestWhatIsTemporaryForTooLongIsAnError(t *testing.T) {
	c, requests := serve(t, func(w http.ResponseWriter, _ *http.Request, _ int) { refuse(w, http.StatusConflict, true) })
	_, err := c.StartCommit(t.Context(), stage, api.StartCommit{})
	var refused *api.ServiceError
	if !errors.As(err, &refused) || refused.Status != http.StatusConflict || requests.Load() != 5 {
		t.Errorf("%v after %d requests", err, requests.Load())
	}
}

func TestWhatIsNotTemporaryIsSentOnce(t *testing.T) {
	c, requests := serve(t, func(w http.ResponseWriter, _ *http.Request, _ int) { refuse(w, http.StatusConflict, false) })
	_, err := c.Apps(t.Context(), stage)
	var refused *api.ServiceError
	if !errors.As(err, &refused) || refused.Message != "busy" || requests.Load() != 1 {
		t.Errorf("%v after %d requests", err, requests.Load())
	}
}

func TestACutConnectionIsMadeAgain(t *testing.T) {
	c, requests := serve(t, func(w http.ResponseWriter, _ *http.Request, n int) {
		if n == 1 {
			cut(w)
			return
		}
		_, _ = fmt.Fprint(w, `{"apps":[{"name":"web"}]}`)
	})
	if apps, err := c.Apps(t.Context(), stage); err != nil || len(apps) != 1 || requests.Load() != 2 {
		t.Errorf("%v, %v after %d requests", apps, err, requests.Load())
	}
	c, requests = serve(t, func(w http.ResponseWriter, _ *http.Request, _ int) { cut(w) })
	_, err := client.New(c.Address(), "token", brief).StartCommit(t.Context(), stage, api.StartCommit{})
	var lost *client.ConnectionError
	if !errors.As(err, &lost) || lost.Address != c.Address() || !strings.Contains(err.Error(), "closed the connection") {
		t.Fatalf("%v", err)
	}
	if n := int(requests.Load()); lost.Tries > n {
		t.Errorf("a commit was asked for %d times, and that says %d", n, lost.Tries)
	}
}

func TestAServerThatIsDownIsAConnectionError(t *testing.T) {
	const address = "http://127.0.0.1:1" // a port that was free might be another test's by now
	_, err := client.New(address, "token", brief).Session(t.Context())
	if want := "the server at " + address + " cannot be reached: connection refused"; err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}

func TestAPageOfAnotherServerIsNoAnswer(t *testing.T) {
	c, _ := serve(t, func(w http.ResponseWriter, _ *http.Request, _ int) {
		http.Error(w, "<h1>nginx</h1>", http.StatusNotFound)
	})
	_, err := c.Session(t.Context())
	if err == nil || !strings.Contains(err.Error(), c.Address()+" answered 404 Not Found") {
		t.Errorf("%v", err)
	}
	c, _ = serve(t, func(w http.ResponseWriter, _ *http.Request, _ int) { _, _ = fmt.Fprint(w, "<h1>hello</h1>") })
	if _, err := c.Session(t.Context()); err == nil || !strings.Contains(err.Error(), c.Address()) {
		t.Errorf("%v", err)
	}
}

func TestARedirectIsNotFollowed(t *testing.T) {
	var stolen atomic.Bool
	other := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		stolen.Store(r.Header.Get("Authorization") != "")
	}))
	defer other.Close()
	c, _ := serve(t, func(w http.ResponseWriter, r *http.Request, _ int) { http.Redirect(w, r, other.URL, http.StatusFound) })
	if _, err := c.Session(t.Context()); err == nil || stolen.Load() {
		t.Errorf("%v, token sent elsewhere: %v", err, stolen.Load())
	}
}

func TestACancelledRequestSaysSo(t *testing.T) {
	c, _ := serve(t, func(_ http.ResponseWriter, r *http.Request, _ int) {
		_, _ = io.Copy(io.Discard, r.Body) // else the server does not notice that the client has gone
		<-r.Context().Done()
	})
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(10*time.Millisecond, cancel)
	if _, err := c.StartCommit(ctx, stage, api.StartCommit{}); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

func TestNamesCannotLeaveTheirPlaceInAPath(t *testing.T) {
	var path string
	c, _ := serve(t, func(w http.ResponseWriter, r *http.Request, _ int) {
		path = r.URL.EscapedPath()
		_, _ = fmt.Fprint(w, "{}")
	})
	ref := web
	ref.App = "../../x?y"
	if _, err := c.App(t.Context(), ref); err != nil {
		t.Fatal(err)
	}
	if want := "/v1/organizations/demo/projects/shop/stages/production/apps/..%2F..%2Fx%3Fy"; path != want {
		t.Errorf("asked for %s, want %s", path, want)
	}
}

func TestAnOriginIsSchemeHostAndPort(t *testing.T) {
	for address, want := range map[string]string{
		"http://127.0.0.1:7700/":  "http://127.0.0.1:7700",
		"https://Example.com":     "https://example.com:443",
		"HTTP://example.com/x":    "http://example.com:80",
		"http://[::1]:7700":       "http://[::1]:7700",
		"https://a@evil.com":      "https://evil.com:443",
		"ftp://example.com":       "",
		"example.com:7700":        "",
		"http://":                 "",
		"http://example.com:http": "",
	} {
		if got := client.Origin(address); got != want {
			t.Errorf("%s has origin %q, want %q", address, got, want)
		}
	}
}

func TestNamesBelowLocalhostAreThisMachine(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, `{"email":%q}`, r.Host)
	}))
	defer server.Close()
	_, port, _ := net.SplitHostPort(server.Listener.Addr().String())
	for _, host := range []string{"api.localhost", "API.shop.LOCALHOST"} {
		session, err := client.New("http://"+host+":"+port, "token", quick).Session(t.Context())
		if err != nil || session.Email != host+":"+port {
			t.Errorf("%s: %+v, %v", host, session, err)
		}
	}
}
