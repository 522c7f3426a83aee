package e2e

import (
	"net"
	"strings"
	"sync"

	"github.com/miekg/dns"
	"github.com/rogpeppe/go-internal/testscript"
)

// nameServer is the DNS of a world: it has CNAME records and nothing else.
type nameServer struct {
	server *dns.Server
	ended  chan error

	mu      sync.Mutex
	records map[string]string // by name, in lower case with a final dot
	broken  bool              // it says SERVFAIL to everything
}

func newNameServer() (*nameServer, error) {
	packets, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &nameServer{ended: make(chan error, 1), records: map[string]string{}}
	s.server = &dns.Server{PacketConn: packets, Handler: dns.HandlerFunc(s.answer)}
	started := make(chan struct{})
	s.server.NotifyStartedFunc = func() { close(started) }
	go func() { s.ended <- s.server.ActivateAndServe() }()
	<-started
	return s, nil
}

func (s *nameServer) address() string { return s.server.PacketConn.LocalAddr().String() }

func (s *nameServer) close() error {
	if err := s.server.Shutdown(); err != nil {
		return err
	}
	return <-s.ended
}

func (s *nameServer) answer(w dns.ResponseWriter, q *dns.Msg) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := new(dns.Msg).SetReply(q)
	name := q.Question[0].Name
	switch value, ok := s.records[strings.ToLower(name)]; {
	case s.broken:
		m.Rcode = dns.RcodeServerFailure
	case !ok || q.Question[0].Qtype != dns.TypeCNAME:
		m.Rcode = dns.RcodeNameError
	default:
		m.Answer = []dns.RR{&dns.CNAME{Hdr: dns.RR_Header{Name: name, Rrtype: dns.TypeCNAME, Class: dns.ClassINET}, Target: dns.Fqdn(value)}}
	}
	_ = w.WriteMsg(m)
}

const dnsUsage = "dns publish NAME VALUE | dns withdraw NAME | dns break | dns mend"

func publish(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, len(args) > 0 && !neg, dnsUsage)
	s := worldOf(ts).dns
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case args[0] == "publish" && len(args) == 3:
		s.records[strings.ToLower(dns.Fqdn(args[1]))] = args[2]
	case args[0] == "withdraw" && len(args) == 2:
		delete(s.records, strings.ToLower(dns.Fqdn(args[1])))
	case args[0] == "break" || args[0] == "mend":
		s.broken = args[0] == "break"
	default:
		ts.Fatalf("usage: %s", dnsUsage)
	}
}

// addresses are what the server tells the world to reach it at, from its next start on.
func addresses(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, len(args) == 1 && !neg, "addresses IP,…")
	worldOf(ts).config.PublicAddresses = args[0]
}
