package domain_test

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/miekg/dns"

	"github.com/setopsco/setops/internal/changeset"
	"github.com/setopsco/setops/internal/domain"
	"github.com/setopsco/setops/internal/setops"
)

var (
	stage = setops.StageRef{ID: "s-1", Organization: "demo", Project: "shop", Name: "production"}
	other = setops.StageRef{ID: "s-2", Organization: "demo", Project: "shop", Name: "staging"}
)

// owners is a store in which domains are validated by STAGE/APP, and app sftp of stage s-1 has a port.
type owners map[string]string

func (o owners) DomainOwner(_ context.Context, name string) (string, string, bool, error) {
	stageID, app, ok := strings.Cut(o[name], "/")
	return stageID, app, ok, nil
}

func (o owners) Ports(_ context.Context, stageID string) (map[string]int, error) {
	return map[string]map[string]int{"s-1": {"sftp": 20007}}[stageID], nil
}

// nameServer answers as its handler does, over UDP and TCP on one port.
func nameServer(t *testing.T, handle dns.HandlerFunc) string {
	t.Helper()
	packets, listener := onePort(t)
	var ended sync.WaitGroup
	t.Cleanup(ended.Wait) // comes after those below, which stop the servers
	for _, s := range []*dns.Server{{PacketConn: packets, Handler: handle}, {Listener: listener, Handler: handle}} {
		started := make(chan struct{})
		s.NotifyStartedFunc = func() { close(started) }
		ended.Go(func() { _ = s.ActivateAndServe() })
		<-started
		t.Cleanup(func() { _ = s.Shutdown() })
	}
	return packets.LocalAddr().String()
}

// onePort listens on a port that is free for UDP and TCP alike.
func onePort(t *testing.T) (net.PacketConn, net.Listener) {
	t.Helper()
	for range 20 {
		packets, err := net.ListenPacket("udp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		if listener, err := net.Listen("tcp", packets.LocalAddr().String()); err == nil {
			return packets, listener
		}
		_ = packets.Close()
	}
	t.Fatal("no port is free for both")
	return nil, nil
}

// zone is what a name server has: values of CNAME records by their names, in lower case with a final dot.
type zone struct{ all sync.Map }

func (z *zone) publish(name, value string) { z.all.Store(name, value) }

func (z *zone) answer(w dns.ResponseWriter, q *dns.Msg) {
	m := new(dns.Msg).SetReply(q)
	value, ok := z.all.Load(strings.ToLower(q.Question[0].Name))
	if !ok || q.Question[0].Qtype != dns.TypeCNAME {
		m.Rcode = dns.RcodeNameError
	} else {
		m.Answer = []dns.RR{cname(strings.ToUpper(q.Question[0].Name), value.(string))}
	}
	_ = w.WriteMsg(m)
}

func cname(name, value string) dns.RR {
	return &dns.CNAME{Hdr: dns.RR_Header{Name: name, Rrtype: dns.TypeCNAME, Class: dns.ClassINET}, Target: value}
}

func service(t *testing.T, c domain.Config) *domain.Service {
	t.Helper()
	c.Hosts, c.Key = setops.Hosts{Domain: "apps.example.net", First: stage.Organization}, []byte("the key of the server")
	if c.Store == nil {
		c.Store = owners{}
	}
	return domain.New(c)
}

// refusal gives the one error that is expected, with its validator, "" where it has none.
func refusal(t *testing.T, err error) (*setops.Error, setops.Validator) {
	t.Helper()
	var e *setops.Error
	if !errors.As(err, &e) {
		t.Fatalf("got %v", err)
	}
	if len(e.Violations) == 0 {
		return e, ""
	}
	return e, e.Violations[0].Validator
}

