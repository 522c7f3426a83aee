//go:build linux

package network

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"
)

var linkLocal = netip.MustParsePrefix("169.254.0.0/16")

// applyRules makes the packet filter what the stages and endpoints need, whatever it was; with no stage left it leaves
// nothing. Three tables of the same name are replaced, each in one step:
//
//	inet    who may talk to whom; without it there is no network at all
//	ip      the way out; without it containers reach this host's networks only
//	bridge  who may use which address; without it a container can pretend to be another one of its stage
func (n *Network) applyRules(ctx context.Context) error {
	if err := n.replaceTable(nftables.TableFamilyINet, n.addFilter); err != nil {
		return fmt.Errorf("set packet filter: %w", err)
	}
	if err := n.replaceTable(nftables.TableFamilyIPv4, n.addMasquerade); err != nil {
		n.warnOnce("the kernel cannot translate addresses: tasks reach nothing outside this host (nftables masquerade is missing)", err)
	}
	n.applyGuard()
	return n.applyDockerRules(ctx)
}

// replaceTable sends one transaction: the table as it was goes, the new one comes.
func (n *Network) replaceTable(family nftables.TableFamily, add func(*nftables.Conn, *nftables.Table) error) error {
	conn, err := nftables.New()
	if err != nil {
		return err
	}
	table := &nftables.Table{Family: family, Name: n.table()}
	conn.AddTable(table) // so that there is one to delete
	conn.DelTable(table)
	if len(n.stages) > 0 {
		conn.AddTable(table)
		if err := add(conn, table); err != nil {
			return err
		}
	}
	return conn.Flush()
}

func baseChain(conn *nftables.Conn, t *nftables.Table, name string, kind nftables.ChainType, hook *nftables.ChainHook, prio *nftables.ChainPriority) *nftables.Chain {
	policy := nftables.ChainPolicyAccept
	return conn.AddChain(&nftables.Chain{Table: t, Name: name, Type: kind, Hooknum: hook, Priority: prio, Policy: &policy})
}

// addSet adds a set with ids of ours: those of the library come from a counter that is not safe for several users.
func addSet(conn *nftables.Conn, t *nftables.Table, id uint32, name string, key nftables.SetDatatype, concat bool, elements [][]byte) (*nftables.Set, error) {
	s := &nftables.Set{Table: t, ID: id, Name: name, KeyType: key, Concatenation: concat}
	if err := conn.AddSet(s, nil); err != nil {
		return nil, err
	}
	// A message of netlink holds about a thousand elements.
	for chunk := range slices.Chunk(elements, 500) {
		if err := conn.SetAddElements(s, setElements(chunk...)); err != nil {
			return nil, err
		}
	}
	return s, nil
}

func setElements(keys ...[]byte) []nftables.SetElement {
	elements := make([]nftables.SetElement, len(keys))
	for i, k := range keys {
		elements[i] = nftables.SetElement{Key: k}
	}
	return elements
}

func add(conn *nftables.Conn, c *nftables.Chain, parts ...match) {
	conn.AddRule(&nftables.Rule{Table: c.Table, Chain: c, Exprs: rule(parts...)})
}

var (
	nameAndAddress = nftables.MustConcatSetType(nftables.TypeIFName, nftables.TypeIPAddr)
	nameAndName    = nftables.MustConcatSetType(nftables.TypeIFName, nftables.TypeIFName)
	placeOnBridge  = nftables.MustConcatSetType(nftables.TypeIFName, nftables.TypeEtherAddr, nftables.TypeIPAddr)
)

// addFilter says who may talk to whom.
func (n *Network) addFilter(conn *nftables.Conn, t *nftables.Table) error {
	var gateways, subnets, same [][]byte
	for _, s := range n.stages {
		b := name(s.Bridge)
		gateways = append(gateways, slices.Concat(b, s.Gateway.AsSlice()))
		subnets = append(subnets, slices.Concat(b, s.Subnet.Addr().AsSlice()))
		same = append(same, slices.Concat(b, b))
	}
	gatewaySet, err1 := addSet(conn, t, 1, "gateways", nameAndAddress, true, gateways)
	subnetSet, err2 := addSet(conn, t, 2, "subnets", nameAndAddress, true, subnets)
	sameSet, err3 := addSet(conn, t, 3, "same", nameAndName, true, same)
	if err := errors.Join(err1, err2, err3); err != nil {
		return err
	}
	n.addInput(conn, t, gatewaySet)
	n.addForward(conn, t, subnetSet, sameSet)
	return nil
}

