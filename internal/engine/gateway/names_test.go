//go:build linux

package gateway

import (
	"net/netip"
	"testing"

	"github.com/miekg/dns"
)

func TestQuestionsThatAreOursAreKnownByTheEndOfTheirName(t *testing.T) {
	for name, want := range map[string]bool{
		"web.live.shop.example.internal.": true, "WEB.InterNAL.": true, "internal.": true,
		"internal.example.": false, "notinternal.": false, ".": false,
	} {
		if got := isPrivate(new(dns.Msg).SetQuestion(name, dns.TypeA)); got != want {
			t.Errorf("%s: %v", name, got)
		}
	}
	if isPrivate(new(dns.Msg)) {
		t.Error("a question without a name is ours")
	}
}

func TestAnswersKeepTheSpellingAndTheSizeOfTheQuestion(t *testing.T) {
	names := privateNames{table{"web.live.internal.": netip.MustParseAddr("10.213.0.1")}, true}
	q := new(dns.Msg).SetQuestion("wEb.lIve.internal.", dns.TypeA).SetEdns0(4096, false)
	m := names.answer(q)
	if len(m.Answer) != 1 || m.Answer[0].Header().Name != "wEb.lIve.internal." || m.IsEdns0() == nil || !m.RecursionAvailable {
		t.Errorf("got %v", m)
	}
	q.Question[0].Qclass = dns.ClassCHAOS
	if m := names.answer(q); len(m.Answer) != 0 || m.Rcode != dns.RcodeSuccess {
		t.Errorf("got %v", m)
	}
}

func TestANameThatMayStillComeIsNotDenied(t *testing.T) {
	names := privateNames{table{"web.live.internal.": netip.MustParseAddr("10.213.0.1")}, false}
	for name, want := range map[string]int{
		"web.live.internal.": dns.RcodeSuccess, "db.live.internal.": dns.RcodeServerFailure, "live.internal.": dns.RcodeSuccess,
	} {
		if m := names.answer(new(dns.Msg).SetQuestion(name, dns.TypeA)); m.Rcode != want {
			t.Errorf("%s: %s", name, dns.RcodeToString[m.Rcode])
		}
	}
}

func FuzzAnyQuestionHasAnAnswer(f *testing.F) {
	names := privateNames{table{"web.live.internal.": netip.MustParseAddr("10.213.0.1")}, true}
	packed, err := new(dns.Msg).SetQuestion("web.live.internal.", dns.TypeA).Pack()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(packed)
	f.Fuzz(func(t *testing.T, b []byte) {
		q := new(dns.Msg)
		if q.Unpack(b) != nil || !isPrivate(q) {
			return
		}
		if m := names.answer(q); m.Id != q.Id || len(m.Answer) > 1 {
			t.Errorf("got %v", m)
		}
	})
}
