//go:build linux

package network

import (
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/setops"
)

const (
	webName   = "web.live.shop.localhost.internal"
	dbName    = "db.live.shop.localhost.internal"
	queueName = "queue.live.shop.localhost.internal"
)

// liveFronts are an http app and two tcp apps that have the same port.
var liveFronts = []engine.Front{
	{Host: webName, App: "web", Protocol: setops.HTTP, Port: 80},
	{Host: dbName, App: "db", Protocol: setops.TCP, Port: 5432},
	{Host: queueName, App: "queue", Protocol: setops.TCP, Port: 5432},
}

// sayWho answers every connection with the front that it came by.
func sayWho(stageID string, f engine.Front, l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		fmt.Fprintf(c, "%s %s %s", stageID, f.Protocol, f.App)
		c.Close()
	}
}

func (h *host) serving() *Network {
	h.t.Helper()
	return h.emptied(h.openWith(Config{Instance: "0badcafe", Domain: "localhost", Serve: sayWho}))
}

func (h *host) setFronts(n *Network, stageID string, fronts ...engine.Front) {
	h.t.Helper()
	if err := n.SetFronts(h.t.Context(), stageID, fronts); err != nil {
		h.t.Fatal(err)
	}
}

// question asks for a name and gives all of the answer.
func (h *host) question(netns, server, name string, kind uint16) *dns.Msg {
	h.t.Helper()
	var m *dns.Msg
	h.in(netns, func() {
		var err error
		c := dns.Client{Timeout: 3 * time.Second}
		if m, _, err = c.Exchange(new(dns.Msg).SetQuestion(dns.Fqdn(name), kind), server+":53"); err != nil {
			h.t.Error(err)
			m = new(dns.Msg)
		}
	})
	return m
}

// addressOf resolves a private name on the gateway of the container; empty where there is none.
func (h *host) addressOf(e Endpoint, name string) string {
	h.t.Helper()
	m := h.question(e.NetNSPath, e.Gateway, name, dns.TypeA)
	if len(m.Answer) != 1 {
		return ""
	}
	return m.Answer[0].(*dns.A).A.String()
}

// mustAnswer resolves the names of all fronts and connects to them. It gives their addresses.
func (h *host) mustAnswer(e Endpoint, fronts ...engine.Front) (addresses []string) {
	h.t.Helper()
	for _, f := range fronts {
		want := fmt.Sprintf("%s %s %s", e.StageID, f.Protocol, f.App)
		if f.Protocol == setops.HTTP {
			want = e.StageID + " http "
		}
		a := h.addressOf(e, f.Host)
		if got, err := h.ask(e.NetNSPath, a, fmt.Sprint(f.Port)); err != nil || got != want {
			h.t.Errorf("%s at %q: got %q %v, want %q", f.Host, a, got, err, want)
		}
		addresses = append(addresses, a)
	}
	return addresses
}

func TestAppsAnswerAtTheirPrivateNames(t *testing.T) {
	h := newHost(t)
	n := h.serving()
	h.setFronts(n, "live", liveFronts...) // may come first
	h.stage(n, "live")
	a := h.attach(n, "live", "a")
	at := h.mustAnswer(a, liveFronts...)
	if at[0] != a.Gateway || at[1] == at[2] || at[1] == a.Gateway {
		t.Errorf("web, db and queue are at %v, the gateway is %s", at, a.Gateway)
	}
	h.setFronts(n, "live", liveFronts...)
	if again := h.mustAnswer(a, liveFronts...); fmt.Sprint(again) != fmt.Sprint(at) {
		t.Errorf("they were at %v and are at %v", at, again)
	}
}

func TestPrivateNamesAreAnsweredWithoutTheHostsNameServers(t *testing.T) {
	h := newHost(t)
	h.upstream("127.86.0.8", everyNameIs("192.0.2.1"))
	h.resolvConf("127.86.0.8")
	n := h.serving()
	h.stage(n, "live")
	a := h.attach(n, "live", "a")
	h.setFronts(n, "live", liveFronts...)
	for _, c := range []struct {
		name    string
		kind    uint16
		rcode   int
		answers int
	}{
		{webName, dns.TypeA, dns.RcodeSuccess, 1},
		{"wEb.LIVE.shop.localhost.InterNal", dns.TypeA, dns.RcodeSuccess, 1},
		{webName, dns.TypeAAAA, dns.RcodeSuccess, 0},
		{webName, dns.TypeMX, dns.RcodeSuccess, 0},
		{"live.shop.localhost.internal", dns.TypeA, dns.RcodeSuccess, 0}, // there are names below it
		{"nobody.live.shop.localhost.internal", dns.TypeA, dns.RcodeNameError, 0},
		{"web.test.shop.localhost.internal", dns.TypeA, dns.RcodeNameError, 0},
		{"metadata.google.internal", dns.TypeA, dns.RcodeNameError, 0},
		{"internal.example", dns.TypeA, dns.RcodeSuccess, 1}, // of the world
		{"notinternal", dns.TypeA, dns.RcodeSuccess, 1},
	} {
		m := h.question(a.NetNSPath, a.Gateway, c.name, c.kind)
		if m.Rcode != c.rcode || len(m.Answer) != c.answers {
			t.Errorf("%s %s: got %v", c.name, dns.TypeToString[c.kind], m)
			continue
		}
		if strings.HasSuffix(strings.ToLower(c.name), ".internal") && c.answers > 0 {
			if header := m.Answer[0].Header(); header.Name != dns.Fqdn(c.name) || header.Ttl != 5 {
				t.Errorf("got %v", header)
			}
		}
	}
}

