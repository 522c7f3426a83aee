//go:build linux

package network

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strings"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// Endpoint is a container's place on the network of its stage.
type Endpoint struct {
	ContainerID, StageID string

	NetNSPath   string // the network namespace to run the container in
	IP, Gateway string // Gateway is where names are served
}

// Attach gives the container a network namespace with an address on the stage's network, which EnsureStage made. Called
// again it gives the same.
func (n *Network) Attach(_ context.Context, stageID, containerID string) (Endpoint, error) {
	if containerID == "" || strings.ContainsAny(containerID, "/.\x00") {
		return Endpoint{}, fmt.Errorf("attach container: %q is no id of a container", containerID)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	s := n.stages[stageID]
	if s == nil {
		return Endpoint{}, fmt.Errorf("attach container %s: stage %s has no network", containerID, stageID)
	}
	e, known := n.endpoints[containerID]
	if known && e.StageID == stageID && n.alive(e) {
		return n.public(e), nil
	}
	if known {
		if err := n.detach(containerID); err != nil {
			return Endpoint{}, fmt.Errorf("attach container %s: %w", containerID, err)
		}
	}
	e, err := n.attach(s, containerID)
	if err != nil {
		return Endpoint{}, fmt.Errorf("attach container %s: %w", containerID, errors.Join(err, n.detach(containerID)))
	}
	return n.public(e), nil
}

func (n *Network) alive(e endpoint) bool {
	return isNetNS(n.netnsPath(e.ContainerID)) && linkExists(e.Interface)
}

func (n *Network) public(e endpoint) Endpoint {
	return Endpoint{
		ContainerID: e.ContainerID, StageID: e.StageID, NetNSPath: n.netnsPath(e.ContainerID),
		IP: e.Address.String(), Gateway: n.stages[e.StageID].Gateway.String(),
	}
}

// attach records the address before it makes anything, so that nothing is made that a later process does not know of.
func (n *Network) attach(s *stage, containerID string) (endpoint, error) {
	address, free := nextAddress(s.Subnet, n.cursor[s.ID], n.usedAddresses(s.ID))
	if !free {
		return endpoint{}, fmt.Errorf("no address of %s is free; a stage has at most 253 running tasks", s.Subnet)
	}
	e := endpoint{
		ContainerID: containerID, StageID: s.ID, Address: address,
		Interface: fmt.Sprintf("%s%04x%02x", n.vethPrefix(), s.Number, address.As4()[3]),
	}
	if err := save(n.endpointPath(containerID), e, false); err != nil {
		return endpoint{}, fmt.Errorf("record address: %w", err)
	}
	n.endpoints[containerID] = e
	n.cursor[s.ID] = address
	if err := n.plug(s, e); err != nil {
		return endpoint{}, err
	}
	return e, n.allow(e)
}

func (n *Network) usedAddresses(stageID string) map[netip.Addr]bool {
	used := map[netip.Addr]bool{}
	for _, e := range n.endpoints {
		if e.StageID == stageID {
			used[e.Address] = true
		}
	}
	return used
}

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
	if err := netlink.LinkSetUp(pair); err != nil {
		return fmt.Errorf("bring up interface %s: %w", e.Interface, err)
	}
	return configureInside(inside, s, e)
}

func configureInside(h *netlink.Handle, s *stage, e endpoint) error {
	lo, err := h.LinkByName("lo")
	if err != nil {
		return fmt.Errorf("find loopback interface: %w", err)
	}
	eth0, err := h.LinkByName("eth0")
	if err != nil {
		return fmt.Errorf("find container's interface: %w", err)
	}
	if err := h.AddrAdd(eth0, &netlink.Addr{IPNet: ipNet(e.Address, s.Subnet.Bits())}); err != nil {
		return fmt.Errorf("give container the address %s: %w", e.Address, err)
	}
	for _, l := range []netlink.Link{lo, eth0} {
		if err := h.LinkSetUp(l); err != nil {
			return fmt.Errorf("bring up container's interface %s: %w", l.Attrs().Name, err)
		}
	}
	route := &netlink.Route{LinkIndex: eth0.Attrs().Index, Gw: s.Gateway.AsSlice()}
	if err := h.RouteAdd(route); err != nil {
		return fmt.Errorf("give container its default route: %w", err)
	}
	return nil
}

// Detach removes the container's address, interfaces and namespace. An unknown container is no error.
func (n *Network) Detach(_ context.Context, containerID string) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if err := n.detach(containerID); err != nil {
		return fmt.Errorf("detach container %s: %w", containerID, err)
	}
	return nil
}

func (n *Network) detach(containerID string) error {
	e, known := n.endpoints[containerID]
	if !known {
		return nil
	}
	if err := deleteLink(e.Interface); err != nil {
		return err
	}
	if err := removeNetNS(n.netnsPath(containerID)); err != nil {
		return err
	}
	if err := n.forbid(e); err != nil {
		return err
	}
	if err := removeFile(n.endpointPath(containerID)); err != nil {
		return err
	}
	delete(n.endpoints, containerID)
	return nil
}

// Endpoints lists the containers that have a place on a network, in no order that matters.
func (n *Network) Endpoints(context.Context) ([]Endpoint, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	list := make([]Endpoint, 0, len(n.endpoints))
	for _, e := range n.endpoints {
		list = append(list, n.public(e))
	}
	slices.SortFunc(list, func(a, b Endpoint) int { return strings.Compare(a.ContainerID, b.ContainerID) })
	return list, nil
}

// removeOrphans takes away what no record stands for, and records whose namespace ended with the machine.
func (n *Network) removeOrphans() error {
	for id, e := range n.endpoints {
		if n.alive(e) {
			continue
		}
		if err := n.detach(id); err != nil {
			return fmt.Errorf("clean up networks: %w", err)
		}
	}
	files, err := os.ReadDir(n.netnsDir())
	if err != nil {
		return fmt.Errorf("clean up networks: %w", err)
	}
	for _, f := range files {
		if _, known := n.endpoints[f.Name()]; known {
			continue
		}
		if err := removeNetNS(n.netnsPath(f.Name())); err != nil {
			return fmt.Errorf("clean up networks: %w", err)
		}
	}
	return n.removeOrphanLinks()
}

func (n *Network) removeOrphanLinks() error {
	known := map[string]bool{}
	for _, s := range n.stages {
		known[s.Bridge] = true
	}
	for _, e := range n.endpoints {
		known[e.Interface] = true
	}
	links, err := netlink.LinkList()
	if err != nil {
		return fmt.Errorf("clean up networks: list interfaces: %w", err)
	}
	for _, l := range links {
		name := l.Attrs().Name
		ours := strings.HasPrefix(name, n.bridgePrefix()) || strings.HasPrefix(name, n.vethPrefix())
		if !ours || known[name] {
			continue
		}
		if err := netlink.LinkDel(l); err != nil && !errors.Is(err, unix.ENODEV) {
			return fmt.Errorf("clean up networks: delete interface %s: %w", name, err)
		}
	}
	return nil
}
