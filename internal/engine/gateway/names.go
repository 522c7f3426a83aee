//go:build linux

package gateway

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/miekg/dns"

	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/setops"
)

const (
	private = "internal." // all below it is answered here, and asked of nobody else
	ttl     = 5           // seconds; a name may move soon after its app was made anew
)

// table is the private names of one stage, in lower case with a dot at their end.
type table map[string]netip.Addr

type privateNames struct {
	table
	complete bool // there are no others
}

func (p *place) table() table {
	t := table{}
	for _, f := range p.fronts {
		if a, known := p.addressOf(f); known {
			t[dns.CanonicalName(f.Host)] = a
		}
	}
	return t
}

// check refuses fronts that nobody could reach, or that would hide names of the world.
func (g *Gateways) check(fronts []engine.Front) error {
	suffix := ".internal"
	if g.cfg.Domain != "" {
		suffix = "." + strings.ToLower(g.cfg.Domain) + suffix
	}
	for _, f := range fronts {
		_, isName := dns.IsDomainName(f.Host)
		switch {
		case !isName || !strings.HasSuffix(strings.ToLower(f.Host), suffix):
			return fmt.Errorf("serve app %s: %q is no private name, which end in %s", f.App, f.Host, suffix)
		case f.App == "" || f.Protocol != setops.HTTP && f.Protocol != setops.TCP:
			return fmt.Errorf("serve %s: app %q with protocol %q cannot be served", f.Host, f.App, f.Protocol)
		case f.Port < 1 || f.Port > 65535:
			return fmt.Errorf("serve %s: %d is no port", f.Host, f.Port)
		case f.Port == namesPort && f.Protocol == setops.HTTP:
			return fmt.Errorf("serve %s: port %d of a gateway is for names", f.Host, f.Port)
		}
	}
	return nil
}

// isPrivate reports whether the question is ours to answer.
func isPrivate(q *dns.Msg) bool {
	return len(q.Question) == 1 && dns.IsSubDomain(private, dns.CanonicalName(q.Question[0].Name))
}

// answer answers a question for a private name: by its address, by nothing for other types, by NXDOMAIN for what this
// stage does not have. As long as that is not known, the question should be asked again.
func (t privateNames) answer(q *dns.Msg) *dns.Msg {
	m := new(dns.Msg).SetReply(q)
	m.Authoritative, m.RecursionAvailable = true, true
	if edns := q.IsEdns0(); edns != nil {
		m.SetEdns0(dns.DefaultMsgSize, false)
	}
	asked := q.Question[0]
	name := dns.CanonicalName(asked.Name)
	address, known := t.table[name]
	switch {
	case known && asked.Qtype == dns.TypeA && asked.Qclass == dns.ClassINET:
		header := dns.RR_Header{Name: asked.Name, Rrtype: dns.TypeA, Class: dns.ClassINET, Ttl: ttl}
		m.Answer = []dns.RR{&dns.A{Hdr: header, A: address.AsSlice()}}
	case known || t.hasBelow(name):
	case !t.complete:
		m.Rcode = dns.RcodeServerFailure
	default:
		m.Rcode = dns.RcodeNameError
	}
	return m
}

// hasBelow reports whether there are longer names that end in this one: then it exists, and has nothing.
func (t table) hasBelow(name string) bool {
	for longer := range t {
		if dns.IsSubDomain(name, longer) {
			return true
		}
	}
	return false
}
