package handover_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/setopsco/setops/internal/handover"
)

// idle is short enough to be waited for. Who has a request for a server that is left already needs long, however late it is sent.
const (
	idle = 300 * time.Millisecond
	long = time.Hour
)

// visited is a server that is to be left.
type visited struct {
	*handover.Server
	l         net.Listener
	ended     chan error
	connected int
}

func visit(t *testing.T, handler http.HandlerFunc) *visited {
	t.Helper()
	l, err := listen()
	if err != nil {
		t.Fatal(err)
	}
	v := &visited{Server: handover.NewServer(&http.Server{Handler: handler}), l: l, ended: make(chan error, 1)}
	go func() { v.ended <- v.Serve(l) }()
	t.Cleanup(func() {
		v.Close() //nolint:errcheck // the test is over
		l.Close() //nolint:errcheck // as a rule it is closed already
	})
	return v
}

// leave stops accepting and leaves; the channel is closed when nobody is left.
func (v *visited) leave(ctx context.Context, idle time.Duration) <-chan struct{} {
	v.l.Close() //nolint:errcheck // it is open
	<-v.ended
	left := make(chan struct{})
	go func() {
		defer close(left)
		v.Leave(ctx, idle)
	}()
	return left
}

// wire is a client that sees every byte.
type wire struct {
	net.Conn
	*bufio.Reader
	t *testing.T
}

func (v *visited) connect(t *testing.T) wire {
	t.Helper()
	c, err := net.Dial("tcp", v.l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() }) //nolint:errcheck // the test is over
	v.connected++
	v.AwaitClients(v.connected)
	return wire{c, bufio.NewReader(c), t}
}

func (w wire) ask(header string) {
	w.t.Helper()
	if _, err := fmt.Fprintf(w.Conn, "GET / HTTP/1.1\r\nHost: a\r\n%s\r\n", header); err != nil {
		w.t.Fatal(err)
	}
}

func (w wire) answer() *http.Response {
	w.t.Helper()
	answer, err := http.ReadResponse(w.Reader, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, answer.Body); err != nil {
		w.t.Error(err)
	}
	return answer
}

// closed waits for the end of the connection.
func (w wire) closed() {
	w.t.Helper()
	if _, err := w.ReadByte(); !errors.Is(err, io.EOF) {
		w.t.Errorf("got %v", err)
	}
}

func hello(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "hello") }

func TestAClientIsToldWithItsNextAnswer(t *testing.T) {
	v := visit(t, hello)
	c := v.connect(t)
	c.ask("")
	if answer := c.answer(); answer.Close {
		t.Error("it is told before")
	}
	left := v.leave(t.Context(), long)
	v.AwaitLeaving()
	c.ask("")
	if answer := c.answer(); !answer.Close || answer.StatusCode != http.StatusOK {
		t.Errorf("%+v", answer)
	}
	c.closed()
	<-left
}

func TestAnIdleConnectionIsClosedAfterAWhile(t *testing.T) {
	v := visit(t, hello)
	silent, asked := v.connect(t), v.connect(t)
	asked.ask("")
	asked.answer()
	began := time.Now()
	left := v.leave(t.Context(), idle)
	silent.closed()
	asked.closed()
	if took := time.Since(began); took < idle {
		t.Errorf("closed after %s", took)
	}
	<-left
}

func TestARequestInFlightIsAnsweredHoweverLongItTakes(t *testing.T) {
	arrived, finish := make(chan struct{}), make(chan struct{})
	v := visit(t, func(w http.ResponseWriter, _ *http.Request) {
		w.(http.Flusher).Flush()
		close(arrived)
		<-finish
		fmt.Fprint(w, "at last")
	})
	slow, silent := v.connect(t), v.connect(t)
	slow.ask("")
	<-arrived
	left := v.leave(t.Context(), idle)
	silent.closed() // more time than an idle one has
	select {
	case <-left:
		t.Fatal("it did not wait")
	default:
	}
	began := time.Now()
	close(finish)
	slow.answer()
	// Its head was sent before: the client cannot know, and has its time from now on.
	slow.closed()
	if took := time.Since(began); took < idle {
		t.Errorf("closed after %s", took)
	}
	<-left
}

func TestAnUpgradedConnectionKeepsItsHeadersAndIsWaitedFor(t *testing.T) {
	finish := make(chan struct{})
	v := visit(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Upgrade") == "" || w.Header().Get("Connection") != "" {
			t.Errorf("%v, %v", r.Header, w.Header())
		}
		conn, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close() //nolint:errcheck // the line is what matters
		fmt.Fprint(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n")
		<-finish
	})
	c, other := v.connect(t), v.connect(t)
	left := v.leave(t.Context(), long)
	v.AwaitLeaving()
	c.ask("Connection: Upgrade\r\nUpgrade: x\r\n")
	if answer := c.answer(); answer.StatusCode != http.StatusSwitchingProtocols {
		t.Errorf("%+v", answer)
	}
	other.Close() //nolint:errcheck // it was of no use but to be there
	v.AwaitClients(0)
	select {
	case <-left:
		t.Fatal("it did not wait")
	default:
	}
	close(finish)
	<-left
}

func TestLeavingEndsWithItsContext(t *testing.T) {
	arrived, finish := make(chan struct{}), make(chan struct{})
	v := visit(t, func(http.ResponseWriter, *http.Request) {
		close(arrived)
		<-finish
	})
	defer close(finish)
	v.connect(t).ask("")
	<-arrived
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	<-v.leave(ctx, idle)
}

