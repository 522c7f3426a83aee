package router_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/setopsco/setops/internal/router"
)

// port is a TCP port of the router, for the stream "db" of the owner "stage".
type port struct {
	*router.Router
	listener net.Listener
}

func newPort(t *testing.T, config router.Config) *port {
	t.Helper()
	r := router.New(config)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- r.ServeStream(listener, "stage", "db") }()
	t.Cleanup(func() {
		_ = listener.Close()
		if err := <-served; err != nil {
			t.Error(err)
		}
		r.Close()
	})
	return &port{Router: r, listener: listener}
}

func (p *port) set(upstreams ...router.Upstream) {
	p.Set("stage", router.Routes{TCP: []router.Stream{{Key: "db", Upstreams: upstreams}}})
}

func (p *port) dial(t *testing.T) *net.TCPConn {
	t.Helper()
	conn, err := net.Dial("tcp", p.listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	return conn.(*net.TCPConn)
}

// tcpApp is a task that speaks TCP. Its handler's connection is closed when it returns.
func tcpApp(t *testing.T, id string, handle func(*net.TCPConn)) router.Upstream {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended, end := context.WithCancel(context.Background())
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			serving.Go(func() {
				defer func() { _ = conn.Close() }()
				defer context.AfterFunc(ended, func() { _ = conn.Close() })()
				handle(conn.(*net.TCPConn))
			})
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		end()
		serving.Wait()
	})
	return router.Upstream{ID: id, Addr: listener.Addr().String()}
}

// greeter says its name and then sends back what it gets, up to the end.
func greeter(t *testing.T, id string) router.Upstream {
	return tcpApp(t, id, func(conn *net.TCPConn) {
		_, _ = fmt.Fprintln(conn, id)
		_, _ = io.Copy(conn, conn)
	})
}

// greeting reads the first line.
func greeting(t *testing.T, conn net.Conn) string {
	t.Helper()
	var line strings.Builder
	for b := make([]byte, 1); b[0] != '\n'; line.WriteByte(b[0]) {
		if _, err := io.ReadFull(conn, b); err != nil {
			t.Fatal(err)
		}
	}
	return strings.TrimSpace(line.String())
}

func TestAClientThatHasNoMoreToSayIsStillAnswered(t *testing.T) {
	p := newPort(t, router.Config{})
	p.set(tcpApp(t, "sum", func(conn *net.TCPConn) {
		n, err := io.Copy(io.Discard, conn) // to the client's end
		_, _ = fmt.Fprintf(conn, "%d bytes, %v", n, err)
	}))
	conn := p.dial(t)
	const size = 8 << 20
	if _, err := io.Copy(conn, noise(size)); err != nil {
		t.Fatal(err)
	}
	if err := conn.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	answer, err := io.ReadAll(conn)
	if want := fmt.Sprintf("%d bytes, <nil>", size); err != nil || string(answer) != want {
		t.Errorf("answered %q, %v", answer, err)
	}
	eventually(t, "nothing is in flight", func() bool { return p.InFlight("sum") == 0 })
}

func TestAnAppThatHasNoMoreToSayIsStillTold(t *testing.T) {
	p := newPort(t, router.Config{})
	told := make(chan string, 1)
	p.set(tcpApp(t, "listener", func(conn *net.TCPConn) {
		_, _ = io.WriteString(conn, "go on")
		_ = conn.CloseWrite()
		all, err := io.ReadAll(conn)
		told <- fmt.Sprintf("%s, %v", all, err)
	}))
	conn := p.dial(t)
	if said, err := io.ReadAll(conn); err != nil || string(said) != "go on" {
		t.Fatalf("the app said %q, %v", said, err)
	}
	if n := p.InFlight("listener"); n != 1 {
		t.Errorf("%d connections are in flight", n)
	}
	_, _ = io.WriteString(conn, "a long story")
	_ = conn.CloseWrite()
	if got := <-told; got != "a long story, <nil>" {
		t.Errorf("the app was told %q", got)
	}
	eventually(t, "nothing is in flight", func() bool { return p.InFlight("listener") == 0 })
}

