package cli_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/setopsco/setops/pkg/api"
)

// token is what the fake server issues and demands.
const token = "sops_secret"

// fake is a server that speaks pkg/api with fixed answers. It remembers what it was sent.
type fake struct {
	*httptest.Server

	mu       sync.Mutex
	requests []request
	ended    map[string]bool // stages with the ids of commits that were watched to their ends
	interval int             // seconds between two questions for tokens
	answers  []string        // of the next questions for tokens: a reason to refuse, or "" for tokens; then it is always tokens
}

type request struct {
	line, authorization, body string
}

const stageOf = "/v1/organizations/demo/projects/{project}/stages/{stage}"

func newFake(t *testing.T) *fake {
	t.Helper()
	f := &fake{ended: map[string]bool{}, interval: 1}
	mux := http.NewServeMux()
	f.sessions(mux)
	f.projects(mux)
	f.people(mux)
	f.changesets(mux)
	f.apps(mux)
	f.deploys(mux)
	f.Server = httptest.NewServer(withImages(f.recorded(mux)))
	t.Cleanup(f.Close)
	return f
}

// recorded keeps requests and turns away those that lack the token.
func (f *fake) recorded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(text))
		body := strings.TrimSuffix(string(text), "\n")
		f.mu.Lock()
		f.requests = append(f.requests, request{r.Method + " " + r.URL.RequestURI(), r.Header.Get("Authorization"), body})
		f.mu.Unlock()
		if r.Header.Get("Authorization") != "Bearer "+token && !isOpen(r) {
			refuse(w, http.StatusUnauthorized, "SessionInvalid", "the session is unknown or has expired")
			return
		}
		next.ServeHTTP(w, r)
	})
}

// isOpen tells requests that need no token.
func isOpen(r *http.Request) bool {
	return r.URL.Path == api.VersionPath || r.Method == "POST" && (r.URL.Path == api.SessionsPath || strings.HasPrefix(r.URL.Path, "/v1/oauth/"))
}

// forget makes commits that were watched to their end go on again.
func (f *fake) forget() {
	f.mu.Lock()
	defer f.mu.Unlock()
	clear(f.ended)
}

func (f *fake) sent() []request {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.requests)
}

// last is the newest request of a method.
func (f *fake) last(t *testing.T, method string) request {
	t.Helper()
	sent := f.sent()
	for i := len(sent) - 1; i >= 0; i-- {
		if sent[i].line[:len(method)+1] == method+" " {
			return sent[i]
		}
	}
	t.Fatalf("no %s was sent, only %v", method, sent)
	return request{}
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}

func refuse(w http.ResponseWriter, status int, code, message string) {
	kind := "StateError"
	if status == http.StatusUnauthorized {
		kind = "AuthenticationError"
	}
	answer(w, status, api.ServiceError{Type: kind, Code: code, Message: message, RequestID: "abcd1234"})
}

// event sends one server-sent event.
func event(w http.ResponseWriter, name string, data any) {
	text, _ := json.Marshal(data)
	_, _ = fmt.Fprintf(w, "event: %s\ndata: %s\n\n", name, text)
	w.(http.Flusher).Flush()
}

func at(text string) time.Time {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		panic(err)
	}
	return t
}

func pointer[T any](v T) *T { return &v }
