//go:build linux

package network

import (
	"errors"
	"slices"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"
)

const guardSetID = 1

// addGuard ties each container to its address: on a bridge, nothing else would keep it from answering for another one.
// Only IPv4 and ARP pass.
func (n *Network) addGuard(conn *nftables.Conn, t *nftables.Table) error {
	var places [][]byte
	for _, e := range n.endpoints {
		places = append(places, place(e))
	}
	set, err := addSet(conn, t, guardSetID, "places", placeOnBridge, true, places)
	if err != nil {
		return err
	}
	c := baseChain(conn, t, "prerouting", nftables.ChainTypeFilter, nftables.ChainHookPrerouting, nftables.ChainPriorityRef(-300))
	ours := nameStarts(expr.MetaKeyIIFNAME, n.vethPrefix())
	sender := rule(loadName(expr.MetaKeyIIFNAME, reg), load(expr.PayloadBaseLLHeader, etherSource, 6, reg16))
	address := func(offset uint32) match { return load(expr.PayloadBaseNetworkHeader, offset, 4, reg24) }

	add(conn, c, ours, etherType(unix.ETH_P_IP), sender, address(ipSource), in(set), accept())
	add(conn, c, ours, etherType(unix.ETH_P_ARP), sender, address(arpSenderIP), in(set), accept())
	add(conn, c, ours, drop())
	return nil
}

// place is the key of an endpoint: interface, link address (padded to a multiple of 4 bytes) and address.
func place(e endpoint) []byte {
	return slices.Concat(name(e.Interface), hardwareAddr(e.Address), []byte{0, 0}, e.Address.AsSlice())
}

func (n *Network) guardSet() *nftables.Set {
	t := &nftables.Table{Family: nftables.TableFamilyBridge, Name: n.table()}
	return &nftables.Set{Table: t, Name: "places", KeyType: placeOnBridge, Concatenation: true}
}

// allow lets the endpoint's packets pass. A missing set is one that the kernel could not have, which applyRules said, or
// one that somebody flushed, which it mends.
func (n *Network) allow(e endpoint) error {
	conn, err := nftables.New()
	if err != nil {
		return err
	}
	if err := conn.SetAddElements(n.guardSet(), setElements(place(e))); err != nil {
		return err
	}
	if err := conn.Flush(); errors.Is(err, unix.ENOENT) {
		n.applyGuard()
	} else if err != nil {
		return err
	}
	return nil
}

func (n *Network) forbid(e endpoint) error {
	conn, err := nftables.New()
	if err != nil {
		return err
	}
	if err := conn.SetDeleteElements(n.guardSet(), setElements(place(e))); err != nil {
		return err
	}
	if err := conn.Flush(); err != nil && !errors.Is(err, unix.ENOENT) {
		n.warnOnce("the rule for a task's address could not be removed", err)
	}
	return nil
}

func (n *Network) applyGuard() {
	if err := n.replaceTable(nftables.TableFamilyBridge, n.addGuard); err != nil {
		n.warnOnce("the kernel cannot filter on bridges: a task can pretend to be another one of its stage (nftables bridge family is missing)", err)
	}
}
