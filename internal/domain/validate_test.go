package domain_test

import (
	"context"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/setopsco/setops/internal/changeset"
	"github.com/setopsco/setops/internal/domain"
	"github.com/setopsco/setops/internal/setops"
)

func validation(name string) *changeset.DomainValidate {
	return &changeset.DomainValidate{AppName: "web", Domain: name}
}

func TestADomainIsValidatedByItsRecord(t *testing.T) {
	var published zone
	s := service(t, domain.Config{Resolver: nameServer(t, published.answer)})
	for _, name := range []string{"example.com", "*.example.com"} {
		r := s.Validation(stage, "web", name)
		published.publish(r.Name, strings.ToUpper(r.Values[0])) // as DNS compares: in any case
		if err := s.Admit(t.Context(), stage, validation(name)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if err := s.Admit(t.Context(), other, validation(name)); err == nil {
			t.Errorf("%s: the record is good for another stage", name)
		}
	}
}

func TestAMissingRecordIsNamedWithItsValueAndTheNextCommand(t *testing.T) {
	s := service(t, domain.Config{Resolver: nameServer(t, new(zone).answer)})
	wanted := s.Validation(stage, "web", "*.example.com")
	e, v := refusal(t, s.Admit(t.Context(), stage, validation("*.example.com")))
	if v != setops.NotFound || e.Temporary {
		t.Errorf("%q %+v", v, e)
	}
	for _, part := range []string{wanted.Name, wanted.Values[0], "`setops -p shop -s production --app web domain:validate '*.example.com'`"} {
		if !strings.Contains(e.Error(), part) {
			t.Errorf("%q is not in: %s", part, e)
		}
	}
}

func TestAnotherValueIsNamedWithTheRightOne(t *testing.T) {
	var published zone
	s := service(t, domain.Config{Resolver: nameServer(t, published.answer)})
	wanted := s.Validation(stage, "web", "example.com")
	published.publish(wanted.Name, "elsewhere.example.org.")
	e, v := refusal(t, s.Admit(t.Context(), stage, validation("example.com")))
	if v != setops.Invalid || e.Temporary || !strings.Contains(e.Error(), "elsewhere.example.org.") || !strings.Contains(e.Error(), wanted.Values[0]) {
		t.Errorf("%q %s", v, e)
	}
}

func TestNoChainIsFollowed(t *testing.T) {
	wanted := service(t, domain.Config{}).Validation(stage, "web", "example.com")
	s := service(t, domain.Config{Resolver: nameServer(t, func(w dns.ResponseWriter, q *dns.Msg) {
		m := new(dns.Msg).SetReply(q)
		m.Answer = []dns.RR{cname("somebody.example.org.", wanted.Values[0]), cname(q.Question[0].Name, "somebody.example.org.")}
		_ = w.WriteMsg(m)
	})})
	if _, v := refusal(t, s.Admit(t.Context(), stage, validation("example.com"))); v != setops.Invalid {
		t.Errorf("%q", v)
	}
}

func TestAnswersThatAreTooLongForAPacketComeByTCP(t *testing.T) {
	var published zone
	s := service(t, domain.Config{Resolver: nameServer(t, func(w dns.ResponseWriter, q *dns.Msg) {
		if w.LocalAddr().Network() == "udp" {
			m := new(dns.Msg).SetReply(q)
			m.Truncated = true
			_ = w.WriteMsg(m)
			return
		}
		published.answer(w, q)
	})})
	r := s.Validation(stage, "web", "example.com")
	published.publish(r.Name, r.Values[0])
	if err := s.Admit(t.Context(), stage, validation("example.com")); err != nil {
		t.Error(err)
	}
}

func TestALostPacketIsSentAgain(t *testing.T) {
	t.Parallel()
	var published zone
	var asked atomic.Int32
	s := service(t, domain.Config{Resolver: nameServer(t, func(w dns.ResponseWriter, q *dns.Msg) {
		if asked.Add(1) > 1 {
			published.answer(w, q)
		}
	})})
	r := s.Validation(stage, "web", "example.com")
	published.publish(r.Name, r.Values[0])
	if err := s.Admit(t.Context(), stage, validation("example.com")); err != nil {
		t.Error(err)
	}
}

func TestNoAnswerIsTemporaryAndEndsInTime(t *testing.T) {
	t.Parallel()
	silent, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	refusing := nameServer(t, func(w dns.ResponseWriter, q *dns.Msg) {
		_ = w.WriteMsg(new(dns.Msg).SetRcode(q, dns.RcodeServerFailure))
	})
	for name, test := range map[string]struct{ resolver, why string }{
		"silence":          {silent.LocalAddr().String(), "took too long"},
		"a server's fault": {refusing, "SERVFAIL"},
	} {
		s := service(t, domain.Config{Resolver: test.resolver})
		began := time.Now()
		e, _ := refusal(t, s.Admit(t.Context(), stage, validation("example.com")))
		if !e.Temporary || !strings.Contains(e.Error(), test.why) || !strings.Contains(e.Error(), "domain:validate example.com`") || strings.Contains(e.Error(), "127.0.0.1") {
			t.Errorf("%s: %+v", name, e)
		}
		if took := time.Since(began); took > domain.LookupLimit+time.Second {
			t.Errorf("%s: it took %s", name, took)
		}
	}
}

func TestARequestThatEndsStopsAsking(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	s := service(t, domain.Config{Resolver: nameServer(t, func(dns.ResponseWriter, *dns.Msg) { cancel() })})
	began := time.Now()
	if err := s.Admit(ctx, stage, validation("example.com")); err == nil {
		t.Error("validated without an answer")
	}
	if took := time.Since(began); took > 4*time.Second {
		t.Errorf("it took %s", took)
	}
}

func TestWhatIsValidatedStaysSoWithoutItsRecord(t *testing.T) {
	s := service(t, domain.Config{Resolver: nameServer(t, new(zone).answer), Store: owners{"example.com": "s-1/web", "b.example": "s-1/worker"}})
	if err := s.Admit(t.Context(), stage, validation("example.com")); err != nil {
		t.Error(err)
	}
	if _, v := refusal(t, s.Admit(t.Context(), stage, validation("b.example"))); v != setops.NotFound {
		t.Errorf("that of another app of the stage: %q", v)
	}
}

func TestACommitDoesNotAskDNSAgain(t *testing.T) {
	var asked atomic.Int32
	s := service(t, domain.Config{Resolver: nameServer(t, func(dns.ResponseWriter, *dns.Msg) { asked.Add(1) })})
	if err := s.Recheck(t.Context(), stage, validation("example.com")); err != nil || asked.Load() > 0 {
		t.Errorf("asked %d times, %v", asked.Load(), err)
	}
}

func TestANameWithoutRoomForARecordCannotBeValidated(t *testing.T) {
	s := service(t, domain.Config{Resolver: "127.0.0.1:1"})
	label := strings.Repeat("a", 60)
	long := strings.Join([]string{label, label, label, label}, ".") // 243
	if _, v := refusal(t, s.Admit(t.Context(), stage, validation(long))); v != setops.TooLong {
		t.Errorf("%q", v)
	}
	if err := s.Admit(t.Context(), stage, validation("not a domain")); err != nil {
		t.Errorf("DNS was asked for what Fold refuses: %v", err)
	}
}
