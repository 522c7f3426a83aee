//go:build linux

package network

import (
	"errors"
	"fmt"
	"os"

	"github.com/vishvananda/netlink"
)

// plug makes the namespace and the pair of interfaces between it and the bridge.
func (n *Network) plug(s *stage, e endpoint) error {
	bridge, err := netlink.LinkByName(s.Bridge)
	if err != nil {
		return fmt.Errorf("find bridge %s: %w", s.Bridge, err)
	}
	path := n.netnsPath(e.ContainerID)
	inside, err := makeNetNS(path)
	if err != nil {
		return err
	}
	defer inside.Close()
	ns, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("open network namespace: %w", err)
	}
	defer ns.Close()

	attrs := netlink.NewLinkAttrs()
	attrs.Name = e.Interface
	attrs.MTU = bridge.Attrs().MTU
	attrs.MasterIndex = bridge.Attrs().Index
	pair := &netlink.Veth{
		LinkAttrs: attrs, PeerName: "eth0", PeerNamespace: netlink.NsFd(int(ns.Fd())),
		PeerHardwareAddr: hardwareAddr(e.Address), PeerMTU: uint32(attrs.MTU),
	}
	if err := netlink.LinkAdd(pair); err != nil {
		return fmt.Errorf("make interface %s: %w", e.Interface, err)
	}
	if err := sysctl("ipv6/conf/"+e.Interface+"/disable_ipv6", "1"); err != nil {
		return err
	}
	eth0, err := configureInside(inside, s, e)
	if err != nil {
		return err
	}
	if err := netlink.LinkSetUp(pair); err != nil {
		return fmt.Errorf("bring up interface %s: %w", e.Interface, err)
	}
	if err := addRoute(inside, eth0, s); err != nil {
		return err
	}
	return errors.Join(awaitUp(inside.LinkByIndex, eth0), awaitUp(netlink.LinkByIndex, pair.Index), awaitUp(decided, attrs.MasterIndex))
}

// configureInside gives the container's interface its address and the namespace its loopback interface.
func configureInside(h *netlink.Handle, s *stage, e endpoint) (index int, err error) {
	lo, err := h.LinkByName("lo")
	if err != nil {
		return 0, fmt.Errorf("find loopback interface: %w", err)
	}
	eth0, err := h.LinkByName("eth0")
	if err != nil {
		return 0, fmt.Errorf("find container's interface: %w", err)
	}
	if err := h.AddrAdd(eth0, &netlink.Addr{IPNet: ipNet(e.Address, s.Subnet.Bits())}); err != nil {
		return 0, fmt.Errorf("give container the address %s: %w", e.Address, err)
	}
	for _, l := range []netlink.Link{lo, eth0} {
		if err := h.LinkSetUp(l); err != nil {
			return 0, fmt.Errorf("bring up container's interface %s: %w", l.Attrs().Name, err)
		}
	}
	return eth0.Attrs().Index, nil
}

func addRoute(h *netlink.Handle, index int, s *stage) error {
	if err := h.RouteAdd(&netlink.Route{LinkIndex: index, Gw: s.Gateway.AsSlice()}); err != nil {
		return fmt.Errorf("give container its default route: %w", err)
	}
	return nil
}

// checkVeth makes a pair and deletes it.
func checkVeth() error {
	attrs := netlink.NewLinkAttrs()
	attrs.Name = "sv0000000000"
	pair := &netlink.Veth{LinkAttrs: attrs, PeerName: "eth0"}
	if err := netlink.LinkAdd(pair); err != nil {
		return err
	}
	return netlink.LinkDel(pair)
}