func TestPrivateNamesAreOutOfReachForOthers(t *testing.T) {
	h := newHost(t)
	outside := h.world()
	h.in(outside, func() { run(t, "ip", "route", "add", "10.0.0.0/8", "via", hostInWorld) })
	n := h.serving()
	h.stage(n, "live")
	h.stage(n, "test")
	a, b := h.attach(n, "live", "a"), h.attach(n, "test", "b")
	h.setFronts(n, "live", liveFronts...)
	h.setFronts(n, "test", engine.Front{Host: "web.test.shop.localhost.internal", App: "web", Protocol: setops.HTTP, Port: 80})
	at := h.mustAnswer(a, liveFronts...)
	for i, f := range liveFronts {
		if got := h.addressOf(b, f.Host); got != "" {
			t.Errorf("another stage resolves %s to %s", f.Host, got)
		}
		for _, port := range append(listening(t, at[i]), fmt.Sprint(f.Port)) {
			h.mustNotReach(b.NetNSPath, at[i], port)
			if got, err := h.ask(outside, at[i], port); err == nil {
				t.Errorf("the world gets %q from %s:%s", got, at[i], port)
			}
		}
	}
}

// listening gives the ports of an address that this host listens on.
func listening(t *testing.T, address string) (ports []string) {
	t.Helper()
	for line := range strings.Lines(run(t, "ss", "-Hltn")) {
		for _, field := range strings.Fields(line) {
			if _, port, err := net.SplitHostPort(field); err == nil && strings.HasPrefix(field, address+"%") {
				ports = append(ports, port)
			}
		}
	}
	if len(ports) == 0 {
		t.Fatalf("nobody listens on %s", address)
	}
	return ports
}

func TestServicesOfTheHostAreOutOfReachAtAddressesOfPrivateNames(t *testing.T) {
	h := newHost(t)
	n := h.serving()
	h.stage(n, "live")
	a := h.attach(n, "live", "a")
	h.setFronts(n, "live", liveFronts...)
	at := h.mustAnswer(a, liveFronts...)
	everywhere := h.serve(h.netns, "0.0.0.0")
	web, db := h.serveAt(h.netns, "0.0.0.0:80"), h.serveAt(h.netns, "0.0.0.0:5432")
	h.mustReach(h.netns, a.Gateway, web) // they do answer
	h.mustReach(h.netns, at[1], db)
	h.mustAnswer(a, liveFronts...) // and are in nobody's way
	for _, address := range at {
		h.mustNotReach(a.NetNSPath, address, everywhere)
	}
	h.mustNotReach(a.NetNSPath, at[0], db)
	h.mustNotReach(a.NetNSPath, at[1], web)

	h.setFronts(n, "live", liveFronts[2])
	h.mustNotReach(a.NetNSPath, at[0], web)
	h.mustNotReach(a.NetNSPath, at[1], db)
}

func TestServicesOfTheHostDoNotStepInForAServerThatIsGone(t *testing.T) {
	h := newHost(t)
	n := h.openWith(Config{Instance: "0badcafe", Serve: sayWho})
	h.stage(n, "live")
	a := h.attach(n, "live", "a")
	h.setFronts(n, "live", liveFronts...)
	at := h.mustAnswer(a, liveFronts...)
	web, db := h.serveAt(h.netns, "0.0.0.0:80"), h.serveAt(h.netns, "0.0.0.0:5432")
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
	for i, port := range []string{web, db, db} {
		if got, err := h.ask(a.NetNSPath, at[i], port); err == nil {
			t.Errorf("%s: a service of the host answers %q", liveFronts[i].Host, got)
		}
	}
	h.serving()
}

func TestProgramsOnThePortsOfPrivateNamesAreNoObstacle(t *testing.T) {
	h := newHost(t)
	h.serveAt(h.netns, "0.0.0.0:80")
	h.serveAt(h.netns, "0.0.0.0:5432")
	n := h.serving()
	h.stage(n, "live")
	h.setFronts(n, "live", liveFronts...)
	h.mustAnswer(h.attach(n, "live", "a"), liveFronts...)
}

