package lookup

import (
	"net/netip"

	"github.com/miekg/dns"
)

const ttl = 5 // seconds; a name may move soon after its app was made anew

// Table is private names and their addresses. The names are in lower case, with a dot at their end.
type Table map[string][]netip.Addr

// Answer answers a question for a private name: by its addresses, by nothing for other types, by NXDOMAIN for what is not there.
// Where the table is not complete the question should be asked again.
func (t Table) Answer(q *dns.Msg, complete bool) *dns.Msg {
	m := new(dns.Msg).SetReply(q)
	m.Authoritative, m.RecursionAvailable = true, true
	if edns := q.IsEdns0(); edns != nil {
		m.SetEdns0(dns.DefaultMsgSize, false)
	}
	asked := q.Question[0]
	name := dns.CanonicalName(asked.Name)
	addresses, known := t[name]
	switch {
	case known && asked.Qclass == dns.ClassINET:
		m.Answer = records(asked, addresses)
	case known || t.hasBelow(name):
	case !complete:
		m.Rcode = dns.RcodeServerFailure
	default:
		m.Rcode = dns.RcodeNameError
	}
	return m
}

// records are the addresses of the kind that was asked for.
func records(asked dns.Question, addresses []netip.Addr) (all []dns.RR) {
	header := dns.RR_Header{Name: asked.Name, Rrtype: asked.Qtype, Class: dns.ClassINET, Ttl: ttl}
	for _, a := range addresses {
		switch {
		case asked.Qtype == dns.TypeA && a.Is4():
			all = append(all, &dns.A{Hdr: header, A: a.AsSlice()})
		case asked.Qtype == dns.TypeAAAA && a.Is6():
			all = append(all, &dns.AAAA{Hdr: header, AAAA: a.AsSlice()})
		}
	}
	return all
}

// hasBelow reports whether there are longer names that end in this one: then it exists, and has nothing.
func (t Table) hasBelow(name string) bool {
	for longer := range t {
		if dns.IsSubDomain(name, longer) {
			return true
		}
	}
	return false
}
