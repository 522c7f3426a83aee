//go:build linux

package network

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// upstream serves names at a loopback address of the process's own namespace, as that is where goroutines live that are
// bound to no thread, those that pass questions on included.
func (h *host) upstream(server string, handle dns.HandlerFunc) {
	h.t.Helper()
	var packets net.PacketConn
	var listener net.Listener
	listening := make(chan error)
	go func() {
		var err1, err2 error
		packets, err1 = net.ListenPacket("udp4", server+":53")
		listener, err2 = net.Listen("tcp4", server+":53")
		listening <- errors.Join(err1, err2)
	}()
	if err := <-listening; err != nil {
		h.t.Fatal(err)
	}
	for _, s := range []*dns.Server{{PacketConn: packets, Handler: handle}, {Listener: listener, Handler: handle}} {
		started, ended := make(chan struct{}), make(chan struct{})
		s.NotifyStartedFunc = func() { close(started) }
		go func() { defer close(ended); s.ActivateAndServe() }()
		<-started
		h.t.Cleanup(func() { s.Shutdown(); <-ended })
	}
}

func everyNameIs(address string) dns.HandlerFunc {
	return func(w dns.ResponseWriter, q *dns.Msg) {
		m := new(dns.Msg).SetReply(q)
		header := dns.RR_Header{Name: q.Question[0].Name, Rrtype: dns.TypeA, Class: dns.ClassINET, Ttl: 1}
		m.Answer = []dns.RR{&dns.A{Hdr: header, A: net.ParseIP(address)}}
		w.WriteMsg(m)
	}
}

func (h *host) resolvConf(servers ...string) {
	h.t.Helper()
	var b strings.Builder
	for _, s := range servers {
		fmt.Fprintf(&b, "nameserver %s\n", s)
	}
	if err := os.WriteFile(h.dir+"/resolv.conf", []byte(b.String()), 0o600); err != nil {
		h.t.Fatal(err)
	}
}

// resolve asks the server from a namespace: "addresses" or the code of a refusal.
func (h *host) resolve(netns, transport, server string) string {
	h.t.Helper()
	result := ""
	h.in(netns, func() {
		c := dns.Client{Net: transport, Timeout: 3 * time.Second}
		m, _, err := c.Exchange(new(dns.Msg).SetQuestion("db.example.", dns.TypeA), server+":53")
		switch {
		case err != nil:
			result = err.Error()
		case len(m.Answer) == 1:
			result = m.Answer[0].(*dns.A).A.String()
		default:
			result = dns.RcodeToString[m.Rcode]
		}
	})
	return result
}

func TestNamesAreAnsweredOnTheGateway(t *testing.T) {
	h := newHost(t)
	h.upstream("127.86.0.1", everyNameIs("192.0.2.1"))
	h.upstream("127.86.0.2", everyNameIs("192.0.2.22"))
	n := h.network("0badcafe")
	h.stage(n, "live")
	a := h.attach(n, "live", "a")
	steps := []struct {
		servers []string
		want    string
	}{
		{nil, "SERVFAIL"}, // not even the file is there
		{[]string{"127.86.0.1"}, "192.0.2.1"},
		{[]string{"127.86.0.2", "127.86.0.1"}, "192.0.2.22"},
		{[]string{"127.86.0.9", "127.86.0.1"}, "192.0.2.1"}, // the first one is down
	}
	for _, s := range steps {
		if s.servers != nil {
			h.resolvConf(s.servers...)
		}
		for _, transport := range []string{"udp", "tcp"} {
			if got := h.resolve(a.NetNSPath, transport, a.Gateway); got != s.want {
				t.Errorf("servers %v by %s: %q, want %q", s.servers, transport, got, s.want)
			}
		}
	}
}

func TestNamesAreServedAgainAfterARestart(t *testing.T) {
	h := newHost(t)
	h.upstream("127.86.0.3", everyNameIs("192.0.2.1"))
	h.resolvConf("127.86.0.3")
	n := h.open("0badcafe")
	h.stage(n, "live")
	a := h.attach(n, "live", "a")
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
	if got := h.resolve(a.NetNSPath, "udp", a.Gateway); got == "192.0.2.1" {
		t.Error("names are served by nobody")
	}
	h.network("0badcafe")
	if got := h.resolve(a.NetNSPath, "udp", a.Gateway); got != "192.0.2.1" {
		t.Errorf("got %q", got)
	}
}

func TestNamesAreServedOnABridgeThatWasMadeAgain(t *testing.T) {
	h := newHost(t)
	h.upstream("127.86.0.4", everyNameIs("192.0.2.1"))
	h.resolvConf("127.86.0.4")
	n := h.network("0badcafe")
	run(t, "ip", "link", "del", h.stage(n, "live").Bridge)
	h.stage(n, "live")
	a := h.attach(n, "live", "a")
	if got := h.resolve(a.NetNSPath, "udp", a.Gateway); got != "192.0.2.1" {
		t.Errorf("got %q", got)
	}
}

func TestNamesAreServedToNobodyElse(t *testing.T) {
	h := newHost(t)
	outside := h.world()
	h.upstream("127.86.0.5", everyNameIs("192.0.2.1"))
	h.resolvConf("127.86.0.5")
	n := h.network("0badcafe")
	live := h.stage(n, "live")
	h.stage(n, "test")
	other := h.attach(n, "test", "b")
	h.in(outside, func() { run(t, "ip", "route", "add", "10.0.0.0/8", "via", hostInWorld) })
	for who, netns := range map[string]string{"another stage": other.NetNSPath, "the world": outside} {
		if got := h.resolve(netns, "udp", live.Gateway.String()); got == "192.0.2.1" {
			t.Errorf("%s got an answer", who)
		}
	}
}

func TestCloseDoesNotWaitForSlowNameServers(t *testing.T) {
	h := newHost(t)
	asked := make(chan struct{}, 10)
	h.upstream("127.86.0.6", func(dns.ResponseWriter, *dns.Msg) { asked <- struct{}{} })
	h.resolvConf("127.86.0.6")
	n := h.network("0badcafe")
	h.stage(n, "live")
	a := h.attach(n, "live", "a")
	h.in(a.NetNSPath, func() {
		c, err := net.Dial("udp4", a.Gateway+":53")
		if err != nil {
			t.Error(err)
			return
		}
		defer c.Close()
		q, err := new(dns.Msg).SetQuestion("db.example.", dns.TypeA).Pack()
		if err != nil {
			t.Error(err)
			return
		}
		c.Write(q)
	})
	select {
	case <-asked:
	case <-time.After(time.Minute):
		t.Fatal("the question was not passed on")
	}
	start := time.Now()
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(start); took > time.Second {
		t.Errorf("Close took %s", took)
	}
}

func TestAProgramOnPort53OfEveryAddressIsNoObstacle(t *testing.T) {
	h := newHost(t)
	h.upstream("127.86.0.7", everyNameIs("192.0.2.1"))
	h.resolvConf("127.86.0.7")
	l, err := net.Listen("tcp4", "0.0.0.0:53")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	packets, err := net.ListenPacket("udp4", "0.0.0.0:53")
	if err != nil {
		t.Fatal(err)
	}
	defer packets.Close()
	n := h.network("0badcafe")
	h.stage(n, "live")
	a := h.attach(n, "live", "a")
	for _, transport := range []string{"udp", "tcp"} {
		if got := h.resolve(a.NetNSPath, transport, a.Gateway); got != "192.0.2.1" {
			t.Errorf("by %s: got %q", transport, got)
		}
	}
}
