package router

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// This test knows the inside, because only there a connection can be broken while the transport believes in it:
// its writing half is closed, so that a write fails before a byte is sent.
func TestAnIdleConnectionThatTakesNothingCostsNoRequest(t *testing.T) {
	for _, method := range []string{"GET", "HEAD", "OPTIONS", "DELETE", "POST", "PUT"} {
		for _, body := range []string{"", "body"} {
			t.Run(method+" "+body, func(t *testing.T) {
				dialed := serveOnce(t, method, body, true)
				if dialed != 2 {
					t.Errorf("%d connections were made", dialed)
				}
			})
		}
	}
}

func TestASoundIdleConnectionIsUsedAgain(t *testing.T) {
	for _, method := range []string{"GET", "HEAD", "OPTIONS", "DELETE", "POST", "PUT"} {
		t.Run(method, func(t *testing.T) {
			if dialed := serveOnce(t, method, "", false); dialed != 1 {
				t.Errorf("%d connections were made", dialed)
			}
		})
	}
}

// serveOnce sends a request, breaks the connection if told so, sends another that must be answered with its body,
// and returns how many connections that took.
func serveOnce(t *testing.T, method, body string, broken bool) (dialed int) {
	t.Helper()
	app := &patientApp{}
	addr := app.start(t)
	r := New(Config{})
	defer r.Close()
	conns := recordDials(r.transport)
	r.Set("stage", Routes{HTTP: []Route{{Host: "shop.localhost", Upstreams: []Upstream{{ID: "a", Addr: addr}}}}})

	ask := func(method, body string) {
		t.Helper()
		req := httptest.NewRequest(method, "http://shop.localhost/", strings.NewReader(body))
		w := httptest.NewRecorder()
		r.ServeHTTP(w, req)
		if w.Code != http.StatusOK || method != http.MethodHead && w.Body.String() != body {
			t.Errorf("answered %d %q", w.Code, w.Body)
		}
	}
	ask(http.MethodGet, "")
	if broken {
		if err := conns()[0].CloseWrite(); err != nil {
			t.Fatal(err)
		}
	}
	ask(method, body)
	if n := app.count(); n != 2 {
		t.Errorf("the app received %d requests", n)
	}
	return len(conns())
}

// recordDials returns what gives the connections made so far.
func recordDials(transport *http.Transport) func() []*appConn {
	var mu sync.Mutex
	var conns []*appConn
	dial := transport.DialContext
	transport.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := dial(ctx, network, addr)
		if err == nil {
			mu.Lock()
			conns = append(conns, conn.(*appConn))
			mu.Unlock()
		}
		return conn, err
	}
	return func() []*appConn {
		mu.Lock()
		defer mu.Unlock()
		return append([]*appConn(nil), conns...)
	}
}

// patientApp answers with the body it was sent. It keeps a connection whose client has no more to say.
type patientApp struct {
	received atomic.Int64
	ended    chan struct{}
}

func (a *patientApp) count() int64 { return a.received.Load() }

func (a *patientApp) start(t *testing.T) (addr string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	a.ended = make(chan struct{})
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			serving.Go(func() { a.serve(conn) })
		}
	})
	t.Cleanup(func() {
		close(a.ended)
		_ = listener.Close()
		serving.Wait()
	})
	return listener.Addr().String()
}

func (a *patientApp) serve(conn net.Conn) {
	defer func() { _ = conn.Close() }()
	reader := bufio.NewReader(conn)
	for {
		req, err := http.ReadRequest(reader)
		if err != nil {
			<-a.ended
			return
		}
		a.received.Add(1)
		body, _ := io.ReadAll(req.Body)
		if req.Method == http.MethodHead {
			body = nil
		}
		_, _ = fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
	}
}

func TestAnEndThatNobodyHasReadIsSeen(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("nothing is seen there")
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	dialed, err := newTransport().DialContext(t.Context(), "tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	conn := dialed.(*appConn)
	defer func() { _ = conn.Close() }()
	app, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	if conn.endedByApp() {
		t.Error("an open connection counts as ended")
	}
	if _, err := io.WriteString(app, "x"); err != nil {
		t.Fatal(err)
	}
	_ = app.Close()
	if conn.endedByApp() {
		t.Error("a connection with something to read counts as ended")
	}
	if got, err := io.ReadAll(io.LimitReader(conn, 1)); string(got) != "x" {
		t.Errorf("looking took something away: %q, %v", got, err)
	}
	deadline := time.Now().Add(5 * time.Second)
	for !conn.endedByApp() { // the end may still be on its way
		if time.Now().After(deadline) {
			t.Fatal("the end was never seen")
		}
		runtime.Gosched()
	}
}
