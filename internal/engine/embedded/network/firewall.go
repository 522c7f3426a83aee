//go:build linux

package network

import (
	"context"

	"github.com/setopsco/setops/internal/engine/nft"
)

const noFirewall = "the host's firewall could not be opened for the stages' networks"

// passFirewall lets our networks through the host's own firewall: Docker and ufw let the host forward nothing but what
// they know, packets within a bridge included. What the administrator does not want is not forced on him: a rule that
// cannot be set is told in the log.
func (n *Network) passFirewall(ctx context.Context) {
	for _, err := range n.firewall.Pass(ctx, n.firewallRules(), len(n.stages) > 0) {
		n.warnOnce(noFirewall, err)
	}
}

func (n *Network) firewallRules() []nft.Pass {
	bridges := n.bridgePrefix() + "+"
	out := "-i " + bridges + " -j ACCEPT"
	back := "-o " + bridges + " -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT"
	docker, closed := []string{"-N DOCKER-USER"}, []string{"-P FORWARD DROP"}
	return []nft.Pass{
		{Chain: "DOCKER-USER", Rule: out, Because: docker},
		{Chain: "DOCKER-USER", Rule: back, Because: docker},
		{Chain: "FORWARD", Rule: out, Because: closed},
		{Chain: "FORWARD", Rule: back, Because: closed},
	}
}