func TestAResetOfTheClientReachesTheAppAsOne(t *testing.T) {
	p := newPort(t, router.Config{})
	ended := make(chan error, 1)
	p.set(tcpApp(t, "a", func(conn *net.TCPConn) {
		_, _ = fmt.Fprintln(conn, "hello")
		_, err := io.Copy(io.Discard, conn)
		ended <- err
	}))
	conn := p.dial(t)
	greeting(t, conn)
	_ = conn.SetLinger(0)
	_ = conn.Close()
	if err := <-ended; !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("the app saw %v", err)
	}
	eventually(t, "nothing is in flight", func() bool { return p.InFlight("a") == 0 })
}

func TestAResetOfTheAppReachesTheClientAsOne(t *testing.T) {
	p := newPort(t, router.Config{})
	p.set(tcpApp(t, "a", func(conn *net.TCPConn) {
		_, _ = io.ReadFull(conn, make([]byte, 1))
		_ = conn.SetLinger(0)
	}))
	conn := p.dial(t)
	_, _ = io.WriteString(conn, "x")
	if _, err := io.ReadAll(conn); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("the client saw %v", err)
	}
	eventually(t, "nothing is in flight", func() bool { return p.InFlight("a") == 0 })
}

func TestAnAppThatEndsWithoutReadingAllEndsTheConnection(t *testing.T) {
	p := newPort(t, router.Config{})
	p.set(tcpApp(t, "a", func(conn *net.TCPConn) {
		_, _ = fmt.Fprintln(conn, "too many connections")
	}))
	conn := p.dial(t)
	if line := greeting(t, conn); line != "too many connections" {
		t.Errorf("the app's last words were %q", line)
	}
	for { // until the app's refusal to read comes back
		if _, err := conn.Write(make([]byte, 64<<10)); err != nil {
			break
		}
	}
	eventually(t, "nothing is in flight", func() bool { return p.InFlight("a") == 0 })
}

func TestStreamsGoToTheLeastBusyUpstreamThatTakesThem(t *testing.T) {
	p := newPort(t, router.Config{})
	p.set(dead(t, "dead-1"), greeter(t, "a"), dead(t, "dead-2"), greeter(t, "b"))
	counts := map[string]int{}
	for range 20 {
		counts[greeting(t, p.dial(t))]++
	}
	if counts["a"] != 10 || counts["b"] != 10 {
		t.Errorf("20 connections were spread as %v", counts)
	}
	if n := p.InFlight("a") + p.InFlight("dead-1") + p.InFlight("dead-2"); n != 10 {
		t.Errorf("%d are counted", n)
	}
}

func TestAStreamThatNobodyTakesIsReset(t *testing.T) {
	p := newPort(t, router.Config{})
	for _, set := range []func(){
		func() {},
		func() { p.set() },
		func() { p.set(dead(t, "dead")) },
		func() {
			p.Set("other", router.Routes{TCP: []router.Stream{{Key: "db", Upstreams: []router.Upstream{greeter(t, "x")}}}})
		},
		func() { p.Set("stage", router.Routes{HTTP: route("db", named(t, "http"))}) },
	} {
		set()
		conn, err := net.Dial("tcp", p.listener.Addr().String())
		if err == nil { // the reset may be as quick as that
			_, err = io.ReadAll(conn)
			_ = conn.Close()
		}
		if !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("the client saw %v", err)
		}
	}
}