func TestARequestThatIsAsideIsWaitedForAtTheVeryEndOnly(t *testing.T) {
	for _, aside := range []bool{true, false} {
		arrived, finish := make(chan struct{}), make(chan struct{})
		var v *visited
		v = visit(t, func(w http.ResponseWriter, r *http.Request) {
			if aside {
				defer v.Aside(r)()
			}
			close(arrived)
			<-finish
			fmt.Fprint(w, "at last")
		})
		c := v.connect(t)
		c.ask("")
		<-arrived
		ctx, cancel := context.WithCancel(t.Context())
		left := v.leave(ctx, idle)
		if aside { // it returns by itself
			<-left
		}
		cancel()
		<-left
		if !aside { // it was cut with the context
			if _, err := c.ReadByte(); err == nil {
				t.Error("it was not cut")
			}
			close(finish)
			continue
		}
		finished := make(chan struct{})
		go func() {
			defer close(finished)
			v.Finish(t.Context(), idle)
		}()
		select {
		case <-finished:
			t.Error("it did not wait")
		default:
		}
		close(finish)
		if answer := c.answer(); answer.StatusCode != http.StatusOK {
			t.Errorf("%+v", answer)
		}
		<-finished
	}
}

func TestAShutdownDoesNotWaitForIdleConnectionsOfHTTP2(t *testing.T) {
	own, s, client := secure(t, hello)
	post(t, client, own.URL)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := s.Shutdown(ctx); err != nil {
		t.Error(err)
	}
}

// secure is a server with TLS and HTTP/2, and a client of it.
func secure(t *testing.T, handler http.HandlerFunc) (*httptest.Server, *handover.Server, *http.Client) {
	t.Helper()
	own := httptest.NewUnstartedServer(handler)
	own.EnableHTTP2 = true
	s := handover.NewServer(own.Config)
	own.StartTLS()
	t.Cleanup(own.Close)
	client := own.Client()
	client.Timeout = time.Minute
	t.Cleanup(client.CloseIdleConnections)
	return own, s, client
}

func post(t *testing.T, client *http.Client, url string) string {
	t.Helper()
	answer, err := client.Post(url, "text/plain", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close() //nolint:errcheck // it is read
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	if answer.ProtoMajor != 2 {
		t.Error(answer.Proto)
	}
	return string(text)
}

func TestAnIdleConnectionOfHTTP2IsToldAtOnce(t *testing.T) {
	own, s, client := secure(t, hello)
	post(t, client, own.URL)
	s.Leave(t.Context(), long) // it would have an hour
}

func TestARequestOfHTTP2InFlightIsAnswered(t *testing.T) {
	arrived, finish := make(chan struct{}), make(chan struct{})
	own, s, client := secure(t, func(w http.ResponseWriter, _ *http.Request) {
		w.(http.Flusher).Flush()
		close(arrived)
		<-finish
		fmt.Fprint(w, "at last")
	})
	left := make(chan struct{})
	go func() {
		defer close(left)
		<-arrived
		s.Leave(t.Context(), long)
	}()
	go func() {
		s.AwaitLeaving()
		close(finish)
	}()
	if text := post(t, client, own.URL); text != "at last" {
		t.Errorf("%q", text)
	}
	<-left
}

func TestNoRequestOfHTTP2IsLost(t *testing.T) {
	var asked atomic.Int64
	own, s, client := secure(t, func(http.ResponseWriter, *http.Request) { asked.Add(1) })
	other, _, _ := secure(t, hello)

	// Whoever connects again gets to the other server, as to the next process.
	var address atomic.Value
	address.Store(own.Listener.Addr().String())
	transport := client.Transport.(*http.Transport).Clone()
	transport.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, address.Load().(string))
	}
	transport.DialTLSContext = nil
	client.Transport = transport
	for range 100 {
		post(t, client, "https://example.com/")
	}
	address.Store(other.Listener.Addr().String())
	left := make(chan struct{})
	go func() {
		defer close(left)
		s.Leave(t.Context(), long)
	}()
	for gone := false; !gone; { // or the server is never left
		post(t, client, "https://example.com/")
		select {
		case <-left:
			gone = true
		default:
		}
	}
	before := asked.Load()
	post(t, client, "https://example.com/")
	if n := asked.Load(); before < 100 || n > before {
		t.Errorf("%d requests came to the server before it was left, %d then", before, n-before)
	}
}

func TestAnswersOfHTTP2AreWholeWhileTheServerIsLeft(t *testing.T) {
	whole := bytes.Repeat([]byte("0123456789abcdef"), 1<<16)
	own, s, client := secure(t, func(w http.ResponseWriter, r *http.Request) {
		if r.TLS == nil || r.TLS.NegotiatedProtocol != "h2" {
			t.Errorf("TLS: %+v", r.TLS)
		}
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			t.Error(err)
		}
		w.Write(whole) //nolint:errcheck // the client sees it
	})
	post(t, client, own.URL) // all others come on this connection
	var clients sync.WaitGroup
	for i := range 20 {
		clients.Go(func() {
			answer, err := client.Post(own.URL, "text/plain", bytes.NewReader(whole))
			if err != nil {
				t.Error(err)
				return
			}
			defer answer.Body.Close() //nolint:errcheck // it is read
			if text, err := io.ReadAll(answer.Body); err != nil || !bytes.Equal(text, whole) {
				t.Errorf("%d bytes, %v", len(text), err)
			}
		})
		if i == 10 {
			clients.Go(func() { s.Leave(t.Context(), long) })
		}
	}
	clients.Wait()
}