// addInput is for what containers send to the host itself: names and pings to their own gateway, nothing else.
func (n *Network) addInput(conn *nftables.Conn, t *nftables.Table, gateways *nftables.Set) {
	c := baseChain(conn, t, "input", nftables.ChainTypeFilter, nftables.ChainHookInput, nftables.ChainPriorityFilter)
	ours := nameStarts(expr.MetaKeyIIFNAME, n.bridgePrefix())
	toGateway := rule(ours, ipv4(), loadName(expr.MetaKeyIIFNAME, reg), load(expr.PayloadBaseNetworkHeader, ipDestination, 4, reg16), in(gateways))
	echoRequest := rule(metaByte(expr.MetaKeyL4PROTO, unix.IPPROTO_ICMP), payload(expr.PayloadBaseTransportHeader, 0, 1, []byte{8}))

	add(conn, c, ours, ipv6(), drop())
	add(conn, c, ours, known(), accept())
	add(conn, c, toGateway, port(unix.IPPROTO_UDP, 53), accept())
	add(conn, c, toGateway, port(unix.IPPROTO_TCP, 53), accept())
	add(conn, c, toGateway, echoRequest, accept())
	add(conn, c, ours, drop())
}

// addForward is for what containers send through the host, and what others send to them. Packets between containers of
// one stage come here as well where bridges are filtered like routers (br_netfilter).
func (n *Network) addForward(conn *nftables.Conn, t *nftables.Table, subnets, same *nftables.Set) {
	c := baseChain(conn, t, "forward", nftables.ChainTypeFilter, nftables.ChainHookForward, nftables.ChainPriorityFilter)
	from := nameStarts(expr.MetaKeyIIFNAME, n.bridgePrefix())
	to := nameStarts(expr.MetaKeyOIFNAME, n.bridgePrefix())
	inSubnet := rule(loadName(expr.MetaKeyIIFNAME, reg), load(expr.PayloadBaseNetworkHeader, ipSource, 4, reg16), mask(reg16, subnetBits))

	add(conn, c, from, ipv6(), drop())
	add(conn, c, to, ipv6(), drop())
	add(conn, c, from, addressIn(ipDestination, linkLocal), drop())
	add(conn, c, from, inSubnet, notIn(subnets), drop())
	add(conn, c, from, to, loadName(expr.MetaKeyIIFNAME, reg), loadName(expr.MetaKeyOIFNAME, reg16), in(same), accept())
	// Nobody opens a connection to a container from elsewhere; answers to its own come back.
	add(conn, c, to, known(), accept())
	add(conn, c, to, drop())
	// An uplink may itself be a bridge with a name of Docker's shape.
	for _, up := range uplinks() {
		add(conn, c, from, nameStarts(expr.MetaKeyOIFNAME, whole(up)), accept())
	}
	for _, others := range []string{"so", whole("docker0"), "br-"} {
		add(conn, c, from, nameStarts(expr.MetaKeyOIFNAME, others), drop())
	}
}

// addMasquerade sends what leaves the host with the host's address.
func (n *Network) addMasquerade(conn *nftables.Conn, t *nftables.Table) error {
	var nets [][]byte
	for _, s := range n.stages {
		nets = append(nets, s.Subnet.Addr().AsSlice())
	}
	subnets, err := addSet(conn, t, 1, "subnets", nftables.TypeIPAddr, false, nets)
	if err != nil {
		return err
	}
	c := baseChain(conn, t, "postrouting", nftables.ChainTypeNAT, nftables.ChainHookPostrouting, nftables.ChainPriorityNATSource)
	source := rule(load(expr.PayloadBaseNetworkHeader, ipSource, 4, reg), mask(reg, subnetBits))
	add(conn, c, nameStartsNot(expr.MetaKeyOIFNAME, n.bridgePrefix()), source, in(subnets), match{&expr.Masq{}})
	return nil
}
