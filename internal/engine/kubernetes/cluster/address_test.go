package cluster

import (
	"net"
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

func TestNobodyTakesTheRegistryOfAnother(t *testing.T) {
	const host = "127.0.0.1"
	foreign, err := net.Listen("tcp", registry(host, 1))
	must(t, err)
	defer foreign.Close()
	first, release, err := takeRegistry(host)
	must(t, err)
	second, _, err := takeRegistry(host)
	must(t, err)
	if first != registry(host, 0) || second != registry(host, 2) {
		t.Errorf("%s and %s are given, where somebody listens at %s", first, second, registry(host, 1))
	}
	release()
	if again, _, err := takeRegistry(host); err != nil || again != first {
		t.Errorf("%s is free, and %s is given: %v", first, again, err)
	}
	for range mostRegistry - 3 {
		_, _, err := takeRegistry(host)
		must(t, err)
	}
	if one, _, err := takeRegistry(host); err == nil {
		t.Errorf("%s is given, where all are taken", one)
	}
}