func TestPrivateNamesThatAreTakenAwayAreGone(t *testing.T) {
	h := newHost(t)
	n := h.serving()
	s := h.stage(n, "live")
	a := h.attach(n, "live", "a")
	h.setFronts(n, "live", liveFronts...)
	at := h.mustAnswer(a, liveFronts...)
	h.setFronts(n, "live", liveFronts[1])
	if again := h.mustAnswer(a, liveFronts[1]); again[0] != at[1] {
		t.Errorf("db was at %s and is at %s", at[1], again[0])
	}
	for i, f := range liveFronts {
		if i != 1 {
			if got := h.addressOf(a, f.Host); got != "" {
				t.Errorf("%s is still %s", f.Host, got)
			}
			h.mustNotReach(a.NetNSPath, at[i], fmt.Sprint(f.Port))
		}
	}
	if addresses := run(t, "ip", "-4", "addr", "show", "dev", s.Bridge); strings.Contains(addresses, at[2]+"/") || !strings.Contains(addresses, at[1]+"/32") {
		t.Errorf("the bridge has %s", addresses)
	}
}

func TestThePortOfAnAppCanChange(t *testing.T) {
	h := newHost(t)
	n := h.serving()
	h.stage(n, "live")
	a := h.attach(n, "live", "a")
	f := liveFronts[1]
	h.setFronts(n, "live", f)
	at := h.mustAnswer(a, f)
	f.Port = 6432
	h.setFronts(n, "live", f)
	if again := h.mustAnswer(a, f); again[0] != at[0] {
		t.Errorf("it was at %s and is at %s", at[0], again[0])
	}
	h.mustNotReach(a.NetNSPath, at[0], "5432")
}

func TestPrivateNamesKeepTheirAddressesWhateverEnds(t *testing.T) {
	h := newHost(t)
	cfg := Config{Instance: "0badcafe", Serve: sayWho}
	n := h.openWith(cfg)
	s := h.stage(n, "live")
	h.setFronts(n, "live", liveFronts...)
	at := h.mustAnswer(h.attach(n, "live", "a"), liveFronts...)
	again := func(after string) {
		t.Helper()
		if now := h.mustAnswer(h.attach(n, "live", "a"), liveFronts...); fmt.Sprint(now) != fmt.Sprint(at) {
			t.Errorf("after %s they are at %v, not %v", after, now, at)
		}
	}
	run(t, "ip", "link", "del", s.Bridge)
	h.stage(n, "live")
	again("the loss of the bridge")

	needTool(t, "nft")
	run(t, "nft", "flush ruleset")
	h.stage(n, "live")
	again("the loss of the rules")

	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
	n = h.openWith(cfg)
	h.setFronts(n, "live", liveFronts...)
	again("a restart")

	reboot(t, n)
	n = h.emptied(h.openWith(cfg))
	h.setFronts(n, "live", liveFronts...)
	h.stage(n, "live")
	again("a reboot")
}

func TestAddressesOfPrivateNamesGoWithTheStage(t *testing.T) {
	h := newHost(t)
	n := h.serving()
	h.stage(n, "live")
	h.setFronts(n, "live", liveFronts...)
	h.setFronts(n, "unborn", liveFronts[1])
	for _, id := range []string{"live", "unborn"} {
		if err := n.RemoveStage(t.Context(), id); err != nil {
			t.Fatal(err)
		}
	}
	if files, err := os.ReadDir(n.gatewaysDir()); err != nil || len(files) > 0 {
		t.Errorf("files are left: %v %v", files, err)
	}
	needTool(t, "nft")
	if tables := run(t, "nft", "list", "tables"); strings.Contains(tables, "setops") {
		t.Errorf("tables are left:\n%s", tables)
	}
	if out := run(t, "ss", "-Hltn"); out != "" {
		t.Errorf("somebody listens:\n%s", out)
	}
}

func TestTasksOfAnOlderVersionKeepAddressesOfPrivateNames(t *testing.T) {
	h := newHost(t)
	n := h.serving()
	s := h.stage(n, "live")
	// db's address, as it comes out of its name, has a task already.
	h.setFronts(n, "live", liveFronts...)
	a := h.attach(n, "live", "a")
	old := h.mustAnswer(a, liveFronts...)[1]
	h.setFronts(n, "live")
	e := endpoint{ContainerID: "old", StageID: "live", Interface: n.vethPrefix() + "000001"}
	if err := e.Address.UnmarshalText([]byte(old)); err != nil {
		t.Fatal(err)
	}
	if err := save(n.endpointPath("old"), e, false); err != nil {
		t.Fatal(err)
	}
	n.endpoints["old"] = e
	if err := n.plug(s, e); err != nil {
		t.Fatal(err)
	}
	if err := n.allow(e); err != nil {
		t.Fatal(err)
	}
	port := h.serve(n.netnsPath("old"), "0.0.0.0")
	clear(n.intact) // as after a restart
	h.stage(n, "live")
	h.setFronts(n, "live", liveFronts...)
	if at := h.mustAnswer(a, liveFronts...); at[1] == old {
		t.Errorf("db is at %s, where a task is", old)
	}
	h.mustReach(a.NetNSPath, old, port)
}

