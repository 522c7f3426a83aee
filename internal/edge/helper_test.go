package edge_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/setopsco/setops/internal/edge"
	"github.com/setopsco/setops/internal/edge/edgetest"
	"github.com/setopsco/setops/internal/edge/publish"
	"github.com/setopsco/setops/internal/routing"
)

const key = "0123456789abcdef"

// replica is a router that a test runs.
type replica struct {
	t           *testing.T
	http, https string // addresses
	admin       string
	end         func()       // as SIGTERM does
	ended       chan error   // gets what Serve returned
	client      *http.Client // of the test
}

// with changes the configuration of a replica.
type with func(*edge.Config)

func start(t *testing.T, n *edgetest.Namespace, options ...with) *replica {
	t.Helper()
	config := edge.Config{
		Source: n, Logger: slog.New(slog.DiscardHandler), HTTP: listen(t), Admin: listen(t),
		Linger: time.Millisecond, Leave: 20 * time.Second,
	}
	for _, o := range options {
		o(&config)
	}
	ctx, end := context.WithCancel(t.Context())
	r := &replica{
		t: t, http: config.HTTP.Addr().String(), admin: config.Admin.Addr().String(), end: end, ended: make(chan error, 1),
		client: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse
		}},
	}
	if config.HTTPS != nil {
		r.https = config.HTTPS.Addr().String()
	}
	over := make(chan struct{})
	go func() {
		defer close(over)
		r.ended <- edge.New(config).Serve(ctx)
	}()
	t.Cleanup(func() { end(); <-over })
	return r
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// status asks the admin port.
func (r *replica) status(path string) int {
	r.t.Helper()
	answer, err := r.client.Get("http://" + r.admin + path)
	if err != nil {
		return 0
	}
	_ = answer.Body.Close()
	return answer.StatusCode
}

// get gives the answer of a host, or its status where it is not 200.
func (r *replica) get(host string) string { return r.ask(host, "/") }

func (r *replica) ask(host, path string) string {
	r.t.Helper()
	req, err := http.NewRequestWithContext(r.t.Context(), http.MethodGet, "http://"+r.http+path, nil)
	if err != nil {
		r.t.Fatal(err)
	}
	req.Host = host
	answer, err := r.client.Do(req)
	if err != nil {
		return err.Error()
	}
	defer func() { _ = answer.Body.Close() }()
	text, _ := io.ReadAll(answer.Body)
	switch answer.StatusCode {
	case http.StatusOK:
		return string(text)
	case http.StatusPermanentRedirect:
		return "→ " + answer.Header.Get("Location")
	}
	return fmt.Sprint(answer.StatusCode)
}

// task answers with its id.
func task(t *testing.T, id string) routing.Task {
	t.Helper()
	return serve(t, id, func(http.ResponseWriter, *http.Request) {})
}

// slowTask keeps each request for /slow until goOn is closed, and tells of it by entered.
func slowTask(t *testing.T, id string) (one routing.Task, entered <-chan struct{}, goOn chan struct{}) {
	t.Helper()
	in, out := make(chan struct{}, 10), make(chan struct{})
	return serve(t, id, func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/slow" {
			return
		}
		in <- struct{}{}
		select {
		case <-out:
		case <-r.Context().Done():
		}
	}), in, out
}

func serve(t *testing.T, id string, before http.HandlerFunc) routing.Task {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		before(w, r)
		fmt.Fprint(w, id)
	}))
	t.Cleanup(s.Close)
	return routing.Task{ID: id, Address: s.Listener.Addr().String()}
}

// app is one whose host is NAME.example.net.
func app(name string, tasks ...routing.Task) routing.Route {
	return routing.Route{App: name, Hosts: []routing.Host{{Name: name + ".example.net"}}, Port: 80, Check: &routing.Check{}, Tasks: tasks}
}

func apps(all ...routing.Route) routing.Routes { return routing.Routes{Apps: all} }

// pods are the replicas that the cluster says run.
type pods struct {
	mu  sync.Mutex
	all map[string]bool
}

func podsOf(replicas ...*replica) *pods {
	p := &pods{all: map[string]bool{}}
	for _, r := range replicas {
		p.all[r.admin] = true
	}
	return p
}

func (p *pods) die(r *replica) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.all, r.admin)
}

func (p *pods) Replicas(context.Context) (all []string, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for address := range p.all {
		all = append(all, address)
	}
	return all, nil
}

func publisher(t *testing.T, n *edgetest.Namespace, p *pods) *publish.Publisher {
	t.Helper()
	made, err := publish.Open(t.Context(), publish.Config{
		Objects: n, Replicas: p, Installation: "0123abcd", Key: key, APIHost: "api.example.net",
		Logger: slog.New(slog.DiscardHandler), Retry: time.Millisecond, Look: 10 * time.Millisecond,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := made.Close(); err != nil {
			t.Error(err)
		}
	})
	return made
}

func until(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !is(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not so after 20 s: %s", what)
		}
	}
}

func parse(t *testing.T, text string) *url.URL {
	t.Helper()
	u, err := url.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func contains(t *testing.T, text, part string) {
	t.Helper()
	if !strings.Contains(text, part) {
		t.Errorf("%q lacks %q", text, part)
	}
}
