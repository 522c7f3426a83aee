//go:build linux

package docker

import (
	"bufio"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"iter"
	"math/bits"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/setopsco/setops/internal/engine/gateway"
)

const subnetBits = 24

var (
	defaultPool = netip.MustParsePrefix("10.213.0.0/16")

	// otherPools are tried when the first has no free network left.
	otherPools = []netip.Prefix{
		netip.MustParsePrefix("10.214.0.0/15"),
		netip.MustParsePrefix("172.28.0.0/14"),
		netip.MustParsePrefix("192.168.128.0/17"),
	}

	errNoAddress = errors.New("every address of the stage's network is in use")
)

// subnets gives the free networks of all pools. Instances begin at different places, so that two that come up at the same
// time hardly ever want the same.
func (r *Runtime) subnets(taken []netip.Prefix) iter.Seq[netip.Prefix] {
	seed, _ := strconv.ParseUint(r.cfg.Instance, 16, 32) // New has looked at it
	return func(yield func(netip.Prefix) bool) {
		for _, pool := range append([]netip.Prefix{r.cfg.Subnets}, otherPools...) {
			count := uint64(1) << (subnetBits - pool.Bits())
			for k := range count {
				candidate := nthSubnet(pool, uint32((seed+k)%count))
				if !slices.ContainsFunc(taken, candidate.Overlaps) && !yield(candidate) {
					return
				}
			}
		}
	}
}

func nthSubnet(pool netip.Prefix, i uint32) netip.Prefix {
	a := pool.Masked().Addr().As4()
	binary.BigEndian.PutUint32(a[:], binary.BigEndian.Uint32(a[:])+i<<(32-subnetBits))
	return netip.PrefixFrom(netip.AddrFrom4(a), subnetBits)
}

// firstFront is the first address of a subnet that is a private name's, as are those behind it. The very last one is
// nobody's.
func firstFront(subnet netip.Prefix) netip.Addr {
	a := subnet.Masked().Addr().As4()
	a[3] = gateway.FirstFront
	return netip.AddrFrom4(a)
}

// nextAddress gives a free address of a container: the first one behind last, so that an address rests as long as possible
// before another container gets it. The host has one of its own.
func nextAddress(subnet netip.Prefix, host, last netip.Addr, used map[netip.Addr]bool) (netip.Addr, error) {
	first, end := subnet.Masked().Addr().Next(), firstFront(subnet)
	a := last
	if !subnet.Contains(a) {
		a = host
	}
	for range 1 << (32 - subnetBits) {
		if a = a.Next(); !a.Less(end) {
			a = first
		}
		if a != host && !used[a] {
			return a, nil
		}
	}
	return netip.Addr{}, errNoAddress
}

const routesPath = "/proc/net/route"

// hostRoutes lists the networks that the host has a route to, the default route left out.
func hostRoutes() ([]netip.Prefix, error) {
	f, err := os.Open(routesPath)
	if err != nil {
		return nil, fmt.Errorf("list routes of the host: %w", err)
	}
	defer f.Close() //nolint:errcheck // it is only read
	var nets []netip.Prefix
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		if n, ok := parseRoute(lines.Text()); ok {
			nets = append(nets, n)
		}
	}
	return nets, lines.Err()
}

// parseRoute reads a line "Iface Destination Gateway Flags RefCnt Use Metric Mask …", whose addresses are hexadecimal
// words in the byte order of the machine, taken as little endian.
func parseRoute(line string) (netip.Prefix, bool) {
	fields := strings.Fields(line)
	if len(fields) < 8 {
		return netip.Prefix{}, false
	}
	destination, err := hex.DecodeString(fields[1])
	mask, maskErr := hex.DecodeString(fields[7])
	if err != nil || maskErr != nil || len(destination) != 4 || len(mask) != 4 {
		return netip.Prefix{}, false
	}
	slices.Reverse(destination)
	ones := bits.OnesCount32(binary.LittleEndian.Uint32(mask))
	return netip.PrefixFrom(netip.AddrFrom4([4]byte(destination)), ones).Masked(), ones > 0
}
