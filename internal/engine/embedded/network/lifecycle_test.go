//go:build linux

package network

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"
)

func TestAttachIsIdempotent(t *testing.T) {
	h := newHost(t)
	n := h.network("0badcafe")
	h.stage(n, "live")
	first, again := h.attach(n, "live", "a"), h.attach(n, "live", "a")
	if first != again {
		t.Errorf("first %v, then %v", first, again)
	}
}

func TestAttachNeedsAStageThatHasANetwork(t *testing.T) {
	h := newHost(t)
	n := h.network("0badcafe")
	if _, err := n.Attach(t.Context(), "live", "a"); err == nil || !strings.Contains(err.Error(), "live") {
		t.Errorf("got %v, want an error that names the stage", err)
	}
	if _, err := n.Attach(t.Context(), "live", "../a"); err == nil {
		t.Error("an id that leads elsewhere is taken")
	}
}

func TestContainersAttachedAtOnceGetAddressesOfTheirOwn(t *testing.T) {
	h := newHost(t)
	n := h.network("0badcafe")
	h.stage(n, "live")
	var mu sync.Mutex
	var wg sync.WaitGroup
	ips := map[string]bool{}
	for i := range 10 {
		wg.Go(func() {
			h.in(h.netns, func() {
				e, err := n.Attach(t.Context(), "live", fmt.Sprint("c", i%5)) // each one twice
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				defer mu.Unlock()
				ips[e.IP] = true
			})
		})
	}
	wg.Wait()
	if len(ips) != 5 {
		t.Errorf("5 containers have %d addresses: %v", len(ips), ips)
	}
}

func TestNothingIsLeftOfWhatIsRemoved(t *testing.T) {
	h := newHost(t)
	n := h.network("0badcafe")
	h.stage(n, "live")
	h.stage(n, "test")
	a := h.attach(n, "live", "a")
	h.attach(n, "test", "b") // goes with its stage
	if err := n.Detach(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}
	if isNetNS(a.NetNSPath) {
		t.Error("the namespace is still mounted")
	}
	if list, _ := n.Endpoints(t.Context()); len(list) != 1 {
		t.Errorf("endpoints %v, want b alone", list)
	}
	for _, id := range []string{"live", "test", "live", "unknown"} {
		if err := n.RemoveStage(t.Context(), id); err != nil {
			t.Fatal(err)
		}
	}
	if err := n.Detach(t.Context(), "a"); err != nil {
		t.Errorf("a container that is gone: %v", err)
	}
	if links := run(t, "ip", "-br", "link"); strings.Contains(links, n.bridgePrefix()) || strings.Contains(links, n.vethPrefix()) {
		t.Errorf("interfaces are left:\n%s", links)
	}
	mounts, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(mounts), n.cfg.Dir) {
		t.Error("mounts are left")
	}
	files, err := filepath.Glob(n.cfg.Dir + "/*/*")
	if err != nil || len(files) > 0 {
		t.Errorf("files are left: %v %v", files, err)
	}
	if ids, _ := n.Stages(t.Context()); len(ids) != 0 {
		t.Errorf("stages are left: %v", ids)
	}
	if n.rulesPresent() {
		t.Error("rules are left")
	}
}

func TestARestartKeepsAddressesAndConnections(t *testing.T) {
	h := newHost(t)
	n := h.open("0badcafe")
	h.stage(n, "live")
	a, b := h.attach(n, "live", "a"), h.attach(n, "live", "b")
	subnet := n.stages["live"].Subnet
	port := h.serve(b.NetNSPath, "0.0.0.0")
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
	h.mustReach(a.NetNSPath, b.IP, port) // without anybody

	n = h.network("0badcafe")
	if again := h.attach(n, "live", "a"); again != a {
		t.Errorf("a was %v and is %v", a, again)
	}
	if c := h.attach(n, "live", "c"); c.IP == a.IP || c.IP == b.IP {
		t.Errorf("c got an address that is in use: %s", c.IP)
	}
	if s := h.stage(n, "live"); s.Subnet != subnet {
		t.Errorf("the subnet was %s and is %s", subnet, s.Subnet)
	}
	list, err := n.Endpoints(t.Context())
	if err != nil || len(list) != 3 || list[0] != a || list[1] != b {
		t.Errorf("endpoints %v %v, want a, b and c", list, err)
	}
	h.mustReach(a.NetNSPath, b.IP, port)
}

// reboot takes away what the kernel holds, as a restart of the machine does.
func reboot(t *testing.T, n *Network) {
	t.Helper()
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
	for _, s := range n.stages {
		run(t, "ip", "link", "del", s.Bridge)
	}
	for id, e := range n.endpoints {
		run(t, "ip", "link", "del", e.Interface)
		if err := unix.Unmount(n.netnsPath(id), unix.MNT_DETACH); err != nil {
			t.Fatal(err)
		}
	}
	clear(n.stages)
	if err := n.replaceRules(); err != nil {
		t.Fatal(err)
	}
}

func TestARebootLosesContainersAndKeepsSubnets(t *testing.T) {
	h := newHost(t)
	n := h.open("0badcafe")
	subnet := h.stage(n, "live").Subnet
	h.stage(n, "test")
	h.attach(n, "live", "a")
	reboot(t, n)

	n = h.network("0badcafe")
	if list, _ := n.Endpoints(t.Context()); len(list) != 0 {
		t.Errorf("endpoints %v, want none", list)
	}
	if ids, _ := n.Stages(t.Context()); len(ids) != 0 {
		t.Errorf("stages %v have a network, want none", ids)
	}
	if s := h.stage(n, "live"); s.Subnet != subnet {
		t.Errorf("the subnet was %s and is %s", subnet, s.Subnet)
	}
	a, b := h.attach(n, "live", "a"), h.attach(n, "live", "b")
	h.mustReach(a.NetNSPath, b.IP, h.serve(b.NetNSPath, "0.0.0.0"))
}

