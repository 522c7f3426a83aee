//go:build linux

package gateway

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"

	"github.com/miekg/dns"

	"github.com/setopsco/setops/internal/engine/lookup"
)

const (
	namesPort = 53
	// maxQueries is how many questions of one stage may wait for an answer; more are refused at once.
	maxQueries = 256
)

// nameServer answers on the gateway of one stage.
type nameServer struct {
	packets  net.PacketConn
	listener net.Listener
	servers  []*dns.Server
	handler  *handler
	giveUp   context.CancelFunc // ends the questions in flight
	running  sync.WaitGroup
}

// serveNames starts the name server of the stage, unless it runs.
func (g *Gateways) serveNames(p *place) error {
	if p.names != nil {
		return nil
	}
	server, err := g.startNameServer(p)
	if err != nil {
		return fmt.Errorf("serve names on %s: %w", p.Address, err)
	}
	p.names = server
	return nil
}

func (g *Gateways) startNameServer(p *place) (*nameServer, error) {
	// A program that answers port 53 on every address of this host is no obstacle: we take another one.
	packets, err := g.cfg.Sockets.ListenPacket(p.key("names", "udp"), func() (net.PacketConn, error) {
		return orAnyPort(listenUDP, p.Bridge, p.Address, namesPort)
	})
	if err != nil {
		return nil, err
	}
	listener, err := g.cfg.Sockets.Listen(p.key("names", "tcp"), func() (net.Listener, error) {
		return orAnyPort(listenTCP, p.Bridge, p.Address, namesPort)
	})
	if err != nil {
		packets.Close() //nolint:errcheck // nobody has used it
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	h := &handler{ctx: ctx, subnet: p.Subnet, resolver: g.resolver, slots: make(chan struct{}, maxQueries)}
	h.private.Store(&privateNames{})
	s := &nameServer{
		packets: packets, listener: listener, handler: h, giveUp: cancel,
		servers: []*dns.Server{{PacketConn: packets, Handler: h}, {Listener: listener, Handler: h}},
	}
	for _, server := range s.servers {
		started := make(chan struct{})
		server.NotifyStartedFunc = func() { close(started) }
		s.running.Go(func() {
			// It ends by Shutdown; a broken socket ends with its bridge, and Open starts another.
			_ = server.ActivateAndServe()
		})
		<-started
	}
	return s, nil
}

// tell says what the private names are from now on; complete, that there are no others.
func (s *nameServer) tell(t lookup.Table, complete bool) {
	s.handler.private.Store(&privateNames{t, complete})
}

// close stops the server and waits for the answers in flight.
func (s *nameServer) close() error {
	s.giveUp()
	var errs []error
	for _, server := range s.servers {
		errs = append(errs, server.Shutdown())
	}
	s.running.Wait()
	return errors.Join(errs...)
}

// handler answers the questions of one stage, or passes them on.
type handler struct {
	ctx      context.Context // of the name server
	subnet   netip.Prefix
	private  atomic.Pointer[privateNames]
	resolver *lookup.Resolver
	slots    chan struct{}
}

func (h *handler) ServeDNS(w dns.ResponseWriter, q *dns.Msg) {
	from, err := netip.ParseAddrPort(w.RemoteAddr().String())
	if err != nil || !h.subnet.Contains(from.Addr().Unmap()) {
		return // we answer nobody else, not even by a refusal
	}
	if lookup.IsBelow(private, q) {
		names := h.private.Load()
		lookup.Reply(w, names.Answer(q, names.complete))
		return
	}
	select {
	case h.slots <- struct{}{}:
		defer func() { <-h.slots }()
	default:
		lookup.Reply(w, lookup.Failure(q))
		return
	}
	answer, err := h.resolver.Ask(h.ctx, w.RemoteAddr().Network(), q)
	if err != nil {
		answer = lookup.Failure(q)
	}
	lookup.Reply(w, answer)
}
