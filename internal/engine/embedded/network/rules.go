//go:build linux

package network

import (
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"
)

// The packet filter of an instance is three tables of one name, each replaced in one step:
//
//	inet    who may talk to whom; without it there is no network at all
//	ip      the way out; without it tasks reach nothing outside this host
//	bridge  who may use which address; without it a task can pretend to be another one of its stage
const (
	noMasquerade = "The kernel cannot translate addresses (nftables masquerade): tasks reach nothing outside this host"
	noGuard      = "The kernel cannot filter on bridges (nftables family bridge): a task can pretend to be another one of its stage"
)

var linkLocal = netip.MustParsePrefix("169.254.0.0/16")

// ensureRules makes the packet filter know the stage. Usually that is one more element in sets; tables that are not there,
// or were emptied by somebody, are made anew.
func (n *Network) ensureRules(s *stage) error {
	if n.rulesPresent() && n.addStage(s) == nil {
		return nil
	}
	return n.replaceRules()
}

// rulesPresent looks whether the chains that keep stages apart have their rules.
func (n *Network) rulesPresent() bool {
	conn, err := nftables.New()
	if err != nil {
		return false
	}
	t := &nftables.Table{Family: nftables.TableFamilyINet, Name: n.table()}
	for _, chain := range []string{"input", "forward"} {
		rules, err := conn.GetRules(t, &nftables.Chain{Table: t, Name: chain})
		if err != nil || len(rules) == 0 {
			return false
		}
	}
	return true
}

func (n *Network) addStage(s *stage) error {
	for _, set := range []setSpec[*stage]{gateways, subnets, within} {
		if err := set.include(n.table(), s); err != nil {
			return err
		}
	}
	if err := sources.include(n.table(), s); err != nil && !n.warned[noMasquerade] {
		return err
	}
	return nil
}

// dropStage makes the packet filter forget the stage, which is in n.stages no more.
func (n *Network) dropStage(s *stage) error {
	if len(n.stages) == 0 {
		return n.replaceRules()
	}
	for _, set := range []setSpec[*stage]{gateways, subnets, within, sources} {
		if err := set.exclude(n.table(), s); err != nil {
			return fmt.Errorf("change packet filter: %w", err)
		}
	}
	return nil
}

// replaceRules makes all tables from what is known; with no stage left it leaves none.
func (n *Network) replaceRules() error {
	if err := n.replaceTable(nftables.TableFamilyINet, n.addFilter); err != nil {
		return fmt.Errorf("set packet filter: %w", err)
	}
	if err := n.replaceTable(nftables.TableFamilyIPv4, n.addMasquerade); err != nil {
		n.warnOnce(noMasquerade, err)
	}
	n.replaceGuard()
	return nil
}

// replaceTable sends one transaction: the table as it was goes, the new one comes.
func (n *Network) replaceTable(family nftables.TableFamily, fill func(*nftables.Conn, *nftables.Table) error) error {
	conn, err := nftables.New()
	if err != nil {
		return err
	}
	table := &nftables.Table{Family: family, Name: n.table()}
	conn.AddTable(table) // so that there is one to delete
	conn.DelTable(table)
	if len(n.stages) > 0 {
		conn.AddTable(table)
		if err := fill(conn, table); err != nil {
			return err
		}
	}
	return conn.Flush()
}

func baseChain(conn *nftables.Conn, c nftables.Chain) *nftables.Chain {
	policy := nftables.ChainPolicyAccept
	c.Policy = &policy
	return conn.AddChain(&c)
}

func add(conn *nftables.Conn, c *nftables.Chain, parts ...match) {
	conn.AddRule(&nftables.Rule{Table: c.Table, Chain: c, Exprs: rule(parts...)})
}

// addFilter says who may talk to whom.
func (n *Network) addFilter(conn *nftables.Conn, t *nftables.Table) error {
	stages := slices.Collect(maps.Values(n.stages))
	gatewaySet, err1 := gateways.make(conn, t.Name, stages)
	subnetSet, err2 := subnets.make(conn, t.Name, stages)
	withinSet, err3 := within.make(conn, t.Name, stages)
	if err := errors.Join(err1, err2, err3); err != nil {
		return err
	}
	n.addInput(conn, t, gatewaySet)
	n.addForward(conn, t, subnetSet, withinSet)
	return nil
}

// addInput is for what containers send to the host itself: names and pings to their own gateway, nothing else.
func (n *Network) addInput(conn *nftables.Conn, t *nftables.Table, gateways *nftables.Set) {
	c := baseChain(conn, nftables.Chain{
		Table: t, Name: "input", Type: nftables.ChainTypeFilter,
		Hooknum: nftables.ChainHookInput, Priority: nftables.ChainPriorityFilter,
	})
	ours := nameStarts(expr.MetaKeyIIFNAME, n.bridgePrefix())
	toGateway := rule(ours, ipv4(), loadName(expr.MetaKeyIIFNAME, reg), loadIP(ipDestination, reg16), in(gateways))
	echoRequest := rule(metaByte(expr.MetaKeyL4PROTO, unix.IPPROTO_ICMP), payload(expr.PayloadBaseTransportHeader, 0, []byte{8}))

	add(conn, c, ours, ipv6(), drop())
	add(conn, c, ours, known(), accept())
	add(conn, c, toGateway, port(unix.IPPROTO_UDP, 53), accept())
	add(conn, c, toGateway, port(unix.IPPROTO_TCP, 53), accept())
	add(conn, c, toGateway, echoRequest, accept())
	add(conn, c, ours, drop())
}

// addForward is for what containers send through the host, and what others send to them. Packets between containers of
// one stage come here as well where bridges are filtered like routers (br_netfilter).
func (n *Network) addForward(conn *nftables.Conn, t *nftables.Table, subnets, within *nftables.Set) {
	c := baseChain(conn, nftables.Chain{
		Table: t, Name: "forward", Type: nftables.ChainTypeFilter,
		Hooknum: nftables.ChainHookForward, Priority: nftables.ChainPriorityFilter,
	})
	from := nameStarts(expr.MetaKeyIIFNAME, n.bridgePrefix())
	to := nameStarts(expr.MetaKeyOIFNAME, n.bridgePrefix())
	subnet := rule(loadName(expr.MetaKeyIIFNAME, reg), loadIP(ipSource, reg16), mask(reg16, subnetBits))
	bridges := rule(loadName(expr.MetaKeyIIFNAME, reg), loadName(expr.MetaKeyOIFNAME, reg16))

	add(conn, c, from, ipv6(), drop())
	add(conn, c, to, ipv6(), drop())
	add(conn, c, from, addressIn(ipDestination, linkLocal), drop())
	add(conn, c, from, subnet, notIn(subnets), drop())
	add(conn, c, from, bridges, in(within), accept())
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
	set, err := sources.make(conn, t.Name, slices.Collect(maps.Values(n.stages)))
	if err != nil {
		return err
	}
	c := baseChain(conn, nftables.Chain{
		Table: t, Name: "postrouting", Type: nftables.ChainTypeNAT,
		Hooknum: nftables.ChainHookPostrouting, Priority: nftables.ChainPriorityNATSource,
	})
	leaving := nameStartsNot(expr.MetaKeyOIFNAME, n.bridgePrefix())
	add(conn, c, leaving, loadIP(ipSource, reg), mask(reg, subnetBits), in(set), match{&expr.Masq{}})
	return nil
}
