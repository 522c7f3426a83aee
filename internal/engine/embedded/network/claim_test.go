//go:build linux

package network

import (
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"testing"
)

// Servers whose ids end alike want the same networks in the same order.
func TestServersThatComeUpAtOnceShareNoSubnet(t *testing.T) {
	h := newHost(t)
	var servers []*Network
	for i := range 4 {
		servers = append(servers, h.network(fmt.Sprintf("%d0badcaf", i)))
	}
	const stages = 4
	var wg sync.WaitGroup
	for _, n := range servers {
		wg.Go(func() {
			h.in(h.netns, func() {
				for i := range stages {
					if err := n.EnsureStage(t.Context(), ref(fmt.Sprint("stage", i))); err != nil {
						t.Error(err)
					}
				}
			})
		})
	}
	wg.Wait()
	of := map[netip.Prefix]string{}
	for _, n := range servers {
		for _, s := range n.stages {
			if other := of[s.Subnet]; other != "" {
				t.Errorf("%s and %s both have %s", s.Bridge, other, s.Subnet)
			}
			of[s.Subnet] = s.Bridge
		}
	}
	if len(of) != len(servers)*stages {
		t.Errorf("%d subnets for %d stages", len(of), len(servers)*stages)
	}
}

// Programs that know nothing of the lock may be as quick as we are.
func TestAStageGivesWayToWhoeverTookItsSubnetMeanwhile(t *testing.T) {
	h := newHost(t)
	needTool(t, "nft")
	n := h.network("0badcafe")
	chosen, err := n.stageFor("live")
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := n.build(t.Context(), chosen); err != nil {
		t.Fatal(err)
	}
	if crowded, err := n.isCrowded(chosen); err != nil || crowded {
		t.Fatalf("crowded %v %v, and nobody is there", crowded, err)
	}
	run(t, "ip", "link", "add", "theirs", "type", "bridge")
	run(t, "ip", "addr", "add", chosen.Subnet.Addr().Next().Next().String()+"/25", "dev", "theirs")
	if crowded, err := n.isCrowded(chosen); err != nil || !crowded {
		t.Fatalf("crowded %v %v, and somebody else is there", crowded, err)
	}
	if err := n.withdraw(chosen); err != nil {
		t.Fatal(err)
	}
	s := h.stage(n, "live")
	if s.Subnet.Overlaps(chosen.Subnet) {
		t.Errorf("the stage has %s still", s.Subnet)
	}
	if linkExists(chosen.Bridge) {
		t.Errorf("the bridge %s is left", chosen.Bridge)
	}
	if rules := run(t, "nft", "list", "ruleset"); strings.Contains(rules, chosen.Subnet.Addr().String()) {
		t.Errorf("rules for %s are left:\n%s", chosen.Subnet, rules)
	}
}

// Where a container has an address, the stage cannot go.
func TestAStageThatIsInUseStays(t *testing.T) {
	h := newHost(t)
	n := h.network("0badcafe")
	s := h.stage(n, "live")
	h.attach(n, "live", "a")
	run(t, "ip", "link", "del", s.Bridge)
	run(t, "ip", "link", "add", "theirs", "type", "bridge")
	run(t, "ip", "addr", "add", s.Gateway.Next().String()+"/24", "dev", "theirs")
	if again := h.stage(n, "live"); again.Subnet != s.Subnet {
		t.Errorf("the stage has moved from %s to %s", s.Subnet, again.Subnet)
	}
}
