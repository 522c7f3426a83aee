package transport

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// These tests know the inside, because only there an idle connection can be changed while the transport believes in it.

// patient is a task that answers with the body that it was sent, and keeps a connection whose client has no more to say.
type patient struct {
	addr     string
	received atomic.Int64
	accepted chan net.Conn
	over     chan struct{}
}

func newPatient(t *testing.T) *patient {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &patient{addr: listener.Addr().String(), accepted: make(chan net.Conn, 100), over: make(chan struct{})}
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			p.accepted <- conn
			serving.Go(func() { p.serve(conn) })
		}
	})
	t.Cleanup(func() {
		close(p.over)
		_ = listener.Close()
		serving.Wait()
	})
	return p
}

func (p *patient) serve(conn net.Conn) {
	defer func() { _ = conn.Close() }()
	reader := bufio.NewReader(conn)
	for {
		req, err := http.ReadRequest(reader)
		if err != nil {
			<-p.over
			return
		}
		p.received.Add(1)
		body, _ := io.ReadAll(req.Body)
		if req.Method == http.MethodHead {
			body = nil
		}
		_, _ = fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
	}
}

// request has a body that is streamed, unless it is in memory.
func (p *patient) request(t *testing.T, method, body string) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, "http://"+p.addr+"/", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if body == "streamed" {
		req.GetBody = nil
	}
	return req
}

func (p *patient) ask(t *testing.T, tr *Transport, method, body string) {
	t.Helper()
	res, err := tr.RoundTrip(p.request(t, method, body))
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(res.Body)
	if err != nil || method != http.MethodHead && string(got) != body {
		t.Errorf("got %q, %v", got, err)
	}
}

// only gives the one connection that is idle.
func (t *Transport) only(test *testing.T) *conn {
	test.Helper()
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, s := range t.idle {
		if len(s.conns) == 1 {
			return s.conns[0]
		}
	}
	test.Fatal("not exactly one connection is idle")
	return nil
}

func TestAnIdleConnectionThatCannotBeUsedCostsNoRequest(t *testing.T) {
	defects := map[string]func(*testing.T, *conn, net.Conn){
		"none": func(*testing.T, *conn, net.Conn) {},
		"takes nothing": func(t *testing.T, c *conn, _ net.Conn) {
			if err := c.tcp.CloseWrite(); err != nil {
				t.Fatal(err)
			}
		},
		"ended": func(t *testing.T, c *conn, task net.Conn) {
			_ = task.Close()
			awaitNoise(t, c)
		},
		"spoke unasked": func(t *testing.T, c *conn, task net.Conn) {
			_, _ = io.WriteString(task, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
			awaitNoise(t, c)
		},
		"aged": func(_ *testing.T, c *conn, _ net.Conn) { c.idleSince = c.idleSince.Add(-DefaultIdleTimeout) },
	}
	for name, spoil := range defects {
		for _, method := range []string{"GET", "HEAD", "OPTIONS", "DELETE", "POST", "PUT"} {
			for _, body := range []string{"", "streamed", "in memory"} {
				t.Run(name+" "+method+" "+body, func(t *testing.T) {
					if runtime.GOOS == "windows" && (name == "ended" || name == "spoke unasked") {
						t.Skip("nothing is seen there")
					}
					p, tr := newPatient(t), New(Config{})
					defer tr.CloseIdleConnections()
					p.ask(t, tr, http.MethodGet, "")
					first := tr.only(t)
					spoil(t, first, <-p.accepted)
					p.ask(t, tr, method, body)
					if n := p.received.Load(); n != 2 {
						t.Errorf("the task received %d requests", n)
					}
					if again := tr.only(t) == first; again != (name == "none") {
						t.Errorf("the connection was used again: %t", again)
					}
				})
			}
		}
	}
}

// awaitNoise waits until what the task did has come.
func awaitNoise(t *testing.T, c *conn) {
	t.Helper()
	deadline := time.Now().Add(time.Minute)
	for c.silent() {
		if time.Now().After(deadline) {
			t.Fatal("nothing is seen of it")
		}
		runtime.Gosched()
	}
}

func TestAFreshConnectionThatTakesNothingIsSaidToBeUnsent(t *testing.T) {
	for _, body := range []string{"", "streamed", "in memory"} {
		p, tr := newPatient(t), New(Config{})
		req := p.request(t, http.MethodPost, body)
		c, err := tr.connect(t.Context(), p.addr)
		if err != nil {
			t.Fatal(err)
		}
		_ = c.tcp.CloseWrite()
		_, err = (&exchange{transport: tr, conn: c, ctx: t.Context(), req: req}).run()
		var unsent *NotSentError
		if !errors.As(err, &unsent) || !Unsent(err) || unsent.Addr != p.addr {
			t.Errorf("got %v", err)
		}
		if rest, _ := io.ReadAll(req.Body); string(rest) != body {
			t.Errorf("of the body is left %q", rest)
		}
	}
}

func TestIdleConnectionsAreLimitedAndClosedInTime(t *testing.T) {
	const idle = 50 * time.Millisecond
	p, tr := newPatient(t), New(Config{MaxIdlePerHost: 3, IdleTimeout: idle})
	var conns []*conn
	for range 5 {
		c, err := tr.connect(t.Context(), p.addr)
		if err != nil {
			t.Fatal(err)
		}
		conns = append(conns, c)
	}
	for _, c := range conns {
		tr.put(c)
	}
	if c := tr.take(p.addr); c != conns[2] {
		t.Error("the one that was used last is not taken first")
	} else {
		c.close()
	}
	deadline := time.Now().Add(time.Minute)
	for !tr.empty() {
		if time.Now().After(deadline) {
			t.Fatal("what is idle stays")
		}
		runtime.Gosched()
	}
	for i, c := range conns {
		if c.silent() {
			t.Errorf("connection %d is open", i)
		}
	}
}

// empty reports that nothing is idle, and nothing remembered of addresses.
func (t *Transport) empty() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.idle) == 0 && t.sweep == nil
}
