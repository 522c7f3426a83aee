//go:build linux

package network

import (
	"errors"
	"os"
	"strings"
	"testing"
)

func TestContainersOfAStageReachEachOther(t *testing.T) {
	h := newHost(t)
	n := h.network("0badcafe")
	h.stage(n, "live")
	a, b := h.attach(n, "live", "a"), h.attach(n, "live", "b")
	port := h.serve(b.NetNSPath, "0.0.0.0")
	if who := h.mustReach(a.NetNSPath, b.IP, port); who != a.IP {
		t.Errorf("b takes a for %q, not %q", who, a.IP)
	}
}

func TestContainersOfAStageReachEachOtherWhereTheHostForwardsNothing(t *testing.T) {
	needTool(t, "iptables")
	h := newHost(t)
	outside := h.world()
	n := h.network("0badcafe")
	run(t, "iptables", "-N", "DOCKER-USER")
	run(t, "iptables", "-A", "FORWARD", "-j", "DOCKER-USER")
	run(t, "iptables", "-P", "FORWARD", "DROP")
	run(t, "iptables", "-P", "INPUT", "DROP")
	if err := os.WriteFile("/proc/sys/net/bridge/bridge-nf-call-iptables", []byte("1"), 0o644); err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	h.stage(n, "live")
	h.stage(n, "test")
	a, b, c := h.attach(n, "live", "a"), h.attach(n, "live", "b"), h.attach(n, "test", "c")
	port, outsidePort := h.serve(b.NetNSPath, "0.0.0.0"), h.serve(outside, "0.0.0.0")

	check := func() {
		t.Helper()
		h.mustReach(a.NetNSPath, b.IP, port)
		h.mustReach(a.NetNSPath, world, outsidePort)
		h.mustReach(h.netns, b.IP, port)
		h.mustNotReach(c.NetNSPath, b.IP, port)
	}
	check()
	h.stage(n, "live")
	want := len(n.firewallRules()) + len(n.stages) // the gateways'
	if rules := run(t, "iptables", "-S"); strings.Count(rules, n.bridgePrefix()) != want {
		t.Errorf("want each of %d rules once:\n%s", want, rules)
	}

	for _, chain := range []string{"DOCKER-USER", "FORWARD", "INPUT"} {
		run(t, "iptables", "-F", chain)
	}
	run(t, "iptables", "-A", "FORWARD", "-j", "DOCKER-USER")
	h.mustNotReach(a.NetNSPath, world, outsidePort)
	h.stage(n, "live")
	check()

	for _, id := range []string{"live", "test"} {
		if err := n.RemoveStage(t.Context(), id); err != nil {
			t.Fatal(err)
		}
	}
	if rules := run(t, "iptables", "-S"); strings.Contains(rules, n.bridgePrefix()) {
		t.Errorf("rules are left:\n%s", rules)
	}
}

func TestStagesCannotReachEachOther(t *testing.T) {
	h := newHost(t)
	n := h.network("0badcafe")
	h.stage(n, "live")
	h.stage(n, "test")
	a, b := h.attach(n, "live", "a"), h.attach(n, "test", "b")
	port := h.serve(b.NetNSPath, "0.0.0.0")
	h.mustReach(h.netns, b.IP, port) // it does answer
	h.mustNotReach(a.NetNSPath, b.IP, port)
	h.mustNotReach(a.NetNSPath, b.Gateway, "53")
}

func TestTwoInstancesSideBySideKeepApart(t *testing.T) {
	h := newHost(t)
	// The same start in the pool, so that the second has to give way.
	one, two := h.network("0bad0000"), h.network("1bad0000")
	h.stage(one, "live")
	h.stage(two, "live")
	a, b, c := h.attach(one, "live", "a"), h.attach(two, "live", "b"), h.attach(two, "live", "c")
	port := h.serve(b.NetNSPath, "0.0.0.0")
	h.mustReach(h.netns, b.IP, port)
	h.mustReach(c.NetNSPath, b.IP, port)
	h.mustNotReach(a.NetNSPath, b.IP, port)
	if err := one.RemoveStage(t.Context(), "live"); err != nil {
		t.Fatal(err)
	}
	h.mustReach(c.NetNSPath, b.IP, port)
}

