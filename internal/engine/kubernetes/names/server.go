package names

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/miekg/dns"

	"github.com/setopsco/setops/internal/engine/lookup"
)

// Config is what a Server needs. Listen must be set.
type Config struct {
	Kubeconfig   string // path; empty: this process runs in the cluster
	Listen       string // HOST:PORT, UDP and TCP
	HealthListen string // HOST:PORT, where probes ask by HTTP; empty: nobody does
	// ResolvConf lists the servers that other names are asked of; empty: /etc/resolv.conf. It is read again when it changes.
	ResolvConf string
	// Patience is how long an address may ask that is no pod's yet; default 4 s, as programs ask again after 5 s.
	Patience time.Duration
	Logger   *slog.Logger
}

// Server answers from when it is opened: other names at once, private ones when it has learnt what the cluster has.
type Server struct {
	follower *follower
	packets  net.PacketConn
	listener net.Listener
	servers  []*dns.Server
	health   *http.Server // nil: there is none

	giveUp  context.CancelFunc // ends following, and the questions in flight
	running sync.WaitGroup
	broken  chan error // of a server that ended by itself
}

// Open listens, and begins to follow the cluster.
func Open(c Config) (*Server, error) {
	if c.ResolvConf == "" {
		c.ResolvConf = "/etc/resolv.conf"
	}
	if c.Patience == 0 {
		c.Patience = 4 * time.Second
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	follower, err := newFollower(c.Kubeconfig, c.Logger)
	if err != nil {
		return nil, err
	}
	s := &Server{follower: follower, broken: make(chan error, 3)}
	if err := s.listen(c.Listen); err != nil {
		return nil, fmt.Errorf("listen for questions: %w", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	s.giveUp = cancel
	s.running.Go(func() { follower.pods.RunWithContext(ctx) })
	s.running.Go(func() { follower.services.RunWithContext(ctx) })
	s.serve(&handler{
		ctx: ctx, directory: follower.directory, world: lookup.NewResolver(c.ResolvConf), patience: c.Patience, limit: newLimit(),
	})
	if c.HealthListen == "" {
		return s, nil
	}
	if err := s.serveHealth(c.HealthListen); err != nil {
		return nil, errors.Join(fmt.Errorf("listen for probes: %w", err), s.Close())
	}
	return s, nil
}

// listen takes one port for both transports, also where any will do.
func (s *Server) listen(address string) (err error) {
	if s.listener, err = net.Listen("tcp", address); err != nil {
		return err
	}
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return errors.Join(err, s.listener.Close())
	}
	_, port, err := net.SplitHostPort(s.listener.Addr().String())
	if err != nil {
		return errors.Join(err, s.listener.Close())
	}
	if s.packets, err = net.ListenPacket("udp", net.JoinHostPort(host, port)); err != nil {
		return errors.Join(err, s.listener.Close())
	}
	return nil
}

func (s *Server) serve(h *handler) {
	s.servers = []*dns.Server{{PacketConn: s.packets, Handler: h}, {Listener: s.listener, Handler: h}}
	for _, server := range s.servers {
		started := make(chan struct{})
		server.NotifyStartedFunc = func() { close(started) }
		s.running.Go(func() {
			if err := server.ActivateAndServe(); err != nil {
				s.broken <- fmt.Errorf("answer questions: %w", err)
			}
		})
		<-started
	}
}

// Address is where it answers, HOST:PORT.
func (s *Server) Address() string { return s.listener.Addr().String() }

// Broken gives what ended the server where it was not Close.
func (s *Server) Broken() <-chan error { return s.broken }

// Ready reports whether private names are answered.
func (s *Server) Ready() bool { return s.follower.synced() }

// Close takes no more questions and returns when those in flight are answered.
func (s *Server) Close() error {
	var all []error
	for _, server := range s.servers {
		all = append(all, server.Shutdown())
	}
	s.giveUp()
	if s.health != nil {
		all = append(all, s.health.Close())
	}
	s.running.Wait()
	return errors.Join(all...)
}
