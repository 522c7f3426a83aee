package router_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/setopsco/setops/internal/router"
)

const testHost = "web.test.shop.localhost"

// front is a router behind a real listener.
type front struct {
	*router.Router
	addr   string
	client *http.Client
	tls    *tls.Config // of the client; nil for a plain front
}

func newFront(t *testing.T, config router.Config) *front {
	t.Helper()
	r := router.New(config)
	server := httptest.NewUnstartedServer(nil)
	server.Config = router.NewServer(r, slog.New(slog.DiscardHandler))
	server.Start()
	transport := &http.Transport{MaxIdleConnsPerHost: 100, DisableCompression: true}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		r.Close()
		server.Close()
	})
	return &front{Router: r, addr: server.Listener.Addr().String(), client: &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// Set is the Router's, for tests of nothing but HTTP.
func (f *front) Set(owner string, routes []router.Route) {
	f.Router.Set(owner, router.Routes{HTTP: routes})
}

// request asks the front for a host, by GET unless there is a body.
func (f *front) request(t *testing.T, host, path string, body io.Reader) *http.Request {
	t.Helper()
	method := http.MethodGet
	if body != nil {
		method = http.MethodPost
	}
	req, err := http.NewRequestWithContext(t.Context(), method, "http://"+f.addr+path, body)
	if err != nil {
		t.Fatal(err)
	}
	req.Host = host
	return req
}

// do returns the answer with its whole body.
func (f *front) do(t *testing.T, req *http.Request) (*http.Response, string) {
	t.Helper()
	res, err := f.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	return res, string(body)
}

func (f *front) get(t *testing.T, host string) (code int, body string) {
	t.Helper()
	res, body := f.do(t, f.request(t, host, "/", nil))
	return res.StatusCode, body
}

// inBackground sends a request, reads the whole answer and gives what went wrong with it.
func (f *front) inBackground(req *http.Request) <-chan error {
	result := make(chan error, 1)
	go func() { // ends with the request, at the latest when the test's context is done
		res, err := f.client.Do(req)
		if err == nil {
			_, err = io.Copy(io.Discard, res.Body)
			_ = res.Body.Close()
		}
		result <- err
	}()
	return result
}

// backend is an app's task.
func backend(t *testing.T, id string, handler http.HandlerFunc) (router.Upstream, *httptest.Server) {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return router.Upstream{ID: id, Addr: server.Listener.Addr().String()}, server
}

// named is a backend that answers with its id.
func named(t *testing.T, id string) router.Upstream {
	t.Helper()
	up, _ := backend(t, id, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, id) })
	return up
}

// dead is an upstream whose port nobody listens on: no test gets one so low, as it may get one that was just given back.
func dead(t *testing.T, id string) router.Upstream {
	t.Helper()
	return router.Upstream{ID: id, Addr: "127.0.0.1:1"}
}

func route(host string, upstreams ...router.Upstream) []router.Route {
	return []router.Route{{Host: host, Upstreams: upstreams}}
}

// eventually waits for a condition that others bring about, and fails when it does not come.
func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !condition() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("this never came true: %s", what)
		}
	}
}

// keptConn is a client that has one connection and never makes another, as net/http's may.
type keptConn struct {
	net.Conn
	reader *bufio.Reader
}

func newKeptConn(t *testing.T, addr string) *keptConn {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	return &keptConn{conn, bufio.NewReader(conn)}
}

// do returns the answer with its whole body.
func (c *keptConn) do(req *http.Request) (res *http.Response, body string, err error) {
	if err := req.Write(c); err != nil {
		return nil, "", err
	}
	res, err = http.ReadResponse(c.reader, req)
	if err != nil {
		return nil, "", err
	}
	all, err := io.ReadAll(res.Body)
	return res, string(all), err
}

// send writes text as it is, in a connection that then says no more, and returns all that comes back.
func (f *front) send(t *testing.T, text string) string {
	t.Helper()
	conn, err := net.Dial("tcp", f.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if err := conn.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	// The server may have had enough before the end: what it says then is what matters.
	_, _ = io.WriteString(conn, text)
	_ = conn.(*net.TCPConn).CloseWrite()
	all, _ := io.ReadAll(conn)
	return string(all)
}
