package store

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/url"
	"sync"
	"testing"

	"github.com/setopsco/setops/internal/store/pgtest"
)

// cable is between a store and its database, and breaks at the commit that it is told to.
type cable struct {
	listener net.Listener
	to       string

	mu      sync.Mutex
	breaks  bool
	forward bool // whether the commit arrives, and its answer does not
}

func newCable(t *testing.T, address string) (c *cable, through string) {
	t.Helper()
	u, err := url.Parse(address)
	must(t, err)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	c = &cable{listener: l, to: u.Host}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() { c.carry(conn) })
		}
	})
	t.Cleanup(func() { must(t, l.Close()); wg.Wait() })
	u.Host = l.Addr().String()
	return c, u.String()
}

func (c *cable) breakAtCommit(forward bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.breaks, c.forward = true, forward
}

func (c *cable) isBroken(packet []byte) (broken, forward bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	broken = c.breaks && bytes.Contains(packet, []byte("commit\x00"))
	if broken {
		c.breaks = false
	}
	return broken, c.forward
}

func (c *cable) carry(client net.Conn) {
	defer client.Close()
	server, err := net.Dial("tcp", c.to)
	if err != nil {
		return
	}
	defer server.Close()
	answers := make(chan struct{})
	go func() {
		defer close(answers)
		_, _ = io.Copy(client, server)
		_ = client.Close()
	}()
	packet := make([]byte, 64<<10)
	for {
		n, err := client.Read(packet)
		if err != nil {
			break
		}
		broken, forward := c.isBroken(packet[:n])
		if broken {
			_ = client.Close() // before the answer can come
		}
		if !broken || forward {
			_, _ = server.Write(packet[:n])
		}
	}
	_ = server.(*net.TCPConn).CloseWrite()
	<-answers
}

func TestACommitWithoutAnAnswerIsAskedAbout(t *testing.T) {
	onPostgres(t)
	address := pgtest.OverTCP(t, pgtest.Database(t, migrated))
	c, through := newCable(t, address)
	s, err := Connect(t.Context(), through)
	must(t, err)
	defer func() { must(t, s.Close()) }()
	for _, arrives := range []bool{true, false} {
		key := fmt.Sprint("arrives ", arrives)
		c.breakAtCommit(arrives)
		have, err := s.Install(t.Context(), key, "x")
		if arrives != (err == nil) || !arrives && !isTemporary(err) {
			t.Errorf("%s: %q, %v", key, have, err)
		}
		all, err := s.Installation(t.Context())
		if _, ok := all[key]; ok != arrives || err != nil {
			t.Errorf("%s: the database has %v, %v", key, all, err)
		}
	}
}
