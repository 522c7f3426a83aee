package httpapi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"

	"github.com/danielgtaylor/huma/v2"

	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/setops"
	"github.com/setopsco/setops/pkg/api"
)

func TestEveryErrorHasItsStatus(t *testing.T) {
	s := &Server{Logger: slog.New(slog.DiscardHandler)}
	for name, test := range map[string]struct {
		err    error
		status int
		why    string
	}{
		"validation":              {setops.InvalidInput(setops.ValidationFailed, []setops.Violation{{Field: "a", Validator: setops.Required, Message: "is needed"}}), 422, "a: is needed"},
		"not signed in":           {&setops.Error{Kind: setops.AuthenticationError, Code: setops.SessionInvalid, Message: "no"}, 401, "no"},
		"too many tries":          {&setops.Error{Kind: setops.AuthenticationError, Code: setops.Overload, Message: "wait"}, 429, "wait"},
		"not there":               {setops.Refuse(setops.StageDoesNotExist, "no stage"), 404, "no stage"},
		"no such commit":          {setops.Refuse(setops.CommitNotFound, "no commit"), 404, "no commit"},
		"not allowed":             {setops.Refuse(setops.CodeInsufficientPrivileges, "no"), 403, "no"},
		"there already":           {setops.Refuse(setops.AppAlreadyExists, "twice"), 409, "twice"},
		"wrapped":                 {fmt.Errorf("look: %w", setops.Refuse(setops.AppDoesNotExist, "no app")), 404, "no app"},
		"a fault tells nothing":   {errors.New("open /srv/secret: permission denied"), 500, "something went wrong in the server"},
		"but of a full disk":      {fmt.Errorf("write: %w", syscall.ENOSPC), 500, "the server's disk is full; ask its operator to make room, then try again"},
		"and of an image's fault": {&engine.GateError{Cause: "the image is for arm64"}, 500, "the image is for arm64"},
	} {
		var e *api.ServiceError
		if !errors.As(s.translate(t.Context(), test.err), &e) || e.Status != test.status || e.Message != test.why {
			t.Errorf("%s: %+v", name, e)
		}
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	var e *api.ServiceError
	if !errors.As(s.translate(gone, context.Canceled), &e) || e.Status != 499 || !e.Temporary {
		t.Errorf("a client that went away: %+v", e)
	}
}

func TestTheCauseOfAPassingFaultIsInTheLogAlone(t *testing.T) {
	var log bytes.Buffer
	s := &Server{Logger: slog.New(slog.NewTextHandler(&log, nil))}
	cause := errors.New("dial 192.0.2.1:5432")
	var e *api.ServiceError
	err := s.translate(t.Context(), fmt.Errorf("read: %w", &setops.Error{
		Kind: setops.Fault, Code: setops.ServerFailure, Message: "away", Temporary: true, Err: cause,
	}))
	if !errors.As(err, &e) || e.Status != 500 || e.Message != "away" || !e.Temporary || !strings.Contains(log.String(), cause.Error()) {
		t.Errorf("%+v; the log has %s", e, log.String())
	}
}

func TestAPanicIsAnAnswerAndALineInTheLog(t *testing.T) {
	var log bytes.Buffer
	s := &Server{Logger: slog.New(slog.NewTextHandler(&log, nil))}
	w := httptest.NewRecorder()
	s.observe(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("broken: a secret") })).
		ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/v1/x", nil))
	var e api.ServiceError
	if err := json.Unmarshal(w.Body.Bytes(), &e); err != nil || w.Code != 500 || e.Code != "ServerFailure" || len(e.RequestID) != 8 {
		t.Errorf("%d %s, %v", w.Code, w.Body, err)
	}
	if strings.Contains(w.Body.String(), "secret") {
		t.Error("the answer tells what the panic was")
	}
	if !strings.Contains(log.String(), "request="+e.RequestID) || !strings.Contains(log.String(), "broken: a secret") || !strings.Contains(log.String(), "server_test.go") {
		t.Errorf("the log has %s", log.String())
	}
	defer func() {
		if recover() != http.ErrAbortHandler {
			t.Error("a handler cannot abort its answer")
		}
	}()
	s.observe(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })).
		ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/", nil))
}

func TestReadinessSaysWhyNot(t *testing.T) {
	why := errors.New("starting")
	s := &Server{Logger: slog.New(slog.DiscardHandler), Ready: func(context.Context) error { return why }}
	ask := func(path string) (int, string) {
		w := httptest.NewRecorder()
		s.Handler(nil).ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		return w.Code, w.Body.String()
	}
	if code, text := ask("/readyz"); code != 503 || text != "starting\n" {
		t.Errorf("%d %q", code, text)
	}
	if code, _ := ask("/healthz"); code != 200 {
		t.Errorf("healthz: %d", code)
	}
	why = nil
	if code, text := ask("/readyz"); code != 200 || text != "ready\n" {
		t.Errorf("%d %q", code, text)
	}
}

func TestWhatIsNotTheAPIsGoesToTheRegistry(t *testing.T) {
	s := &Server{Logger: slog.New(slog.DiscardHandler), Ready: func(context.Context) error { return nil }}
	next := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })
	for path, want := range map[string]int{
		"/v2/":                   http.StatusTeapot,
		"/v2/demo/x/manifests/1": http.StatusTeapot,
		"/anything":              http.StatusTeapot,
		"/v1/nothing":            http.StatusNotFound,
		"/healthz":               http.StatusOK,
		"/openapi.json":          http.StatusOK,
	} {
		w := httptest.NewRecorder()
		s.Handler(next).ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		if w.Code != want {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
}

// readStream runs an event stream over HTTP and gives what a client has read of it, once it has ended.
func readStream(t *testing.T, s *Server, f func(ctx context.Context, send sender)) string {
	t.Helper()
	mux := http.NewServeMux()
	h := newAPI(mux, "test")
	open(s, h, get("/stream", "stream", "A stream"), func(context.Context, *struct{}) (*huma.StreamResponse, error) {
		return s.events(f), nil
	})
	w := httptest.NewRecorder()
	mux.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/stream", nil))
	if got := w.Header().Get("Content-Type"); got != "text/event-stream" {
		t.Errorf("Content-Type %q", got)
	}
	return w.Body.String()
}

func TestEventsAreSentInOrderAndEndWithTheirSource(t *testing.T) {
	s := &Server{Logger: slog.New(slog.DiscardHandler), Stopping: make(chan struct{})}
	got := readStream(t, s, func(_ context.Context, send sender) {
		send("line", "1", map[string]string{"text": "a\nb"})
		send("end", "", 7)
	})
	want := "event: line\nid: 1\ndata: {\"text\":\"a\\nb\"}\n\nevent: end\ndata: 7\n\n"
	if got != want {
		t.Errorf("%q", got)
	}
}

func TestStreamsEndWhenTheServerStops(t *testing.T) {
	stopping := make(chan struct{})
	s := &Server{Logger: slog.New(slog.DiscardHandler), Stopping: stopping}
	sent := 0
	got := readStream(t, s, func(_ context.Context, send sender) {
		for send("line", "", sent) { // until it is told that nobody listens
			if sent++; sent == 3 {
				close(stopping)
			}
		}
	})
	if !strings.HasPrefix(got, "event: line\ndata: 0\n\n") || sent < 3 {
		t.Errorf("%d events were sent: %q", sent, got)
	}
}
