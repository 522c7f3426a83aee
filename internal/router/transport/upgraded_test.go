package transport_test

import (
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/setopsco/setops/internal/router/transport"
)

func TestAnUpgradedConnectionLosesNothing(t *testing.T) {
	for _, way := range []string{"Read", "WriteTo"} {
		t.Run(way, func(t *testing.T) {
			tr := newTransport(t, transport.Config{})
			up := newTask(t, func(w *wire) bool {
				w.say("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\nearly ")
				_, _ = io.Copy(w.Conn, w.Conn)
				w.say("goodbye")
				return false
			})
			req := up.request(t, "GET", nil)
			req.Header = http.Header{"Connection": {"Upgrade"}, "Upgrade": {"echo"}}
			res, err := tr.RoundTrip(req)
			if err != nil {
				t.Fatal(err)
			}
			conn := res.Body.(interface {
				io.ReadWriteCloser
				CloseWrite() error
			})
			defer func() { _ = conn.Close() }()
			_, _ = io.WriteString(conn, "hello ")
			if err := conn.CloseWrite(); err != nil {
				t.Fatal(err)
			}
			var got strings.Builder
			var from io.Reader = conn
			if way == "Read" {
				from = struct{ io.Reader }{conn}
			}
			if _, err := io.Copy(&got, from); err != nil || got.String() != "early hello goodbye" {
				t.Errorf("got %q, %v", got.String(), err)
			}
		})
	}
}

func TestAnUpgradedConnectionOutlivesTheContextAndIsNotKept(t *testing.T) {
	tr := newTransport(t, transport.Config{})
	up := newTask(t, func(w *wire) bool {
		w.say("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
		_, _ = io.Copy(w.Conn, w.Conn)
		return false
	})
	for range 2 {
		res, err := tr.RoundTrip(up.request(t, "GET", nil))
		if err != nil {
			t.Fatal(err)
		}
		tr.CloseIdleConnections()
		conn := res.Body.(io.ReadWriteCloser)
		got := make([]byte, 5)
		_, _ = io.WriteString(conn, "hello")
		if _, err := io.ReadFull(conn, got); err != nil || string(got) != "hello" {
			t.Errorf("got %q, %v", got, err)
		}
		_ = conn.Close()
	}
	if n := up.conns.Load(); n != 2 {
		t.Errorf("%d connections were made", n)
	}
}

func TestAnUpgradeBeforeTheRequestHasEndedIsRefused(t *testing.T) {
	tr := newTransport(t, transport.Config{})
	ended := make(chan error, 1)
	up := newTask(t, func(w *wire) bool {
		w.say("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
		_, err := io.Copy(io.Discard, w.Conn)
		ended <- err
		return false
	})
	body, client := io.Pipe()
	defer func() { _ = client.Close() }()
	if _, err := tr.RoundTrip(up.request(t, "POST", body)); err == nil || transport.Unsent(err) {
		t.Errorf("got %v", err)
	}
	if err := <-ended; err != nil {
		if _, reset := err.(net.Error); !reset {
			t.Errorf("the connection ended by %v", err)
		}
	}
}
