package handover_test

import (
	"bufio"
	"errors"
	"net"
	"syscall"
	"testing"

	"github.com/setopsco/setops/internal/handover"
)

func TestConnectionsWaitWhileASocketIsKept(t *testing.T) {
	var s handover.Sockets
	l, err := s.Listen("web", listen)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Listen("web", listen); err == nil {
		t.Error("two listen at one socket")
	}
	s.Keep()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	client, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close() //nolint:errcheck // it is only read
	again, err := s.Listen("web", func() (net.Listener, error) { return nil, errors.New("it was made anew") })
	if err != nil {
		t.Fatal(err)
	}
	s.CloseUnclaimed()
	conn, err := again.Accept()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Write([]byte("hello\n")); err != nil {
		t.Error(err)
	}
	conn.Close() //nolint:errcheck // the line is what matters
	if line, err := bufio.NewReader(client).ReadString('\n'); line != "hello\n" {
		t.Errorf("%q, %v", line, err)
	}
	if err := again.Close(); err != nil {
		t.Error(err)
	}
	if _, err := net.Dial("tcp", l.Addr().String()); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("after closing: %v", err)
	}
}

func TestAKeptSocketThatNobodyWantsIsClosed(t *testing.T) {
	var s handover.Sockets
	l, err := s.Listen("web", listen)
	if err != nil {
		t.Fatal(err)
	}
	s.Keep()
	l.Close() //nolint:errcheck // asked below
	s.CloseUnclaimed()
	if _, err := net.Dial("tcp", l.Addr().String()); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("after closing: %v", err)
	}
	if l, err = s.Listen("web", listen); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(l.Close(), l.Close()); !errors.Is(err, net.ErrClosed) {
		t.Errorf("closing twice: %v", err)
	}
}

func TestDatagramsWaitToo(t *testing.T) {
	var s handover.Sockets
	open := func() (net.PacketConn, error) { return net.ListenPacket("udp", "127.0.0.1:0") }
	c, err := s.ListenPacket("dns", open)
	if err != nil {
		t.Fatal(err)
	}
	s.Keep()
	c.Close() //nolint:errcheck // it is kept
	client, err := net.Dial("udp", c.LocalAddr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close() //nolint:errcheck // it only writes
	if _, err := client.Write([]byte("question")); err != nil {
		t.Fatal(err)
	}
	again, err := s.ListenPacket("dns", open)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close() //nolint:errcheck // the end of the test
	text := make([]byte, 100)
	if n, _, err := again.ReadFrom(text); err != nil || string(text[:n]) != "question" {
		t.Errorf("%q, %v", text[:n], err)
	}
}

func TestWhatCannotListenIsSaidWithItsKey(t *testing.T) {
	var s handover.Sockets
	_, err := s.Listen("web", func() (net.Listener, error) { return nil, syscall.EADDRINUSE })
	if !errors.Is(err, syscall.EADDRINUSE) || err.Error() != "listen on web: address already in use" {
		t.Errorf("got %v", err)
	}
	l, err := s.Listen("web", listen) // it can be tried again
	if err != nil {
		t.Fatal(err)
	}
	l.Close() //nolint:errcheck // the end of the test
}