func TestTheHostIsOutOfReachSaveForItsAnswers(t *testing.T) {
	h := newHost(t)
	h.world()
	n := h.network("0badcafe")
	s := h.stage(n, "live")
	a := h.attach(n, "live", "a")
	everywhere := h.serve(h.netns, "0.0.0.0")
	atGateway := h.serve(h.netns, s.Gateway.String())
	h.mustReach(h.netns, a.Gateway, everywhere) // it does listen
	h.mustReach(h.netns, a.Gateway, atGateway)

	h.mustNotReach(a.NetNSPath, a.Gateway, everywhere)
	h.mustNotReach(a.NetNSPath, a.Gateway, atGateway)
	h.mustNotReach(a.NetNSPath, hostInWorld, everywhere)

	inside := h.serve(a.NetNSPath, "0.0.0.0")
	if who := h.mustReach(h.netns, a.IP, inside); who != a.Gateway {
		t.Errorf("the container takes the host for %q, not its gateway %q", who, a.Gateway)
	}
}

func TestOutgoingTrafficHasTheHostsAddress(t *testing.T) {
	h := newHost(t)
	outside := h.world()
	n := h.network("0badcafe")
	h.stage(n, "live")
	a := h.attach(n, "live", "a")
	port := h.serve(outside, "0.0.0.0")
	if who := h.mustReach(a.NetNSPath, world, port); who != hostInWorld {
		t.Errorf("the world sees %q, not the host %q", who, hostInWorld)
	}
}

func TestTheWorldCannotReachContainers(t *testing.T) {
	h := newHost(t)
	outside := h.world()
	n := h.network("0badcafe")
	h.stage(n, "live")
	a := h.attach(n, "live", "a")
	port := h.serve(a.NetNSPath, "0.0.0.0")
	h.mustReach(h.netns, a.IP, port)
	h.in(outside, func() { run(t, "ip", "route", "add", "10.0.0.0/8", "via", hostInWorld) })
	h.mustNotReach(outside, a.IP, port)
}

func TestLinkLocalAddressesAreBlocked(t *testing.T) {
	h := newHost(t)
	outside := h.world()
	n := h.network("0badcafe")
	h.stage(n, "live")
	a := h.attach(n, "live", "a")
	port := h.serve(outside, "0.0.0.0")
	h.mustReach(h.netns, metadata, port)
	h.mustReach(a.NetNSPath, world, port)
	h.mustNotReach(a.NetNSPath, metadata, port)
}

func TestAContainerCannotTakeAnothersAddress(t *testing.T) {
	h := newHost(t)
	n := h.network("0badcafe")
	s := h.stage(n, "live")
	a, b := h.attach(n, "live", "a"), h.attach(n, "live", "b")
	port := h.serve(b.NetNSPath, "0.0.0.0")
	stolen := s.Gateway.Next().Next().Next().Next().String()
	h.in(a.NetNSPath, func() { run(t, "ip", "addr", "add", stolen+"/24", "dev", "eth0") })
	if _, err := h.askFrom(a.NetNSPath, a.IP, b.IP, port); err != nil {
		t.Errorf("its own address does not work: %v", err)
	}
	if _, err := h.askFrom(a.NetNSPath, stolen, b.IP, port); !errors.Is(err, errSilence) {
		t.Errorf("an answer came to an address that is not the container's: %v", err)
	}
}

func TestThereIsNoIPv6Inside(t *testing.T) {
	h := newHost(t)
	n := h.network("0badcafe")
	s := h.stage(n, "live")
	a := h.attach(n, "live", "a")
	if out := run(t, "ip", "-6", "addr", "show", "dev", s.Bridge); strings.Contains(out, "inet6") {
		t.Errorf("the bridge has an IPv6 address: %s", out)
	}
	h.in(a.NetNSPath, func() {
		if out := run(t, "ip", "-6", "addr"); strings.Contains(out, "inet6") {
			t.Errorf("the container has an IPv6 address: %s", out)
		}
	})
}
