package lookup_test

import (
	"net/netip"
	"testing"

	"github.com/miekg/dns"

	"github.com/setopsco/setops/internal/engine/lookup"
)

func table() lookup.Table {
	return lookup.Table{"web.live.internal.": {netip.MustParseAddr("10.213.0.1")}}
}

func TestQuestionsThatAreOursAreKnownByTheEndOfTheirName(t *testing.T) {
	for name, want := range map[string]bool{
		"web.live.shop.example.internal.": true, "WEB.InterNAL.": true, "internal.": true,
		"internal.example.": false, "notinternal.": false, ".": false,
	} {
		if got := lookup.IsBelow("internal.", new(dns.Msg).SetQuestion(name, dns.TypeA)); got != want {
			t.Errorf("%s: %v", name, got)
		}
	}
	if lookup.IsBelow("internal.", new(dns.Msg)) {
		t.Error("a question without a name is ours")
	}
}

func TestAnswersKeepTheSpellingAndTheSizeOfTheQuestion(t *testing.T) {
	names := table()
	q := new(dns.Msg).SetQuestion("wEb.lIve.internal.", dns.TypeA).SetEdns0(4096, false)
	m := names.Answer(q, true)
	if len(m.Answer) != 1 || m.Answer[0].Header().Name != "wEb.lIve.internal." || m.IsEdns0() == nil || !m.RecursionAvailable {
		t.Errorf("got %v", m)
	}
	q.Question[0].Qclass = dns.ClassCHAOS
	if m := names.Answer(q, true); len(m.Answer) != 0 || m.Rcode != dns.RcodeSuccess {
		t.Errorf("got %v", m)
	}
}

func TestANameThatMayStillComeIsNotDenied(t *testing.T) {
	names := table()
	for name, want := range map[string]int{
		"web.live.internal.": dns.RcodeSuccess, "db.live.internal.": dns.RcodeServerFailure, "live.internal.": dns.RcodeSuccess,
	} {
		if m := names.Answer(new(dns.Msg).SetQuestion(name, dns.TypeA), false); m.Rcode != want {
			t.Errorf("%s: %s", name, dns.RcodeToString[m.Rcode])
		}
	}
}

func TestEachKindOfAddressIsGivenWhereItIsAskedFor(t *testing.T) {
	names := lookup.Table{"web.live.internal.": {netip.MustParseAddr("10.213.0.1"), netip.MustParseAddr("fd00::1")}}
	for kind, want := range map[uint16]string{dns.TypeA: "10.213.0.1", dns.TypeAAAA: "fd00::1", dns.TypeMX: ""} {
		m := names.Answer(new(dns.Msg).SetQuestion("web.live.internal.", kind), true)
		var got string
		for _, r := range m.Answer {
			got += dns.Field(r, 1)
		}
		if got != want || m.Rcode != dns.RcodeSuccess {
			t.Errorf("%s: %q, %s", dns.TypeToString[kind], got, dns.RcodeToString[m.Rcode])
		}
	}
}

func FuzzAnyQuestionHasAnAnswer(f *testing.F) {
	names := table()
	packed, err := new(dns.Msg).SetQuestion("web.live.internal.", dns.TypeA).Pack()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(packed)
	f.Fuzz(func(t *testing.T, b []byte) {
		q := new(dns.Msg)
		if q.Unpack(b) != nil || !lookup.IsBelow("internal.", q) {
			return
		}
		if m := names.Answer(q, true); m.Id != q.Id || len(m.Answer) > 1 {
			t.Errorf("got %v", m)
		}
	})
}
