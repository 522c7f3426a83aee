package names

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/miekg/dns"
	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/cache"

	"github.com/setopsco/setops/internal/engine/kubernetes/object"
)

// house is a name server on this machine, and what it is told of a cluster.
type house struct {
	*directory
	address string
	synced  atomic.Bool
	asked   atomic.Int64 // questions that were passed on
}

func newHouse(t *testing.T) *house {
	t.Helper()
	h := &house{}
	h.synced.Store(true)
	h.directory = newDirectory(
		cache.NewIndexer(cache.MetaNamespaceKeyFunc, podIndexes), cache.NewIndexer(cache.MetaNamespaceKeyFunc, serviceIndexes), h.synced.Load)
	s := &Server{broken: make(chan error, 2)}
	must(t, s.listen("127.0.0.1:0"))
	ctx, cancel := context.WithCancel(t.Context())
	s.giveUp = cancel
	s.serve(&handler{
		ctx: ctx, directory: h.directory, world: h, patience: time.Second, limit: newLimit(),
	})
	t.Cleanup(func() { must(t, s.Close()) })
	h.address = s.Address()
	return h
}

// Ask is the world, which knows one name.
func (h *house) Ask(_ context.Context, transport string, q *dns.Msg) (*dns.Msg, error) {
	h.asked.Add(1)
	m := new(dns.Msg).SetReply(q)
	switch {
	case q.Question[0].Name == "broken.example.":
		return nil, errors.New("nobody answers")
	case q.Question[0].Name != "example.net.":
		m.Rcode = dns.RcodeNameError
	case transport == "udp":
		m.Truncated = true
	default:
		m.Answer = append(m.Answer, &dns.A{Hdr: dns.RR_Header{Name: "example.net.", Rrtype: dns.TypeA, Class: dns.ClassINET}, A: net.IPv4(192, 0, 2, 1)})
	}
	return m, nil
}

func (h *house) pod(t *testing.T, namespace, name string, created time.Time, addresses ...string) *core.Pod {
	t.Helper()
	p := &core.Pod{ObjectMeta: meta.ObjectMeta{Namespace: namespace, Name: name, CreationTimestamp: meta.NewTime(created)}}
	for _, a := range addresses {
		p.Status.PodIPs = append(p.Status.PodIPs, core.PodIP{IP: a})
	}
	must(t, h.pods.Add(p))
	h.tell()
	return p
}

func (h *house) service(t *testing.T, namespace, app, host string, addresses ...string) {
	t.Helper()
	must(t, h.services.Add(&core.Service{
		ObjectMeta: meta.ObjectMeta{Namespace: namespace, Name: app, Annotations: map[string]string{object.AnnotationHost: host}},
		Spec:       core.ServiceSpec{ClusterIPs: addresses},
	}))
}