func TestASubnetThatTheHostUsesMeanwhileIsGivenUp(t *testing.T) {
	h := newHost(t)
	h.world()
	n := h.open("0badcafe")
	subnet := h.stage(n, "live").Subnet
	reboot(t, n)
	run(t, "ip", "route", "add", subnet.String(), "via", world)

	n = h.network("0badcafe")
	if s := h.stage(n, "live"); s.Subnet == subnet {
		t.Errorf("the subnet is still %s, which the host reaches elsewhere", subnet)
	}
}

func TestSubnetsAvoidRoutesOfTheHost(t *testing.T) {
	h := newHost(t)
	h.world()
	run(t, "ip", "route", "add", "10.213.0.0/16", "via", world)
	n := h.network("0badcafe")
	if s := h.stage(n, "live"); netip.MustParsePrefix("10.213.0.0/16").Overlaps(s.Subnet) {
		t.Errorf("the stage got %s, which the host reaches elsewhere", s.Subnet)
	}
}

func TestRulesThatSomebodyFlushedComeBack(t *testing.T) {
	needTool(t, "nft")
	h := newHost(t)
	n := h.network("0badcafe")
	h.stage(n, "live")
	h.stage(n, "test")
	a, b := h.attach(n, "live", "a"), h.attach(n, "test", "b")
	port := h.serve(b.NetNSPath, "0.0.0.0")
	for _, flush := range []string{"flush ruleset", "flush chain inet " + n.table() + " forward"} {
		run(t, "nft", flush)
		h.mustReach(a.NetNSPath, b.IP, port) // the rules are gone indeed
		h.stage(n, "live")
		h.mustNotReach(a.NetNSPath, b.IP, port)
	}
	c := h.attach(n, "test", "c")
	h.mustReach(c.NetNSPath, b.IP, port)
}

func TestABridgeThatSomebodyDeletedComesBackWithItsContainers(t *testing.T) {
	h := newHost(t)
	n := h.network("0badcafe")
	s := h.stage(n, "live")
	a, b := h.attach(n, "live", "a"), h.attach(n, "live", "b")
	port := h.serve(b.NetNSPath, "0.0.0.0")
	run(t, "ip", "link", "del", s.Bridge)
	if ids, _ := n.Stages(t.Context()); len(ids) != 0 {
		t.Errorf("stages %v have a network, want none", ids)
	}
	h.stage(n, "live")
	h.mustReach(a.NetNSPath, b.IP, port)
	h.mustReach(h.netns, b.IP, port)
}

func TestLeftoversOfACrashAreRemoved(t *testing.T) {
	h := newHost(t)
	n := h.open("0badcafe")
	h.stage(n, "live")
	a := h.attach(n, "live", "a")
	b := h.attach(n, "live", "b")
	n.Close()
	// b's record is lost: its interface and namespace belong to nobody.
	if err := os.Remove(n.endpointPath("b")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(n.endpointPath(".new-1"), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	n = h.network("0badcafe")
	if isNetNS(b.NetNSPath) || !isNetNS(a.NetNSPath) {
		t.Error("want a's namespace and not b's")
	}
	links := run(t, "ip", "-br", "link")
	if strings.Count(links, n.vethPrefix()) != 1 {
		t.Errorf("want one interface:\n%s", links)
	}
}

// A removal that was cut off is begun again, wherever that was.
func TestAStageThatWasHalfRemovedIsRemoved(t *testing.T) {
	h := newHost(t)
	needTool(t, "nft")
	n := h.open("0badcafe")
	s := h.stage(n, "live")
	n.Close()
	run(t, "ip", "link", "delete", s.Bridge)
	n = h.network("0badcafe")
	if err := n.RemoveStage(t.Context(), "live"); err != nil {
		t.Fatal(err)
	}
	if rules := run(t, "nft", "list", "ruleset"); strings.Contains(rules, n.table()) {
		t.Errorf("rules are left:\n%s", rules)
	}
	if _, err := os.Stat(n.stagePath("live")); err == nil {
		t.Error("its record is left")
	}
}

// A stage whose rules are still there is not forgotten.
func TestAStageIsKnownUntilNothingOfItIsLeft(t *testing.T) {
	h := newHost(t)
	n := h.network("0badcafe")
	s := h.stage(n, "live")
	if err := os.Remove(n.stagePath(s.ID)); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(n.stagePath(s.ID)+"/in the way", 0o700); err != nil {
		t.Fatal(err)
	}
	if err := n.RemoveStage(t.Context(), s.ID); err == nil {
		t.Fatal("the record was removed")
	}
	if n.rulesPresent() || linkExists(s.Bridge) {
		t.Error("the record went first")
	}
	if err := os.Remove(n.stagePath(s.ID) + "/in the way"); err != nil {
		t.Fatal(err)
	}
}

func TestAMachineThatHasAllLacksNothing(t *testing.T) {
	newHost(t)
	if missing := Check(); len(missing) > 0 {
		t.Errorf("this machine lacks %q", missing)
	}
	if links := run(t, "ip", "-br", "link"); strings.Contains(links, "so000000") {
		t.Errorf("the check left something here:\n%s", links)
	}
}
