package daemon

import (
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"sync"

	"github.com/setopsco/setops/internal/handover"
)

// door is an address that the server answers at.
type door struct {
	flag   listenFlag
	server *handover.Server
	tls    *tls.Config // nil: it speaks in clear
	bound  string      // the address with the port that it got

	listener  net.Listener // nil while it is shut
	accepts   bool
	accepting sync.WaitGroup
}

func newDoor(flag listenFlag, s *http.Server) *door {
	return &door{flag: flag, server: handover.NewServer(s)}
}

// key names the socket for the next process; another address is another socket.
func (d *door) key() string { return "--" + d.flag.flag + " " + d.flag.address }

// listen lets clients connect; they wait until accept.
func (d *door) listen(s *handover.Sockets) (err error) {
	d.listener, err = s.Listen(d.key(), func() (net.Listener, error) { return net.Listen("tcp", d.flag.address) })
	if err == nil {
		d.bound = d.listener.Addr().String()
	}
	return err
}

// accept answers clients from now on. A listener that breaks is told to failed, which must have room.
func (d *door) accept(failed chan<- error) {
	l := d.listener
	d.accepts = true
	if d.tls != nil {
		l = tls.NewListener(l, d.tls)
	}
	d.accepting.Go(func() {
		if err := d.server.Serve(l); !isClosed(err) {
			failed <- err
		}
	})
}

// isClosed tells an end that was wanted.
func isClosed(err error) bool {
	return errors.Is(err, net.ErrClosed) || errors.Is(err, http.ErrServerClosed)
}

// stop accepts no more connections. Those that are there stay.
func (d *door) stop() {
	_ = d.close() // a listener that does not close is of no use either
	d.accepting.Wait()
}

func (d *door) close() error {
	if d.listener == nil {
		return nil
	}
	err := d.listener.Close()
	d.listener, d.accepts = nil, false
	if errors.Is(err, net.ErrClosed) { // the server closes it too
		return nil
	}
	return err
}
