package router_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/setopsco/setops/internal/router"
)

// echoProtocol upgrades to a protocol that sends back each byte, and says goodbye when the client has no more.
func echoProtocol(t *testing.T, id string) router.Upstream {
	up, _ := backend(t, id, func(w http.ResponseWriter, req *http.Request) {
		if req.Header.Get("Upgrade") != "echo" {
			http.Error(w, "no upgrade was asked for", http.StatusUpgradeRequired)
			return
		}
		conn, rw, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer func() { _ = conn.Close() }()
		_, _ = fmt.Fprint(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
		_, _ = io.Copy(conn, rw)
		_, _ = io.WriteString(conn, "goodbye")
	})
	return up
}

// upgrade returns a connection after its upgrade.
func (f *front) upgrade(t *testing.T, host, protocol string) (*net.TCPConn, *bufio.Reader, *http.Response) {
	t.Helper()
	conn, err := net.Dial("tcp", f.addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	_, _ = fmt.Fprintf(conn, "GET /socket HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: %s\r\nHTTP2-Settings: AAMAAABk\r\n\r\n", host, protocol)
	reader := bufio.NewReader(conn)
	res, err := http.ReadResponse(reader, nil)
	if err != nil {
		t.Fatal(err)
	}
	return conn.(*net.TCPConn), reader, res
}

func (f *front) echo(t *testing.T, conn io.Writer, reader io.Reader, text string) {
	t.Helper()
	got := make([]byte, len(text))
	_, _ = io.WriteString(conn, text)
	if _, err := io.ReadFull(reader, got); err != nil || string(got) != text {
		t.Fatalf("sent %q, got back %q, %v", text, got, err)
	}
}

func TestUpgradedConnectionsPassBothWaysAndEndByHalves(t *testing.T) {
	f := newFront(t, router.Config{})
	f.Set("stage", route(testHost, echoProtocol(t, "a")))
	conn, reader, res := f.upgrade(t, testHost, "echo")
	if res.StatusCode != http.StatusSwitchingProtocols {
		t.Fatal(res.Status)
	}
	f.echo(t, conn, reader, "hello")
	f.echo(t, conn, reader, "again")
	if n := f.InFlight("a"); n != 1 {
		t.Errorf("%d requests are in flight", n)
	}
	if err := conn.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	rest, err := io.ReadAll(reader)
	if err != nil || string(rest) != "goodbye" {
		t.Errorf("after the client's half was closed came %q, %v", rest, err)
	}
	eventually(t, "nothing is in flight", func() bool { return f.InFlight("a") == 0 })
}

func TestUpgradedConnectionsOutliveASwapUntilTheDeadlineOfDrain(t *testing.T) {
	f := newFront(t, router.Config{})
	f.Set("stage", route(testHost, echoProtocol(t, "old")))
	conn, reader, _ := f.upgrade(t, testHost, "echo")
	f.echo(t, conn, reader, "before")
	f.Set("stage", route(testHost, echoProtocol(t, "new")))
	f.echo(t, conn, reader, "after")

	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	if err := f.Drain(cancelled, "old"); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	f.echo(t, conn, reader, "still there")

	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := f.Drain(ctx, "old"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	if rest, err := io.ReadAll(reader); len(rest) != 0 || errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the connection is open: %q, %v", rest, err)
	}
	if err := f.Drain(t.Context(), "old"); err != nil {
		t.Error(err)
	}
}

func TestCloseEndsUpgradedConnections(t *testing.T) {
	f := newFront(t, router.Config{})
	f.Set("stage", route(testHost, echoProtocol(t, "a")))
	conn, reader, _ := f.upgrade(t, testHost, "echo")
	f.echo(t, conn, reader, "hello")
	f.Close()
	if _, err := reader.ReadByte(); !errors.Is(err, io.EOF) {
		t.Errorf("got %v", err)
	}
}

func TestNobodyEscapesTheRouterByCleartextHTTP2(t *testing.T) {
	f := newFront(t, router.Config{})
	up, _ := backend(t, "a", func(w http.ResponseWriter, req *http.Request) {
		for _, name := range []string{"Upgrade", "Connection", "Http2-Settings"} {
			if value := req.Header.Get(name); value != "" {
				t.Errorf("the app was sent %s: %s", name, value)
			}
		}
		w.WriteHeader(http.StatusNoContent)
	})
	f.Set("stage", route(testHost, up))
	if _, _, res := f.upgrade(t, testHost, "H2C"); res.StatusCode != http.StatusNoContent {
		t.Error(res.Status)
	}
}

func TestAnAppThatUpgradesUnaskedIsABadGateway(t *testing.T) {
	f := newFront(t, router.Config{})
	gone := make(chan error, 1)
	up, _ := backend(t, "a", func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer func() { _ = conn.Close() }()
		_, _ = fmt.Fprint(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: other\r\n\r\n")
		_, err = conn.Read(make([]byte, 1))
		gone <- err
	})
	f.Set("stage", route(testHost, up))
	if code, _ := f.get(t, testHost); code != http.StatusBadGateway {
		t.Errorf("answered %d", code)
	}
	if err := <-gone; !errors.Is(err, io.EOF) {
		t.Errorf("the connection to the app was not closed: %v", err)
	}
}