// ask asks as the pod with that address, and gives what came back as "NOERROR 10.96.0.1".
func (h *house) ask(t *testing.T, from, transport, name string, kind uint16) string {
	t.Helper()
	local := netip.AddrPortFrom(netip.MustParseAddr(from), 0)
	var at net.Addr = net.UDPAddrFromAddrPort(local)
	if transport == "tcp" {
		at = net.TCPAddrFromAddrPort(local)
	}
	c := &dns.Client{Net: transport, Timeout: 10 * time.Second, Dialer: &net.Dialer{LocalAddr: at, Timeout: 10 * time.Second}}
	m, _, err := c.ExchangeContext(t.Context(), new(dns.Msg).SetQuestion(dns.Fqdn(name), kind), h.address)
	must(t, err)
	words := []string{dns.RcodeToString[m.Rcode]}
	if m.Truncated {
		words = append(words, "truncated")
	}
	for _, r := range m.Answer {
		words = append(words, dns.Field(r, 1))
	}
	return strings.Join(words, " ")
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

const web, db = "web.prod.shop.localhost.internal", "db.prod.shop.localhost.internal"

// shop is a house with two stages, of which the second one has a name of its own.
func shop(t *testing.T) *house {
	h := newHouse(t)
	h.service(t, "prod", "web", web, "10.96.0.1")
	h.service(t, "prod", "db", db, "10.96.0.2", "fd00:96::2")
	h.service(t, "test", "web", "web.test.shop.localhost.internal", "10.96.0.3")
	h.pod(t, "prod", "web-1", time.Now(), "127.0.0.1")
	h.pod(t, "test", "web-1", time.Now(), "127.0.0.2")
	return h
}

func TestAStageIsToldItsOwnNamesOnly(t *testing.T) {
	h := shop(t)
	for _, transport := range []string{"udp", "tcp"} {
		for _, c := range []struct {
			from, name string
			kind       uint16
			want       string
		}{
			{"127.0.0.1", web, dns.TypeA, "NOERROR 10.96.0.1"},
			{"127.0.0.1", strings.ToUpper(web), dns.TypeA, "NOERROR 10.96.0.1"},
			{"127.0.0.1", web, dns.TypeAAAA, "NOERROR"},
			{"127.0.0.1", db, dns.TypeAAAA, "NOERROR fd00:96::2"},
			{"127.0.0.1", "prod.shop.localhost.internal", dns.TypeA, "NOERROR"},
			{"127.0.0.1", "queue.prod.shop.localhost.internal", dns.TypeA, "NXDOMAIN"},
			{"127.0.0.1", "web.test.shop.localhost.internal", dns.TypeA, "NXDOMAIN"},
			{"127.0.0.2", web, dns.TypeA, "NXDOMAIN"},
			{"127.0.0.2", "web.test.shop.localhost.internal", dns.TypeA, "NOERROR 10.96.0.3"},
		} {
			if got := h.ask(t, c.from, transport, c.name, c.kind); got != c.want {
				t.Errorf("%s asks by %s for %s %s: %s", c.from, transport, c.name, dns.TypeToString[c.kind], got)
			}
		}
	}
	if n := h.asked.Load(); n != 0 {
		t.Errorf("%d private names were asked for elsewhere", n)
	}
}

func TestOtherNamesAreThoseOfTheCluster(t *testing.T) {
	h := shop(t)
	for _, c := range []struct{ from, transport, name, want string }{
		{"127.0.0.1", "udp", "example.net", "NOERROR truncated"},
		{"127.0.0.1", "tcp", "example.net", "NOERROR 192.0.2.1"},
		{"127.0.0.9", "tcp", "example.net", "NOERROR 192.0.2.1"}, // whoever asks
		{"127.0.0.9", "udp", "ip-10-0-0-1.compute.internal", "NXDOMAIN"},
		{"127.0.0.1", "udp", "broken.example", "SERVFAIL"},
		{"127.0.0.1", "udp", web + ".prod.svc.cluster.local", "NXDOMAIN"},
	} {
		before := h.asked.Load()
		if got := h.ask(t, c.from, c.transport, c.name, dns.TypeA); got != c.want || h.asked.Load() == before {
			t.Errorf("%+v: %s", c, got)
		}
	}
}

// A pod asks sooner than the cluster tells of its address.
func TestAPodThatIsNotKnownYetIsWaitedFor(t *testing.T) {
	h := shop(t)
	if got := h.ask(t, "127.0.0.3", "udp", web, dns.TypeA); got != "SERVFAIL" {
		t.Errorf("of nobody: %s", got)
	}
	answer := make(chan string)
	go func() { answer <- h.ask(t, "127.0.0.3", "udp", web, dns.TypeA) }()
	h.pod(t, "prod", "web-2", time.Now())
	h.pod(t, "prod", "web-2", time.Now(), "127.0.0.3")
	if got := <-answer; got != "NOERROR 10.96.0.1" {
		t.Errorf("after it is known: %s", got)
	}
}

func TestAnAddressIsThatOfTheYoungestPodThatRuns(t *testing.T) {
	h := shop(t)
	h.pod(t, "test", "web-2", time.Now().Add(time.Minute), "127.0.0.1")
	if got := h.ask(t, "127.0.0.1", "udp", web, dns.TypeA); got != "NXDOMAIN" {
		t.Errorf("the younger one is of another stage: %s", got)
	}
	p := h.pod(t, "test", "web-2", time.Now().Add(time.Minute), "127.0.0.1").DeepCopy()
	p.Status.Phase = core.PodSucceeded
	must(t, h.pods.Update(p))
	if got := h.ask(t, "127.0.0.1", "udp", web, dns.TypeA); got != "NOERROR 10.96.0.1" {
		t.Errorf("it has ended: %s", got)
	}
	p = h.pod(t, "test", "web-2", time.Now().Add(time.Minute)).DeepCopy()
	p.Spec.HostNetwork, p.Status.PodIPs = true, []core.PodIP{{IP: "127.0.0.1"}}
	must(t, h.pods.Update(p))
	if got := h.ask(t, "127.0.0.1", "udp", web, dns.TypeA); got != "NOERROR 10.96.0.1" {
		t.Errorf("its address is that of its node: %s", got)
	}
}

func TestBeforeTheClusterHasToldNoNameIsDenied(t *testing.T) {
	h := shop(t)
	h.synced.Store(false)
	for name, want := range map[string]string{
		web: "NOERROR 10.96.0.1", "queue.prod.shop.localhost.internal": "SERVFAIL", "web.prod.shop.other.internal": "SERVFAIL", "other.example": "NXDOMAIN",
	} {
		if got := h.ask(t, "127.0.0.1", "udp", name, dns.TypeA); got != want {
			t.Errorf("%s: %s", name, got)
		}
	}
}

func TestOneClientCannotTakeThePlacesOfAll(t *testing.T) {
	l := newLimit()
	one, other := netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("10.0.0.2")
	for i := range mostOfOne {
		if !l.take(one) {
			t.Fatalf("question %d has no place", i)
		}
	}
	if l.take(one) || !l.take(other) {
		t.Error("the limit is not that of one client")
	}
	l.give(one)
	if !l.take(one) || l.all != mostOfOne+1 {
		t.Errorf("a place that was given back is not there: %d", l.all)
	}
}

// What is kept of a pod is what answers need.
func TestSecretsOfOthersAreNotKept(t *testing.T) {
	pod := &core.Pod{
		ObjectMeta: meta.ObjectMeta{Name: "web-1", Namespace: "prod", ResourceVersion: "7", Annotations: map[string]string{"token": "secret"}},
		Spec:       core.PodSpec{Containers: []core.Container{{Name: "app", Env: []core.EnvVar{{Name: "KEY", Value: "secret"}}}}},
		Status:     core.PodStatus{PodIPs: []core.PodIP{{IP: "10.244.0.2"}}},
	}
	kept, err := strip(pod)
	must(t, err)
	p := kept.(*core.Pod)
	if text := fmt.Sprintf("%+v", p); strings.Contains(text, "secret") || p.Status.PodIPs[0].IP != "10.244.0.2" || p.ResourceVersion != "7" {
		t.Errorf("kept: %s", text)
	}
}