func TestNamesOfTheServerAreNobodysCustomDomains(t *testing.T) {
	s := service(t, domain.Config{})
	for name, own := range map[string]bool{
		"apps.example.net": true, "*.apps.example.net": true, "web.production.shop.apps.example.net": true, "api.apps.example.net": true,
		"example.net": false, "xapps.example.net": false, "apps.example.net.example.com": false, "*.example.net": false,
	} {
		err := s.Admit(t.Context(), stage, &changeset.DomainCreate{AppName: "web", Domain: name})
		if !own {
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if _, v := refusal(t, err); v != setops.NotIncluded {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestADomainThatAnotherStageHasValidatedIsTaken(t *testing.T) {
	s := service(t, domain.Config{Store: owners{"a.example": "s-1/web"}})
	for _, c := range []changeset.Command{
		&changeset.DomainCreate{AppName: "web", Domain: "a.example"}, &changeset.DomainValidate{AppName: "web", Domain: "a.example"},
	} {
		for name, ask := range map[string]func(context.Context, setops.StageRef, changeset.Command) error{"admit": s.Admit, "recheck": s.Recheck} {
			if _, v := refusal(t, ask(t.Context(), other, c)); v != setops.Taken {
				t.Errorf("%s %s: %q", name, c.Name(), v)
			}
			if err := ask(t.Context(), stage, c); err != nil { // the same stage is Fold's affair
				t.Errorf("%s %s on its own stage: %v", name, c.Name(), err)
			}
		}
	}
}

func TestStaticAddressesNeedAddresses(t *testing.T) {
	set := &changeset.DomainOptionSet{AppName: "web", Domain: "a.example", StaticIP: new(true)}
	if e, _ := refusal(t, service(t, domain.Config{}).Admit(t.Context(), stage, set)); e.Code != setops.CodeCurrentlyNotSupported {
		t.Errorf("got %v", e)
	}
	with := service(t, domain.Config{PublicAddresses: []netip.Addr{netip.MustParseAddr("192.0.2.1")}})
	if err := with.Admit(t.Context(), stage, set); err != nil {
		t.Error(err)
	}
	off := &changeset.DomainOptionSet{AppName: "web", Domain: "a.example", StaticIP: new(false), Primary: new(true)}
	if err := service(t, domain.Config{}).Admit(t.Context(), stage, off); err != nil {
		t.Errorf("without the option: %v", err)
	}
}

func TestValidationRecordsDifferByAllThatTheyAreFor(t *testing.T) {
	s := service(t, domain.Config{})
	seen := map[string]string{}
	for what, r := range map[string]domain.Record{
		"this": s.Validation(stage, "web", "example.com"), "stage": s.Validation(other, "web", "example.com"),
		"app": s.Validation(stage, "worker", "example.com"), "wildcard": s.Validation(stage, "web", "*.example.com"),
		"parts that run together": s.Validation(setops.StageRef{ID: "s-1w"}, "eb", "example.com"),
	} {
		for _, text := range []string{r.Name, r.Values[0]} {
			if before := seen[text]; before != "" {
				t.Errorf("%s and %s have %s", before, what, text)
			}
			seen[text] = what
		}
		if !strings.HasSuffix(r.Name, ".example.com.") || strings.Contains(r.Name, "*") || r.Type != "CNAME" ||
			!strings.HasSuffix(r.Values[0], ".validation.apps.example.net.") || r.Name[0] != '_' || len(r.Name) != len("_0123456789abcdef.example.com.") {
			t.Errorf("%s: %+v", what, r)
		}
	}
	if again := service(t, domain.Config{}).Validation(stage, "web", "example.com"); again.Name != s.Validation(stage, "web", "example.com").Name {
		t.Error("another start of the server asks for another record")
	}
	elsewhere := domain.New(domain.Config{Hosts: setops.Hosts{Domain: "apps.example.net"}, Key: []byte("another key")})
	if elsewhere.Validation(stage, "web", "example.com").Name == s.Validation(stage, "web", "example.com").Name {
		t.Error("another server asks for the same record")
	}
}

func TestTheListHasCustomDomainsAndTheTwoOfEveryApp(t *testing.T) {
	s := service(t, domain.Config{
		PublicAddresses: []netip.Addr{netip.MustParseAddr("192.0.2.2"), netip.MustParseAddr("2001:db8::1"), netip.MustParseAddr("192.0.2.1")},
		Certificates:    certificates{"z.example": errors.New("no such account"), "web.production.shop.apps.example.net": nil, "a.example": nil},
	})
	web := setops.NewApp("web")
	web.Network.Public = true
	web.Domains = map[string]setops.Domain{"a.example": {}, "z.example": {Primary: true, Validated: true, StaticIP: true}}
	all, err := s.List(t.Context(), stage, web)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range all {
		names = append(names, string(e.Kind)+" "+e.Address)
	}
	want := []string{
		"custom z.example", "custom a.example", "default web.production.shop.apps.example.net", "private web.production.shop.apps.example.net.internal",
	}
	if !slices.Equal(names, want) {
		t.Fatalf("%q", names)
	}
	z, a, outside, inside := all[0], all[1], all[2], all[3]
	if !z.Primary || !z.Validated || !z.StaticIP || z.Certificate != "failed" || z.Reason != "no such account" || z.Record.Values[0] != outside.Address {
		t.Errorf("%+v", z)
	}
	if len(z.Alternatives) != 2 || z.Alternatives[0].Type != "A" || !slices.Equal(z.Alternatives[0].Values, []string{"192.0.2.1", "192.0.2.2"}) ||
		z.Alternatives[1].Type != "AAAA" || !slices.Equal(z.Alternatives[1].Values, []string{"2001:db8::1"}) {
		t.Errorf("%+v", z.Alternatives)
	}
	if a.Certificate != "" || a.Validated {
		t.Errorf("a certificate for what is not validated: %+v", a)
	}
	if !outside.Validated || outside.Primary || outside.Certificate != "ready" || outside.Port != 0 || outside.Record.Name != "" {
		t.Errorf("%+v", outside)
	}
	if !inside.Validated || inside.Certificate != "" || inside.Port != 80 {
		t.Errorf("%+v", inside)
	}
}

// certificates are ready where they have no reason not to be.
type certificates map[string]error

func (c certificates) Status(host string) (string, error) {
	reason, ok := c[host]
	switch {
	case !ok:
		return "", nil
	case reason != nil:
		return "failed", reason
	}
	return "ready", nil
}

func TestATCPAppHasItsPorts(t *testing.T) {
	s := service(t, domain.Config{Certificates: certificates{"sftp.production.shop.apps.example.net": nil}})
	sftp := setops.NewApp("sftp")
	sftp.Network = setops.Network{Protocol: setops.TCP, Public: true, Port: 2222}
	all, err := s.List(t.Context(), stage, sftp)
	if err != nil || len(all) != 2 || all[0].Port != 20007 || all[0].Certificate != "" || all[1].Port != 2222 {
		t.Errorf("%+v, %v", all, err)
	}
	sftp.Network.Public = false
	if all, err = s.List(t.Context(), stage, sftp); err != nil || all[0].Port != 0 {
		t.Errorf("not public: %+v, %v", all, err)
	}
}

func TestTheDefaultDomainIsNotDestroyedAndTheRefusalSaysWhatToTypeInstead(t *testing.T) {
	s := service(t, domain.Config{})
	byItself := &changeset.DomainDestroy{AppName: "web", Domain: "web.production.shop.apps.example.net"}
	e, v := refusal(t, s.Admit(t.Context(), stage, byItself))
	for _, part := range []string{"is the default domain of app web", "`setops -p shop -s production --app web network:set public false`"} {
		if v != setops.NotIncluded || !strings.Contains(e.Error(), part) {
			t.Errorf("%s: %s does not say %q", v, e, part)
		}
	}
	if err := s.Admit(t.Context(), stage, &changeset.DomainDestroy{AppName: "web", Domain: "example.com"}); err != nil {
		t.Errorf("a custom domain: %v", err)
	}
}
