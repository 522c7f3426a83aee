//go:build linux

package install

import (
	"errors"
	"io"
	"net"
	"net/url"
	"sync"
	"testing"

	"github.com/setopsco/setops/internal/store/pgtest"
	"github.com/setopsco/setops/internal/store/storetest"
)

// database is a PostgreSQL of this machine as pods reach it.
type database struct {
	local string // URL for this process
	url   string // for pods

	mu   sync.Mutex
	away bool
	open map[net.Conn]bool
}

// newDatabase leads from an address of the cluster's network to a PostgreSQL that listens on loopback alone.
func newDatabase(t *testing.T, host string) *database {
	t.Helper()
	d := &database{local: pgtest.OverTCP(t, storetest.Postgres(t)), open: map[net.Conn]bool{}}
	u, err := url.Parse(d.local)
	must(t, err)
	behind := u.Host
	l, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
	must(t, err)
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() { d.lead(conn, behind) })
		}
	})
	t.Cleanup(func() {
		must(t, l.Close())
		d.cut()
		wg.Wait()
	})
	u.Host = l.Addr().String()
	d.url = u.String()
	return d
}

func (d *database) lead(from net.Conn, address string) {
	defer from.Close() //nolint:errcheck // nobody is left to tell
	to, err := net.Dial("tcp", address)
	if err != nil {
		return
	}
	defer to.Close() //nolint:errcheck // as above
	if !d.enter(from) {
		return
	}
	defer d.leave(from)
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, err := io.Copy(to, from)
		_ = errors.Join(err, to.Close())
	}()
	_, _ = io.Copy(from, to)
	_ = from.Close()
	<-done
}

func (d *database) enter(c net.Conn) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.open[c] = true
	return !d.away
}

func (d *database) leave(c net.Conn) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.open, c)
}

// cut ends all connections, and lets no others come about.
func (d *database) cut() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.away = true
	for c := range d.open {
		_ = c.Close()
	}
}

// back lets connections come about again.
func (d *database) back() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.away = false
}