// inherited hands sockets to the next process, as package handover does.
type inherited struct {
	mu    sync.Mutex
	files map[string]*os.File
}

func (i *inherited) Listen(key string, open func() (net.Listener, error)) (net.Listener, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if f := i.files[key]; f != nil {
		return net.FileListener(f)
	}
	l, err := open()
	if err != nil {
		return nil, err
	}
	i.files[key], err = l.(*net.TCPListener).File()
	return l, err
}

func (i *inherited) ListenPacket(key string, open func() (net.PacketConn, error)) (net.PacketConn, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if f := i.files[key]; f != nil {
		return net.FilePacketConn(f)
	}
	p, err := open()
	if err != nil {
		return nil, err
	}
	i.files[key], err = p.(*net.UDPConn).File()
	return p, err
}

func TestConnectionsWaitForTheNextProcessThatInheritsTheSockets(t *testing.T) {
	h := newHost(t)
	sockets := &inherited{files: map[string]*os.File{}}
	defer func() {
		for _, f := range sockets.files {
			f.Close()
		}
	}()
	cfg := Config{Instance: "0badcafe", Serve: sayWho, Sockets: sockets}
	n := h.openWith(cfg)
	h.stage(n, "live")
	a := h.attach(n, "live", "a")
	h.setFronts(n, "live", liveFronts...)
	at := h.mustAnswer(a, liveFronts...)
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
	var waiting []net.Conn
	connect := func() {
		h.in(a.NetNSPath, func() {
			for i, f := range liveFronts {
				c, err := net.DialTimeout("tcp4", fmt.Sprintf("%s:%d", at[i], f.Port), silence)
				if err != nil {
					t.Error(err)
					continue
				}
				waiting = append(waiting, c)
			}
		})
	}
	connect() // nobody accepts
	n = h.emptied(h.openWith(cfg))
	connect() // the new process does not know its fronts yet
	if got := h.addressOf(a, dbName); got != at[1] {
		t.Errorf("db is at %q meanwhile, not %q", got, at[1])
	}
	if m := h.question(a.NetNSPath, a.Gateway, "new.live.shop.localhost.internal", dns.TypeA); m.Rcode != dns.RcodeServerFailure {
		t.Errorf("the answer for a name that may come is %v", m)
	}
	h.setFronts(n, "live", liveFronts...)
	for _, c := range waiting {
		c.SetDeadline(time.Now().Add(3 * time.Second))
		if said, err := io.ReadAll(c); err != nil || !strings.HasPrefix(string(said), "live ") {
			t.Errorf("got %q, %v", said, err)
		}
		c.Close()
	}
	h.mustAnswer(a, liveFronts...)
}

func TestAFrontThatNobodyCouldReachIsRefused(t *testing.T) {
	h := newHost(t)
	n := h.serving()
	h.stage(n, "live")
	for _, f := range []engine.Front{
		{Host: "www.example.com", App: "web", Protocol: setops.HTTP, Port: 80},
		{Host: "web.live.shop.example.internal", App: "web", Protocol: setops.HTTP, Port: 80},
		{Host: webName, Protocol: setops.HTTP, Port: 80},
		{Host: webName, App: "web", Protocol: "udp", Port: 80},
		{Host: webName, App: "web", Protocol: setops.TCP},
	} {
		if err := n.SetFronts(t.Context(), "live", []engine.Front{f}); err == nil {
			t.Errorf("%+v is taken", f)
		}
	}
}

func TestANetworkThatIsAsItWasIsFoundSoQuickly(t *testing.T) {
	h := newHost(t)
	n := h.serving()
	h.stage(n, "live")
	h.stage(n, "test")
	h.setFronts(n, "live", liveFronts...)
	h.stage(n, "live")
	h.stage(n, "test")
	a := h.attach(n, "live", "a")
	if err := n.Detach(t.Context(), a.ContainerID); err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"live", "test"} {
		if !n.isIntact(id) {
			t.Errorf("the network of %s has to be looked through again, as a task came and went", id)
		}
	}
	start := time.Now()
	const times = 100
	for range times {
		h.stage(n, "live")
	}
	t.Logf("looking takes %s", time.Since(start)/times)
	run(t, "ip", "link", "set", n.stages["live"].Bridge, "down")
	if n.isIntact("live") || !n.isIntact("test") {
		t.Error("live is down, test is not")
	}
}
