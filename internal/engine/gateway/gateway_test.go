//go:build linux

package gateway

import (
	"net"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/setops"
)

// onHost puts the test into a network namespace of its own, with gateways and a bridge. What tasks reach is tested with
// package network, which has some.
func onHost(t *testing.T) (*Gateways, Stage) {
	t.Helper()
	if os.Geteuid() != 0 {
		if os.Getenv("SETOPS_TEST_ALL") != "" {
			t.Fatal("gateways need root")
		}
		t.Skip("gateways need root")
	}
	// Never unlocked: the thread, and with it the namespace, ends with the test.
	runtime.LockOSThread()
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		t.Fatal(err)
	}
	g, err := New(Config{Dir: t.TempDir(), Instance: "0badcafe", Serve: accept})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := g.Close(); err != nil {
			t.Error(err)
		}
	})
	run(t, "ip", "link", "set", "lo", "up")
	return g, bridge(t, "bridge1")
}

func needTool(t *testing.T, name string) {
	t.Helper()
	if _, err := exec.LookPath(name); err == nil {
		return
	}
	if os.Getenv("SETOPS_TEST_ALL") != "" {
		t.Fatalf("%s is not installed", name)
	}
	t.Skipf("%s is not installed", name)
}

func bridge(t *testing.T, name string) Stage {
	t.Helper()
	subnet := netip.MustParsePrefix("10.213.7.0/24")
	run(t, "ip", "link", "add", name, "type", "bridge")
	run(t, "ip", "addr", "add", "10.213.7.1/24", "dev", name)
	run(t, "ip", "link", "set", name, "up")
	return Stage{ID: "live", Bridge: name, Subnet: subnet, Address: subnet.Addr().Next()}
}

func run(t *testing.T, argv ...string) string {
	t.Helper()
	out, err := exec.Command(argv[0], argv[1:]...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v: %s", strings.Join(argv, " "), err, out)
	}
	return string(out)
}

// accept hangs up.
func accept(_ string, _ engine.Front, l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		c.Close()
	}
}

func open(t *testing.T, g *Gateways, s Stage) {
	t.Helper()
	if err := g.Open(t.Context(), s); err != nil {
		t.Fatal(err)
	}
}

func web(port int) engine.Front {
	return engine.Front{Host: "web.live.internal", App: "web", Protocol: setops.HTTP, Port: port}
}

func TestAGatewayNeedsItsBridge(t *testing.T) {
	g, s := onHost(t)
	s.Bridge = "bridge2"
	if err := g.Open(t.Context(), s); err == nil || !strings.Contains(err.Error(), "bridge2") {
		t.Errorf("got %v", err)
	}
}

func TestAnOpenGatewayIsLeftAlone(t *testing.T) {
	g, s := onHost(t)
	open(t, g, s)
	if err := g.SetFronts(t.Context(), s.ID, []engine.Front{web(80)}); err != nil {
		t.Fatal(err)
	}
	names, listener := g.places[s.ID].names, g.places[s.ID].doors[""].listener
	start := time.Now()
	for range 10 {
		open(t, g, s)
	}
	t.Log("looking takes", time.Since(start)/10)
	if p := g.places[s.ID]; p.names != names || p.doors[""].listener != listener {
		t.Error("it was made again")
	}
}

// Docker takes the first address of a bridge for the one that it gave it, when it starts again.
func TestTheGatewaysAddressStaysTheFirstOfItsBridge(t *testing.T) {
	g, s := onHost(t)
	open(t, g, s)
	if err := g.SetFronts(t.Context(), s.ID, tcpFronts(3)); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(run(t, "ip", "-4", "-oneline", "address", "show", "dev", s.Bridge)), "\n")
	if len(lines) != 4 || !strings.Contains(lines[0], " "+s.Address.String()+"/24 ") {
		t.Errorf("the bridge has\n%s", strings.Join(lines, "\n"))
	}
}

func TestABridgeThatIsAnotherGetsAGatewayOfItsOwn(t *testing.T) {
	needTool(t, "nft")
	g, s := onHost(t)
	open(t, g, s)
	if err := g.SetFronts(t.Context(), s.ID, []engine.Front{web(80)}); err != nil {
		t.Fatal(err)
	}
	names := g.places[s.ID].names
	run(t, "ip", "link", "del", s.Bridge)
	s = bridge(t, "bridge2")
	open(t, g, s)
	if g.places[s.ID].names == names {
		t.Error("names are served on the bridge that is gone")
	}
	if sockets := run(t, "ss", "-Hltn"); !strings.Contains(sockets, "bridge2") || strings.Contains(sockets, "bridge1") {
		t.Errorf("got\n%s", sockets)
	}
	if rules := run(t, "nft", "list", "ruleset"); !strings.Contains(rules, "bridge2") || strings.Contains(rules, "bridge1") {
		t.Errorf("got\n%s", rules)
	}
}

func TestRulesAreInTheWordsOfTheTool(t *testing.T) {
	needTool(t, "nft")
	g, s := onHost(t)
	open(t, g, s)
	if err := g.SetFronts(t.Context(), s.ID, []engine.Front{web(80)}); err != nil {
		t.Fatal(err)
	}
	rules := run(t, "nft", "list", "table", "inet", g.table())
	for _, want := range []string{
		`elements = { "bridge1" }`,
		`"bridge1" . 10.213.7.1 . udp . 53`,
		`"bridge1" . 10.213.7.1 . tcp . 80 : `,
		"policy accept",
	} {
		if !strings.Contains(rules, want) {
			t.Errorf("%s is not in\n%s", want, rules)
		}
	}
}

func TestAGatewayThatIsShutLeavesNothing(t *testing.T) {
	needTool(t, "nft")
	g, s := onHost(t)
	open(t, g, s)
	if err := g.SetFronts(t.Context(), s.ID, []engine.Front{web(80)}); err != nil {
		t.Fatal(err)
	}
	if err := g.Shut(s.ID); err != nil {
		t.Fatal(err)
	}
	run(t, "nft", "add", "table", "inet", g.table()) // as a process leaves it that dies on the way
	if err := g.Shut(s.ID); err != nil {
		t.Fatal(err)
	}
	if sockets := run(t, "ss", "-Hltun"); sockets != "" {
		t.Errorf("somebody listens:\n%s", sockets)
	}
	if rules := run(t, "nft", "list", "ruleset"); strings.Contains(rules, "setops") {
		t.Errorf("rules are left:\n%s", rules)
	}
}
