package cluster

import (
	"net/netip"
	"testing"
)

func TestClustersHaveAddressesOfTheirOwn(t *testing.T) {
	seen := map[netip.Prefix]int{}
	for n := range clusters {
		c := &Cluster{Number: n, Nodes: 8}
		network := netip.MustParsePrefix(c.network()).Masked()
		if other, twice := seen[network]; twice {
			t.Errorf("clusters %d and %d have %s", other, n, network)
		}
		seen[network] = n
		services := netip.MustParsePrefix(c.services())
		for i := 1; i <= c.Nodes; i++ {
			pods := netip.MustParsePrefix(c.pods(i))
			if !network.Overlaps(pods) || services.Overlaps(pods) || pods.Contains(netip.MustParseAddr(c.nodeAddress(i))) {
				t.Errorf("cluster %d: the pods of node %d have %s, beside services %s and node %s", n, i, pods, services, c.nodeAddress(i))
			}
		}
		for _, address := range []string{c.apiService(), c.dnsService()} {
			if !services.Contains(netip.MustParseAddr(address)) {
				t.Errorf("cluster %d: %s is no service's address of %s", n, address, services)
			}
		}
	}
}
