//go:build linux

package network

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// removeOrphans takes away what no record stands for, and records whose namespace ended with the machine.
func (n *Network) removeOrphans() error {
	for id, e := range n.endpoints {
		if n.alive(e) {
			continue
		}
		if err := n.detach(id); err != nil {
			return err
		}
	}
	files, err := os.ReadDir(n.netnsDir())
	if err != nil {
		return err
	}
	for _, f := range files {
		if _, known := n.endpoints[f.Name()]; known {
			continue
		}
		if err := removeNetNS(n.netnsPath(f.Name())); err != nil {
			return err
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
	links, err := unbroken(netlink.LinkList)
	if err != nil {
		return fmt.Errorf("list interfaces: %w", err)
	}
	for _, l := range links {
		name := l.Attrs().Name
		ours := strings.HasPrefix(name, n.bridgePrefix()) || strings.HasPrefix(name, n.vethPrefix())
		if !ours || known[name] {
			continue
		}
		if err := netlink.LinkDel(l); err != nil && !errors.Is(err, unix.ENODEV) {
			return fmt.Errorf("delete interface %s: %w", name, err)
		}
	}
	return nil
}
