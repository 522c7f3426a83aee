//go:build linux

package network

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"

	"github.com/setopsco/setops/internal/engine/nft"
	"github.com/setopsco/setops/internal/engine/subnet"
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

// ensureRules makes the packet filter know the stage. Usually that is one more element in sets; tables that are not there,
// or were emptied by somebody, are made anew.
func (n *Network) ensureRules(s *stage) error {
	if n.rulesPresent() && n.addStage(s) == nil {
		return nil
	}
	return n.replaceRules()
}

// rulesPresent looks whether the chain that keeps stages apart has its rules.
func (n *Network) rulesPresent() bool {
	return nft.HasRules(nftables.TableFamilyINet, n.table(), "forward")
}

// addStage adds what the sets do not have of the stage.
func (n *Network) addStage(s *stage) error {
	if err := n.include(s, subnets, within); err != nil {
		return err
	}
	if err := n.include(s, sources); err != nil && !n.warned[noMasquerade] {
		return err
	}
	return nil
}

func (n *Network) include(s *stage, sets ...nft.Set[*stage]) error {
	conn, err := nftables.New()
	if err != nil {
		return err
	}
	changes := false
	for _, set := range sets {
		one, err := set.Update(conn, n.table(), []*stage{s}, func([]byte) bool { return false })
		if err != nil {
			return err
		}
		changes = changes || one
	}
	if !changes {
		return nil
	}
	return conn.Flush()
}

// dropStage makes the packet filter forget the stage, which is in n.stages no more.
func (n *Network) dropStage(s *stage) error {
	if len(n.stages) == 0 {
		return n.replaceRules()
	}
	for _, set := range []nft.Set[*stage]{subnets, within, sources} {
		if err := set.Exclude(n.table(), s); err != nil {
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

// replaceTable sends one transaction: the table as it was goes, the new one comes, if there is any stage.
func (n *Network) replaceTable(family nftables.TableFamily, fill func(*nftables.Conn, *nftables.Table) error) error {
	if len(n.stages) == 0 {
		fill = nil
	}
	return nft.ReplaceTable(family, n.table(), fill)
}

// addFilter says who may talk to whom.
func (n *Network) addFilter(conn *nftables.Conn, t *nftables.Table) error {
	stages := slices.Collect(maps.Values(n.stages))
	subnetSet, err1 := subnets.Make(conn, t.Name, stages)
	withinSet, err2 := within.Make(conn, t.Name, stages)
	if err := errors.Join(err1, err2); err != nil {
		return err
	}
	n.addForward(conn, t, subnetSet, withinSet)
	return nil
}

// addForward is for what containers send through the host, and what others send to them. Packets between containers of
// one stage come here as well where bridges are filtered like routers (br_netfilter).
func (n *Network) addForward(conn *nftables.Conn, t *nftables.Table, subnets, within *nftables.Set) {
	c := nft.BaseChain(conn, nftables.Chain{
		Table: t, Name: "forward", Type: nftables.ChainTypeFilter,
		Hooknum: nftables.ChainHookForward, Priority: nftables.ChainPriorityFilter,
	})
	from := nft.NameStarts(expr.MetaKeyIIFNAME, n.bridgePrefix())
	to := nft.NameStarts(expr.MetaKeyOIFNAME, n.bridgePrefix())
	inSubnet := nft.Rule(nft.LoadMeta(expr.MetaKeyIIFNAME, nft.Reg), nft.LoadIP(nft.IPSource, nft.Reg16), nft.Mask(nft.Reg16, subnet.Bits))
	bridges := nft.Rule(nft.LoadMeta(expr.MetaKeyIIFNAME, nft.Reg), nft.LoadMeta(expr.MetaKeyOIFNAME, nft.Reg16))

	nft.Add(conn, c, from, nft.IPv6(), nft.Drop())
	nft.Add(conn, c, to, nft.IPv6(), nft.Drop())
	nft.Add(conn, c, from, inSubnet, nft.NotIn(subnets), nft.Drop())
	nft.Add(conn, c, from, bridges, nft.In(within), nft.Accept())
	// Nobody opens a connection to a container from elsewhere; answers to its own come back.
	nft.Add(conn, c, to, nft.Known(), nft.Accept())
	nft.Add(conn, c, to, nft.Drop())
	// An uplink may itself be a bridge with a name of Docker's shape.
	for _, up := range uplinks() {
		nft.Add(conn, c, from, nft.NameStarts(expr.MetaKeyOIFNAME, nft.Whole(up)), nft.Accept())
	}
	for _, others := range []string{"so", nft.Whole("docker0"), "br-"} {
		nft.Add(conn, c, from, nft.NameStarts(expr.MetaKeyOIFNAME, others), nft.Drop())
	}
}

// addMasquerade sends what leaves the host with the host's address.
func (n *Network) addMasquerade(conn *nftables.Conn, t *nftables.Table) error {
	set, err := sources.Make(conn, t.Name, slices.Collect(maps.Values(n.stages)))
	if err != nil {
		return err
	}
	c := nft.BaseChain(conn, nftables.Chain{
		Table: t, Name: "postrouting", Type: nftables.ChainTypeNAT,
		Hooknum: nftables.ChainHookPostrouting, Priority: nftables.ChainPriorityNATSource,
	})
	leaving := nft.NameStartsNot(expr.MetaKeyOIFNAME, n.bridgePrefix())
	nft.Add(conn, c, leaving, nft.LoadIP(nft.IPSource, nft.Reg), nft.Mask(nft.Reg, subnet.Bits), nft.In(set), nft.Match{&expr.Masq{}})
	return nil
}
