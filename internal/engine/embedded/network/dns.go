//go:build linux

package network

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"syscall"

	"github.com/miekg/dns"
	"golang.org/x/sys/unix"
)

// maxQueries is how many questions of one stage may wait for an answer; more are refused at once.
const maxQueries = 256

// nameServer answers on the gateway of one stage.
type nameServer struct {
	servers []*dns.Server
	giveUp  context.CancelFunc // ends the questions in flight
	running sync.WaitGroup
}

func (n *Network) stopNames(stageID string) error {
	server := n.servers[stageID]
	if server == nil {
		return nil
	}
	delete(n.servers, stageID)
	return server.close()
}

// serveNames starts the name server of the stage, unless it runs.
func (n *Network) serveNames(s *stage) error {
	if n.servers[s.ID] != nil {
		return nil
	}
	server, err := startNameServer(s, n.resolver)
	if errors.Is(err, unix.EADDRINUSE) {
		return fmt.Errorf("serve names on %s: another program answers port 53 on every address of this host; let it listen on some of them only: %w", s.Gateway, err)
	}
	if err != nil {
		return fmt.Errorf("serve names on %s: %w", s.Gateway, err)
	}
	n.servers[s.ID] = server
	return nil
}

func startNameServer(s *stage, r *resolver) (*nameServer, error) {
	address := netip.AddrPortFrom(s.Gateway, 53).String()
	// Only packets from the bridge reach the sockets, whatever the host's firewall says.
	lc := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) error {
		var err error
		err1 := c.Control(func(fd uintptr) { err = unix.BindToDevice(int(fd), s.Bridge) })
		return errors.Join(err, err1)
	}}
	packets, err := lc.ListenPacket(context.Background(), "udp4", address)
	if err != nil {
		return nil, err
	}
	listener, err := lc.Listen(context.Background(), "tcp4", address)
	if err != nil {
		packets.Close()
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	h := &handler{ctx: ctx, subnet: s.Subnet, resolver: r, slots: make(chan struct{}, maxQueries)}
	ns := &nameServer{giveUp: cancel, servers: []*dns.Server{{PacketConn: packets, Handler: h}, {Listener: listener, Handler: h}}}
	for _, server := range ns.servers {
		started := make(chan struct{})
		server.NotifyStartedFunc = func() { close(started) }
		ns.running.Go(func() {
			// It ends by Shutdown; a broken socket ends with its bridge, and EnsureStage starts another.
			_ = server.ActivateAndServe()
		})
		<-started
	}
	return ns, nil
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

// handler passes the questions of one stage on.
type handler struct {
	ctx      context.Context // of the name server
	subnet   netip.Prefix
	resolver *resolver
	slots    chan struct{}
}

func (h *handler) ServeDNS(w dns.ResponseWriter, q *dns.Msg) {
	from, err := netip.ParseAddrPort(w.RemoteAddr().String())
	if err != nil || !h.subnet.Contains(from.Addr().Unmap()) {
		return // we answer nobody else, not even by a refusal
	}
	select {
	case h.slots <- struct{}{}:
		defer func() { <-h.slots }()
	default:
		reply(w, failure(q))
		return
	}
	answer, err := h.resolver.ask(h.ctx, w.RemoteAddr().Network(), q)
	if err != nil {
		answer = failure(q)
	}
	reply(w, answer)
}

func failure(q *dns.Msg) *dns.Msg {
	return new(dns.Msg).SetRcode(q, dns.RcodeServerFailure)
}

func reply(w dns.ResponseWriter, m *dns.Msg) {
	m.Compress = true
	// A client that has gone is no error of ours.
	_ = w.WriteMsg(m)
}
