package transport_test

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/setopsco/setops/internal/router/transport"
)

// task is a server that does with each request what a test says, and no more.
type task struct {
	addr     string
	conns    atomic.Int64 // made so far
	requests atomic.Int64 // whose header was received
	stop     chan struct{}
	close    func() // waits for all that serves; the test does it where nobody else did
}

// wire is the task's side of a connection with a request that has come. The body is read as far as the test does it.
type wire struct {
	net.Conn
	req  *http.Request
	stop <-chan struct{} // the test is over
}

func (w *wire) say(text string) { _, _ = io.WriteString(w.Conn, text) }

// newTask starts a task. Serve returns whether the connection is kept.
func newTask(t testing.TB, serve func(*wire) bool) *task {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	up := &task{addr: listener.Addr().String(), stop: make(chan struct{})}
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			up.conns.Add(1)
			serving.Go(func() { up.serve(conn, serve) })
		}
	})
	up.close = sync.OnceFunc(func() {
		close(up.stop)
		_ = listener.Close()
		serving.Wait()
	})
	t.Cleanup(up.close)
	return up
}

func (up *task) serve(conn net.Conn, serve func(*wire) bool) {
	defer func() { _ = conn.Close() }()
	// Ends the reading of a connection that the other side keeps.
	stop := make(chan struct{})
	defer close(stop)
	go func() {
		select {
		case <-up.stop:
			_ = conn.Close()
		case <-stop:
		}
	}()
	reader := bufio.NewReader(conn)
	for {
		req, err := http.ReadRequest(reader)
		if err != nil {
			return
		}
		up.requests.Add(1)
		if !serve(&wire{conn, req, up.stop}) {
			return
		}
		if _, err := io.Copy(io.Discard, req.Body); err != nil {
			return
		}
	}
}

// says is a task that answers every request with the same text, and keeps the connection.
func says(t testing.TB, text string) *task {
	return newTask(t, func(w *wire) bool {
		_, _ = io.Copy(io.Discard, w.req.Body)
		w.say(text)
		return true
	})
}

const fine = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfine"

func newTransport(t testing.TB, config transport.Config) *transport.Transport {
	tr := transport.New(config)
	t.Cleanup(tr.CloseIdleConnections)
	return tr
}

func (up *task) request(t testing.TB, method string, body io.Reader) *http.Request {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	req, err := http.NewRequestWithContext(ctx, method, "http://"+up.addr+"/", body)
	if err != nil {
		t.Fatal(err)
	}
	return req
}

// ask sends a request without a body and returns the answer with its whole body.
func (up *task) ask(t testing.TB, tr http.RoundTripper, method string) (*http.Response, string) {
	t.Helper()
	return send(t, tr, up.request(t, method, nil))
}

func send(t testing.TB, tr http.RoundTripper, req *http.Request) (*http.Response, string) {
	t.Helper()
	res, err := tr.RoundTrip(req)
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

// noGoroutinesOfOurs waits until nothing of the transport runs.
func noGoroutinesOfOurs(t testing.TB) {
	t.Helper()
	eventually(t, "no goroutine of the transport is left", func() bool {
		stacks := make([]byte, 1<<20)
		stacks = stacks[:runtime.Stack(stacks, true)]
		return !strings.Contains(string(stacks), "transport.(*upload)")
	})
}

func eventually(t testing.TB, what string, condition func() bool) {
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
