package subnet

import (
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"net/netip"
	"slices"
	"strconv"
)

// Bits is the length of the prefix of a stage's network.
const Bits = 24

var (
	defaultPool = netip.MustParsePrefix("10.213.0.0/16")

	// otherPools are tried when the first has no free network left.
	otherPools = []netip.Prefix{
		netip.MustParsePrefix("10.214.0.0/15"),
		netip.MustParsePrefix("172.28.0.0/14"),
		netip.MustParsePrefix("192.168.128.0/17"),
	}
)

// ErrNoneFree says that Free has given all that there is.
var ErrNoneFree = errors.New("every network of the pool is in use; give the server another pool")

// Pools are the ranges that one server takes networks from.
type Pools struct {
	ranges []netip.Prefix
	seed   uint64
}

// NewPools begins with the range first, IPv4 and at most /24 long; zero: 10.213.0.0/16. Other private ranges come behind it.
// The instance, 8 hexadecimal digits, says where in each the server begins, so that most servers keep out of each other's
// way.
func NewPools(first netip.Prefix, instance string) (Pools, error) {
	if !first.IsValid() {
		first = defaultPool
	}
	if !first.Addr().Is4() || first.Bits() > Bits {
		return Pools{}, fmt.Errorf("the pool %s is no IPv4 network of at least a /%d", first, Bits)
	}
	seed, err := strconv.ParseUint(instance, 16, 32)
	if err != nil {
		return Pools{}, fmt.Errorf("read instance id: %w", err)
	}
	return Pools{ranges: append([]netip.Prefix{first}, otherPools...), seed: seed}, nil
}

// Free gives the networks that overlap none of taken, the best choice first.
func (p Pools) Free(taken []netip.Prefix) iter.Seq[netip.Prefix] {
	return func(yield func(netip.Prefix) bool) {
		for _, r := range p.ranges {
			count := uint64(1) << (Bits - r.Bits())
			for k := range count {
				candidate := nth(r, uint32((p.seed+k)%count))
				if !slices.ContainsFunc(taken, candidate.Overlaps) && !yield(candidate) {
					return
				}
			}
		}
	}
}

// Choose gives the first free network, or ErrNoneFree.
func (p Pools) Choose(taken []netip.Prefix) (netip.Prefix, error) {
	for s := range p.Free(taken) {
		return s, nil
	}
	return netip.Prefix{}, ErrNoneFree
}

func nth(pool netip.Prefix, i uint32) netip.Prefix {
	a := pool.Masked().Addr().As4()
	binary.BigEndian.PutUint32(a[:], binary.BigEndian.Uint32(a[:])+i<<(32-Bits))
	return netip.PrefixFrom(netip.AddrFrom4(a), Bits)
}
