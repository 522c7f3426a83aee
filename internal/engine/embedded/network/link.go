//go:build linux

package network

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// ensureBridge makes the stage's bridge, or sets right the one there is; it says which, and its number.
func ensureBridge(s *stage) (index int, made bool, err error) {
	attrs := netlink.NewLinkAttrs()
	attrs.Name = s.Bridge
	attrs.HardwareAddr = hardwareAddr(s.Gateway)
	attrs.MTU = uplinkMTU()
	snooping := false
	bridge := &netlink.Bridge{LinkAttrs: attrs, MulticastSnooping: &snooping}
	err = netlink.LinkAdd(bridge)
	made = err == nil
	if err != nil && !errors.Is(err, unix.EEXIST) {
		return 0, false, fmt.Errorf("make bridge %s: %w", s.Bridge, err)
	}
	link, err := netlink.LinkByName(s.Bridge)
	if err != nil {
		return 0, made, fmt.Errorf("find bridge %s: %w", s.Bridge, err)
	}
	// No IPv6 on our bridges, and no packet whose source lies elsewhere.
	for _, setting := range []string{"ipv6/conf/" + s.Bridge + "/disable_ipv6", "ipv4/conf/" + s.Bridge + "/rp_filter"} {
		if err := sysctl(setting, "1"); err != nil {
			return 0, made, err
		}
	}
	addr := &netlink.Addr{IPNet: ipNet(s.Gateway, s.Subnet.Bits())}
	if err := netlink.AddrReplace(link, addr); err != nil {
		return 0, made, fmt.Errorf("give bridge %s the address %s: %w", s.Bridge, s.Gateway, err)
	}
	if err := netlink.LinkSetUp(link); err != nil {
		return 0, made, fmt.Errorf("bring up bridge %s: %w", s.Bridge, err)
	}
	return link.Attrs().Index, made, nil
}

// isUp reports whether the interface is there, the same as ever, and up.
func isUp(name string, index int) bool {
	l, err := netlink.LinkByName(name)
	return err == nil && l.Attrs().Index == index && l.Attrs().Flags&net.FlagUp != 0
}

// hasAddress reports whether the interface is there and has the address.
func hasAddress(name string, a netip.Addr) bool {
	i, err := net.InterfaceByName(name)
	if err != nil {
		return false
	}
	all, err := i.Addrs()
	return err == nil && slices.ContainsFunc(all, func(one net.Addr) bool {
		n, isNet := one.(*net.IPNet)
		return isNet && n.IP.Equal(a.AsSlice())
	})
}

// hardwareAddr derives a link address from the IP address: whoever gets the IP later is reached at once, as nobody's
// neighbour table is wrong.
func hardwareAddr(a netip.Addr) net.HardwareAddr {
	b := a.As4()
	return net.HardwareAddr{0x02, 0x50, b[0], b[1], b[2], b[3]}
}

func ipNet(a netip.Addr, bits int) *net.IPNet {
	return &net.IPNet{IP: a.AsSlice(), Mask: net.CIDRMask(bits, 32)}
}

// uplinkMTU is the packet size of the way out where that is smaller than usual (tunnels), else 1500.
func uplinkMTU() int {
	mtu := 1500
	for _, name := range uplinks() {
		if l, err := netlink.LinkByName(name); err == nil {
			mtu = min(mtu, l.Attrs().MTU)
		}
	}
	return mtu
}

// uplinks names the interfaces of default routes.
func uplinks() []string {
	routes, err := unbroken(func() ([]netlink.Route, error) {
		return netlink.RouteListFiltered(netlink.FAMILY_V4, &netlink.Route{Table: unix.RT_TABLE_MAIN}, netlink.RT_FILTER_TABLE)
	})
	if err != nil {
		return nil // none are known; the usual values do
	}
	var names []string
	for _, r := range routes {
		if r.Dst != nil && !r.Dst.IP.IsUnspecified() {
			continue
		}
		if l, err := netlink.LinkByIndex(r.LinkIndex); err == nil {
			names = append(names, l.Attrs().Name)
		}
	}
	return names
}

// connect makes the interface a port of the bridge.
func connect(name, bridge string) error {
	port, err := netlink.LinkByName(name)
	if err != nil {
		return fmt.Errorf("find interface %s: %w", name, err)
	}
	b, err := netlink.LinkByName(bridge)
	if err != nil {
		return fmt.Errorf("find bridge %s: %w", bridge, err)
	}
	if err := netlink.LinkSetMaster(port, b); err != nil {
		return fmt.Errorf("connect interface %s to bridge %s: %w", name, bridge, err)
	}
	return awaitUp(decided, b.Attrs().Index)
}

func linkExists(name string) bool {
	_, err := net.InterfaceByName(name)
	return err == nil
}

func deleteLink(name string) error {
	link, err := netlink.LinkByName(name)
	var missing netlink.LinkNotFoundError
	if errors.As(err, &missing) {
		return nil
	}
	if err == nil {
		err = netlink.LinkDel(link)
	}
	if err != nil && !errors.Is(err, unix.ENODEV) {
		return fmt.Errorf("delete interface %s: %w", name, err)
	}
	return nil
}

// sysctl sets a network setting of the calling thread's namespace. One that the kernel does not have (no IPv6) is no error.
func sysctl(name, value string) error {
	err := os.WriteFile("/proc/sys/net/"+name, []byte(value), 0o644)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("set %s: %w", name, err)
	}
	return nil
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
