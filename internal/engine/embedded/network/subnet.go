//go:build linux

package network

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"

	"github.com/setopsco/setops/internal/engine/gateway"
)

const (
	subnetBits = 24 // of a stage's network
	// mostTasks is how many addresses of it containers get: private names have the others, see package gateway.
	mostTasks = gateway.FirstFront - 2
)

var defaultPool = netip.MustParsePrefix("10.213.0.0/16")

// otherPools are tried when the first has no free network left.
var otherPools = []netip.Prefix{
	netip.MustParsePrefix("10.214.0.0/15"),
	netip.MustParsePrefix("172.28.0.0/14"),
	netip.MustParsePrefix("192.168.128.0/17"),
}

var errNoSubnet = errors.New("every network of the pool is in use; give the server another pool")

// chooseSubnet gives a free network of the first pool that has one. Instances begin at different places, so that two
// that come up at the same time hardly ever want the same.
func chooseSubnet(pools []netip.Prefix, instance string, taken []netip.Prefix) (netip.Prefix, error) {
	seed, err := strconv.ParseUint(instance, 16, 32)
	if err != nil {
		return netip.Prefix{}, fmt.Errorf("read instance id: %w", err)
	}
	for _, pool := range pools {
		count := uint64(1) << (subnetBits - pool.Bits())
		for k := range count {
			candidate := nthSubnet(pool, uint32((seed+k)%count))
			if !slices.ContainsFunc(taken, candidate.Overlaps) {
				return candidate, nil
			}
		}
	}
	return netip.Prefix{}, errNoSubnet
}

func nthSubnet(pool netip.Prefix, i uint32) netip.Prefix {
	a := pool.Masked().Addr().As4()
	binary.BigEndian.PutUint32(a[:], binary.BigEndian.Uint32(a[:])+i<<(32-subnetBits))
	return netip.PrefixFrom(netip.AddrFrom4(a), subnetBits)
}

// nextAddress gives a free address of the subnet: the first one behind last, so that an address rests as long as possible
// before another container gets it. Network and gateway addresses are never given, nor those of private names.
func nextAddress(subnet netip.Prefix, last netip.Addr, used map[netip.Addr]bool) (netip.Addr, bool) {
	own := subnet.Addr().Next()
	if !subnet.Contains(last) {
		last = own
	}
	a := last
	for range 1 << (32 - subnetBits) {
		a = a.Next()
		if !subnet.Contains(a) || a.As4()[3] >= gateway.FirstFront {
			a = own
			continue
		}
		if !used[a] {
			return a, true
		}
	}
	return netip.Addr{}, false
}
