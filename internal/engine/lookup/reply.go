package lookup

import "github.com/miekg/dns"

// IsBelow reports whether a message is one question for a name that is the zone's or below it. The zone has a dot at its end.
func IsBelow(zone string, q *dns.Msg) bool {
	return len(q.Question) == 1 && dns.IsSubDomain(zone, dns.CanonicalName(q.Question[0].Name))
}

// Failure asks for the question to be asked again.
func Failure(q *dns.Msg) *dns.Msg {
	return new(dns.Msg).SetRcode(q, dns.RcodeServerFailure)
}

// Reply sends an answer.
func Reply(w dns.ResponseWriter, m *dns.Msg) {
	m.Compress = true
	// A client that has gone is no error of ours.
	_ = w.WriteMsg(m)
}
