//go:build linux

package gateway

import (
	"errors"
	"fmt"
	"hash/fnv"
	"net"
	"net/netip"
	"slices"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/engine/subnet"
	"github.com/setopsco/setops/internal/setops"
)

// mostFronts is how many addresses private names have: those from subnet.FirstFront to 254.
const mostFronts = 255 - subnet.FirstFront

// chooseAddresses gives each tcp app that has a front an address and takes away those of others. The choice begins at a place that depends on the app's name alone, so that hardly ever an app gets an address that another
// one had a moment ago.
func (p *place) chooseAddresses() error {
	for app := range p.hosts {
		if !slices.ContainsFunc(p.fronts, func(f engine.Front) bool { return f.App == app && f.Protocol == setops.TCP }) {
			delete(p.hosts, app)
		}
	}
	used := map[byte]bool{}
	for _, a := range p.Taken {
		used[a.As4()[3]] = true
	}
	for _, host := range p.hosts {
		used[host] = true
	}
	var errs []error
	for _, f := range p.fronts {
		if _, has := p.hosts[f.App]; has || f.Protocol != setops.TCP {
			continue
		}
		host, free := freeHost(f.App, used)
		if !free {
			errs = append(errs, fmt.Errorf("no address is left for the private name of app %s; a stage has at most %d tcp apps", f.App, mostFronts))
			continue
		}
		p.hosts[f.App], used[host] = host, true
	}
	return errors.Join(errs...)
}

func freeHost(app string, used map[byte]bool) (host byte, free bool) {
	sum := fnv.New32a()
	sum.Write([]byte(app)) //nolint:errcheck // it never fails
	for i := range uint32(mostFronts) {
		host = byte(subnet.FirstFront + (sum.Sum32()+i)%mostFronts)
		if !used[host] {
			return host, true
		}
	}
	return 0, false
}

// addressOf gives where a front is answered.
func (p *place) addressOf(f engine.Front) (a netip.Addr, known bool) {
	if f.Protocol == setops.HTTP {
		return p.Address, true
	}
	host, known := p.hosts[f.App]
	if !known {
		return a, false
	}
	return p.withHost(host), true
}

func (p *place) withHost(host byte) netip.Addr {
	b := p.Subnet.Addr().As4()
	b[3] = host
	return netip.AddrFrom4(b)
}

// setAddresses gives the bridge the addresses of the private names, and takes away those that are no longer used.
func setAddresses(p *place) error {
	link, err := netlink.LinkByIndex(p.index)
	if err != nil {
		return fmt.Errorf("find bridge %s: %w", p.Bridge, err)
	}
	wanted := map[netip.Addr]bool{}
	for _, host := range p.hosts {
		wanted[p.withHost(host)] = true
	}
	there, err := frontAddresses(link, p.Subnet)
	if err != nil {
		return fmt.Errorf("list addresses of bridge %s: %w", p.Bridge, err)
	}
	for _, a := range there {
		if wanted[a] {
			delete(wanted, a)
			continue
		}
		if err := netlink.AddrDel(link, addressOnly(a)); err != nil && !errors.Is(err, unix.EADDRNOTAVAIL) {
			return fmt.Errorf("take address %s from bridge %s: %w", a, p.Bridge, err)
		}
	}
	for a := range wanted {
		if err := netlink.AddrReplace(link, addressOnly(a)); err != nil {
			return fmt.Errorf("give bridge %s the address %s: %w", p.Bridge, a, err)
		}
	}
	return nil
}

// frontAddresses lists the addresses of private names that the bridge has.
func frontAddresses(link netlink.Link, of netip.Prefix) ([]netip.Addr, error) {
	var list []netlink.Addr
	var err error
	for range 20 { // a list that was cut short by a change is asked for again
		if list, err = netlink.AddrList(link, netlink.FAMILY_V4); !errors.Is(err, netlink.ErrDumpInterrupted) {
			break
		}
	}
	if err != nil {
		return nil, err
	}
	var found []netip.Addr
	for _, l := range list {
		a, ok := netip.AddrFromSlice(l.IP.To4())
		if bits, _ := l.Mask.Size(); ok && bits == 32 && of.Contains(a) && a.As4()[3] >= subnet.FirstFront {
			found = append(found, a)
		}
	}
	return found, nil
}

// addressOnly is an address without a network. It has the widest scope, as the gateway's has: the kernel lists narrower ones
// first, and Docker takes the first of a bridge for the one that it gave it. Behind the gateway's, the host never speaks
// from it by itself.
func addressOnly(a netip.Addr) *netlink.Addr {
	return &netlink.Addr{
		IPNet: &net.IPNet{IP: a.AsSlice(), Mask: net.CIDRMask(32, 32)}, Scope: unix.RT_SCOPE_UNIVERSE,
	}
}
