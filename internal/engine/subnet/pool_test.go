package subnet

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
)

// Whatever is taken, the networks that are given are all that is left, each once, and of the pools.
func TestFreeNetworksAreThoseThatOverlapNothing(t *testing.T) {
	for seed := range uint64(50) {
		random := rand.New(rand.NewPCG(seed, 0))
		pools := poolsOf(t, randomPrefix(random, 16, 24), fmt.Sprintf("%08x", random.Uint32()))
		var taken []netip.Prefix
		for range random.IntN(40) {
			taken = append(taken, randomPrefix(random, 10, 32))
		}
		given := slices.Collect(pools.Free(taken))
		seen := map[netip.Prefix]bool{}
		for _, s := range given {
			if slices.ContainsFunc(taken, s.Overlaps) {
				t.Fatalf("seed %d: %s is given, which is taken", seed, s)
			}
			if s.Bits() != Bits || s != s.Masked() || !slices.ContainsFunc(pools.ranges, s.Overlaps) {
				t.Fatalf("seed %d: %s is no /24 of the pools", seed, s)
			}
			seen[s] = true
		}
		for _, r := range pools.ranges {
			for i := range uint32(1) << (Bits - r.Bits()) {
				if s := nth(r, i); !seen[s] && !slices.ContainsFunc(taken, s.Overlaps) {
					t.Fatalf("seed %d: %s is free and is not given", seed, s)
				}
			}
		}
		if chosen, err := pools.Choose(taken); len(given) > 0 && chosen != given[0] || len(given) == 0 && !errors.Is(err, ErrNoneFree) {
			t.Fatalf("seed %d: %s %v is chosen, of %d", seed, chosen, err, len(given))
		}
	}
}

// randomPrefix is often one of the usual pools.
func randomPrefix(random *rand.Rand, least, most int) netip.Prefix {
	near := append([]netip.Prefix{defaultPool}, otherPools...)[random.IntN(4)]
	a := near.Addr().As4()
	binary.BigEndian.PutUint32(a[:], binary.BigEndian.Uint32(a[:])+random.Uint32()>>(near.Bits()-1))
	return netip.PrefixFrom(netip.AddrFrom4(a), least+random.IntN(most-least+1)).Masked()
}

func TestServersBeginAtDifferentPlaces(t *testing.T) {
	a, errA := poolsOf(t, netip.Prefix{}, "0badcafe").Choose(nil)
	b, errB := poolsOf(t, netip.Prefix{}, "0badcaff").Choose(nil)
	if errA != nil || errB != nil || a == b {
		t.Errorf("got %s and %s (%v, %v), want two", a, b, errA, errB)
	}
}

func TestAPoolThatIsTakenIsFollowedByOthers(t *testing.T) {
	p := poolsOf(t, netip.MustParsePrefix("10.9.0.0/24"), "0badcafe")
	if s, err := p.Choose(nil); err != nil || s != netip.MustParsePrefix("10.9.0.0/24") {
		t.Errorf("got %s %v at first", s, err)
	}
	if s, err := p.Choose([]netip.Prefix{netip.MustParsePrefix("10.9.0.128/25")}); err != nil || !otherPools[0].Overlaps(s) {
		t.Errorf("got %s %v, want one of %s", s, err, otherPools[0])
	}
	everything := []netip.Prefix{netip.MustParsePrefix("0.0.0.0/1"), netip.MustParsePrefix("128.0.0.0/1")}
	if s, err := p.Choose(everything); !errors.Is(err, ErrNoneFree) {
		t.Errorf("got %s %v from pools that are empty", s, err)
	}
}

func TestAPoolHasRoomForANetwork(t *testing.T) {
	for _, pool := range []string{"10.9.0.0/25", "fd00::/16"} {
		if _, err := NewPools(netip.MustParsePrefix(pool), "0badcafe"); err == nil {
			t.Errorf("%s is taken for a pool", pool)
		}
	}
	if _, err := NewPools(netip.Prefix{}, "none"); err == nil {
		t.Error("an instance that is no number is taken")
	}
}

func poolsOf(t *testing.T, first netip.Prefix, instance string) Pools {
	t.Helper()
	p, err := NewPools(first, instance)
	if err != nil {
		t.Fatal(err)
	}
	return p
}