func TestStreamsOutliveASwapUntilTheDeadlineOfDrain(t *testing.T) {
	p := newPort(t, router.Config{})
	p.set(greeter(t, "old"))
	conn := p.dial(t)
	greeting(t, conn)
	p.set(greeter(t, "new"))
	if name := greeting(t, p.dial(t)); name != "new" {
		t.Errorf("%s answers after the swap", name)
	}
	_, _ = fmt.Fprintln(conn, "still there")
	if back := greeting(t, conn); back != "still there" {
		t.Errorf("got back %q", back)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := p.Drain(ctx, "old"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	if _, err := io.ReadAll(conn); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("the client saw %v", err)
	}
	if err := p.Drain(t.Context(), "old"); err != nil {
		t.Error(err)
	}
}

func TestDrainWaitsForAStreamToEndByItself(t *testing.T) {
	p := newPort(t, router.Config{})
	p.set(greeter(t, "old"))
	conn := p.dial(t)
	greeting(t, conn)
	p.set()
	drained := make(chan error, 1)
	go func() { drained <- p.Drain(t.Context(), "old") }()
	_, _ = fmt.Fprintln(conn, "still there")
	greeting(t, conn)
	select {
	case err := <-drained:
		t.Fatalf("drain ended with a connection in flight: %v", err)
	default:
	}
	_ = conn.Close()
	if err := <-drained; err != nil {
		t.Error(err)
	}
}

func TestAClosedListenerLeavesStreamsOpenAndCloseEndsThem(t *testing.T) {
	p := newPort(t, router.Config{})
	p.set(greeter(t, "a"))
	conn := p.dial(t)
	greeting(t, conn)
	_ = p.listener.Close()
	_, _ = fmt.Fprintln(conn, "still there")
	if back := greeting(t, conn); back != "still there" {
		t.Errorf("got back %q", back)
	}
	p.Close()
	if _, err := io.ReadAll(conn); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("the client saw %v", err)
	}
	if n := p.InFlight("a"); n != 0 {
		t.Errorf("%d connections are in flight", n)
	}
}

func TestUnhealthyTasksGetNoStreams(t *testing.T) {
	p := newPort(t, quick())
	sick := newPatient(greeter(t, "sick"))
	sick.route.Check = func(_ context.Context, addr string) error {
		if addr == sick.route.Upstreams[0].Addr {
			return errSick
		}
		return nil
	}
	p.Set("stage", router.Routes{TCP: []router.Stream{{
		Key: "db", Upstreams: []router.Upstream{sick.route.Upstreams[0], greeter(t, "well")}, Check: sick.route.Check,
	}}})
	eventually(t, "the sick one is out", func() bool { return !p.Health()["sick"].Healthy })
	for range 10 {
		if name := greeting(t, p.dial(t)); name != "well" {
			t.Fatalf("%s answered", name)
		}
	}
}

func TestManyStreamsAtOncePassEachItsOwnBytes(t *testing.T) {
	p := newPort(t, router.Config{})
	p.set(greeter(t, "a"), greeter(t, "b"))
	var clients sync.WaitGroup
	for i := range 64 {
		conn := p.dial(t)
		clients.Go(func() {
			payload := strings.Repeat(fmt.Sprintf("%04d", i), 64<<10)
			go func() { // ends with the connection
				_, _ = io.WriteString(conn, payload)
				_ = conn.CloseWrite()
			}()
			all, err := io.ReadAll(conn)
			if _, echoed, _ := strings.Cut(string(all), "\n"); err != nil || echoed != payload {
				t.Errorf("stream %d got %d of %d bytes back, %v", i, len(echoed), len(payload), err)
			}
		})
	}
	clients.Wait()
	eventually(t, "nothing is in flight", func() bool { return p.InFlight("a")+p.InFlight("b") == 0 })
}

// fickle is a listener that has other things to say than connections.
type fickle struct {
	net.Listener
	errs []error
}

func (f *fickle) Accept() (net.Conn, error) {
	err := f.errs[0]
	f.errs = f.errs[1:]
	return nil, err
}

func TestServingStreamsEndsOnlyWithTheListener(t *testing.T) {
	p := newPort(t, router.Config{})
	broken := errors.New("broken")
	for _, test := range []struct {
		errs []error
		want error
	}{
		{[]error{syscall.EMFILE, syscall.ECONNABORTED, net.ErrClosed}, nil},
		{[]error{&net.OpError{Op: "accept", Err: net.ErrClosed}}, nil},
		{[]error{broken}, broken},
	} {
		if err := p.ServeStream(&fickle{errs: test.errs}, "stage", "db"); !errors.Is(err, test.want) {
			t.Errorf("after %v: got %v", test.errs, err)
		}
	}
}

func TestAClosedRouterTakesNoStreams(t *testing.T) {
	p := newPort(t, router.Config{})
	p.set(greeter(t, "a"))
	p.Close()
	conn, err := net.Dial("tcp", p.listener.Addr().String())
	if err == nil {
		_, err = io.ReadAll(conn)
		_ = conn.Close()
	}
	if !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("the client saw %v", err)
	}
}
