//go:build linux

package subnet

import (
	"errors"
	"fmt"
	"net"
	"net/netip"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// Taken lists the networks that this machine has a route to, in any table, and those of addresses whose interface is down,
// as it gets routes when it is brought up. Default routes are left out, and so is the interface except, which need not be
// there: with the name of a bridge of ours, it says what else is where the bridge is.
func Taken(except string) ([]netip.Prefix, error) {
	own := -1 // no interface's
	if link, err := net.InterfaceByName(except); err == nil {
		own = link.Index
	}
	everyTable := &netlink.Route{Table: unix.RT_TABLE_UNSPEC}
	routes, err := unbroken(func() ([]netlink.Route, error) {
		return netlink.RouteListFiltered(netlink.FAMILY_V4, everyTable, netlink.RT_FILTER_TABLE)
	})
	if err != nil {
		return nil, fmt.Errorf("list routes of the host: %w", err)
	}
	addresses, err := unbroken(func() ([]netlink.Addr, error) { return netlink.AddrList(nil, netlink.FAMILY_V4) })
	if err != nil {
		return nil, fmt.Errorf("list addresses of the host: %w", err)
	}
	var taken []netip.Prefix
	for _, r := range routes {
		if p, ok := prefix(r.Dst); ok && r.LinkIndex != own {
			taken = append(taken, p)
		}
	}
	for _, a := range addresses {
		if p, ok := prefix(a.IPNet); ok && a.LinkIndex != own {
			taken = append(taken, p)
		}
	}
	return taken, nil
}

// prefix converts; everything (the default route) is no network.
func prefix(n *net.IPNet) (netip.Prefix, bool) {
	if n == nil {
		return netip.Prefix{}, false
	}
	a, ok := netip.AddrFromSlice(n.IP.To4())
	bits, _ := n.Mask.Size()
	return netip.PrefixFrom(a, bits).Masked(), ok && bits > 0
}

// dumpTries bounds how often a list is asked for again.
const dumpTries = 20

// unbroken lists until nothing has changed meanwhile: the kernel says of a list that it cut short that it may be incomplete.
func unbroken[T any](list func() ([]T, error)) (all []T, err error) {
	for range dumpTries {
		if all, err = list(); !errors.Is(err, netlink.ErrDumpInterrupted) {
			break
		}
	}
	return all, err
}
