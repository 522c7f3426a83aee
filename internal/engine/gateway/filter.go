//go:build linux

package gateway

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"

	"github.com/google/nftables"
	"github.com/google/nftables/binaryutil"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"

	"github.com/setopsco/setops/internal/engine/nft"
)

// The packet filter table of an instance is one, of family inet. What its rules hold for are elements of sets, which
// stay when a new process puts its own rules there: no connection waits for that.
//
//	prerouting   the port that tasks ask for becomes the one we listen on
//	input        what tasks send to the host itself: to our sockets, and pings to their gateway; nothing else
//	forward      link-local addresses, where clouds tell machines their secrets, are out of reach
const family = nftables.TableFamilyINet

// noInput is said when the host's firewall stays in the way.
const noInput = "the host's firewall could not be opened for names of the stages' networks"

var linkLocal = netip.MustParsePrefix("169.254.0.0/16")

var (
	nameAndAddress = nftables.MustConcatSetType(nftables.TypeIFName, nftables.TypeIPAddr)
	target         = nftables.MustConcatSetType(nftables.TypeIFName, nftables.TypeIPAddr, nftables.TypeInetProto, nftables.TypeInetService)
)

var (
	bridges = nft.Set[Stage]{Family: family, ID: 1, Name: "bridges", Key: nftables.TypeIFName, KeyOf: func(s Stage) []byte {
		return nft.Name(s.Bridge)
	}}
	gateways = nft.Set[Stage]{Family: family, ID: 2, Name: "gateways", Key: nameAndAddress, Concat: true, KeyOf: func(s Stage) []byte {
		return slices.Concat(nft.Name(s.Bridge), s.Address.AsSlice())
	}}
	openings = nft.Set[opening]{Family: family, ID: 3, Name: "openings", Key: target, Concat: true, KeyOf: func(o opening) []byte {
		return o.target(o.got)
	}}
	translations = nft.Set[opening]{
		Family: family, ID: 4, Name: "translations", Key: target, Concat: true,
		KeyOf: func(o opening) []byte { return o.target(o.asked) },
		Value: nftables.TypeInetService, ValueOf: func(o opening) []byte { return binaryutil.BigEndian.PutUint16(o.got) },
	}
)

// target is an interface, an address, a protocol and a port of it, each in whole registers.
func (o opening) target(port uint16) []byte {
	return slices.Concat(nft.Name(o.bridge), o.address.AsSlice(), []byte{o.protocol, 0, 0, 0}, binaryutil.BigEndian.PutUint16(port), []byte{0, 0})
}

func (g *Gateways) table() string { return "setops-" + g.cfg.Instance + "-gateway" }

// filterHolds reports whether the table is as it was when it was found right.
func (g *Gateways) filterHolds() bool { return g.mark.Holds() && g.firewall.Trusted() }

// syncFilter makes the table what it should be. Nothing is left in it of the bridge that is gone, "" for none.
func (g *Gateways) syncFilter(gone string) error {
	const tries = 5 // others change the packet filter too
	var err error
	for range tries {
		g.mark.Set()
		changed := false
		if changed, err = g.updateFilter(gone); err == nil && !changed {
			return nil
		}
		if err != nil {
			g.made = false
		}
	}
	g.mark.Drop()
	if err != nil {
		return fmt.Errorf("set packet filter: %w", err)
	}
	return nil
}

// dropFilter removes the table. Without a stage nobody needs it.
func (g *Gateways) dropFilter() error {
	g.mark.Drop()
	g.made = false
	if err := nft.ReplaceTable(family, g.table(), nil); err != nil {
		return fmt.Errorf("remove packet filter: %w", err)
	}
	return nil
}

// updateFilter looks once, and changes what is not as it should be.
func (g *Gateways) updateFilter(gone string) (changed bool, err error) {
	if !g.made || !nft.HasRules(family, g.table(), "prerouting", "input", "forward") {
		if err := g.makeTable(); err != nil {
			return false, err
		}
		g.made, changed = true, true
	}
	conn, err := nftables.New()
	if err != nil {
		return false, err
	}
	var stages []Stage
	var all []opening
	complete := map[string]bool{gone: true} // bridges of which we know all that is to be there
	for _, p := range g.places {
		if p.index != 0 {
			stages = append(stages, p.Stage)
			all = append(all, p.openings()...)
			complete[p.Bridge] = p.set || g.cfg.Serve == nil
		}
	}
	spent := func(key []byte) bool { return complete[bridgeOf(key)] }
	c1, err1 := bridges.Update(conn, g.table(), stages, spent)
	c2, err2 := gateways.Update(conn, g.table(), stages, spent)
	c3, err3 := openings.Update(conn, g.table(), all, spent)
	c4, err4 := translations.Update(conn, g.table(), translated(all), spent)
	if err := errors.Join(err1, err2, err3, err4); err != nil || !(c1 || c2 || c3 || c4) {
		return changed, err
	}
	return true, conn.Flush()
}

// bridgeOf gives the name that a key begins with.
func bridgeOf(key []byte) string { return unix.ByteSliceToString(key[:min(len(key), unix.IFNAMSIZ)]) }

// Check tries the rules in the network namespace of the calling thread, which nobody else uses. An error says that the
// kernel does not know them.
func Check() error {
	return nft.ReplaceTable(family, "setops-check-gateway", fill)
}

// makeTable puts our rules into the table that is there, whose sets keep their elements, or makes the table anew.
func (g *Gateways) makeTable() error {
	conn, err := nftables.New()
	if err != nil {
		return err
	}
	table := &nftables.Table{Family: family, Name: g.table()}
	conn.AddTable(table)
	if err := fill(conn, table); err != nil {
		return err
	}
	if conn.Flush() == nil {
		return nil
	}
	return nft.ReplaceTable(family, g.table(), fill)
}

func fill(conn *nftables.Conn, t *nftables.Table) error {
	bridgeSet, err1 := bridges.Make(conn, t.Name, nil)
	gatewaySet, err2 := gateways.Make(conn, t.Name, nil)
	openingSet, err3 := openings.Make(conn, t.Name, nil)
	translationMap, err4 := translations.Make(conn, t.Name, nil)
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		return err
	}
	chain := func(name string, kind nftables.ChainType, hook *nftables.ChainHook, priority *nftables.ChainPriority) *nftables.Chain {
		c := nft.BaseChain(conn, nftables.Chain{Table: t, Name: name, Type: kind, Hooknum: hook, Priority: priority})
		conn.FlushChain(c)
		return c
	}
	fromTasks := nft.Rule(nft.LoadMeta(expr.MetaKeyIIFNAME, nft.Reg), nft.In(bridgeSet))
	toHost := nft.Rule(nft.IPv4(), nft.LoadMeta(expr.MetaKeyIIFNAME, nft.Reg), nft.LoadIP(nft.IPDestination, nft.Reg16))
	toPort := nft.Rule(toHost, nft.LoadMeta(expr.MetaKeyL4PROTO, nft.Reg20), nft.LoadPort(nft.Reg24))
	echoRequest := nft.Rule(nft.MetaByte(expr.MetaKeyL4PROTO, unix.IPPROTO_ICMP), nft.Payload(expr.PayloadBaseTransportHeader, 0, []byte{8}))

	c := chain("prerouting", nftables.ChainTypeNAT, nftables.ChainHookPrerouting, nftables.ChainPriorityNATDest)
	nft.Add(conn, c, toPort, nft.ToPortOf(translationMap))

	c = chain("input", nftables.ChainTypeFilter, nftables.ChainHookInput, nftables.ChainPriorityFilter)
	nft.Add(conn, c, fromTasks, nft.IPv6(), nft.Drop())
	nft.Add(conn, c, fromTasks, nft.Known(), nft.Accept())
	nft.Add(conn, c, toPort, nft.In(openingSet), nft.Accept())
	nft.Add(conn, c, toHost, nft.In(gatewaySet), echoRequest, nft.Accept())
	nft.Add(conn, c, fromTasks, nft.Drop())

	c = chain("forward", nftables.ChainTypeFilter, nftables.ChainHookForward, nftables.ChainPriorityFilter)
	nft.Add(conn, c, fromTasks, nft.IPv6(), nft.Drop())
	nft.Add(conn, c, fromTasks, nft.IPv4(), nft.AddressIn(nft.IPDestination, linkLocal), nft.Drop())
	return nil
}

// passFirewall lets questions and connections of tasks through a firewall of the host that drops what it does not know;
// ours says which.
func (g *Gateways) passFirewall(ctx context.Context, gone string) []error {
	rule := func(bridge string) nft.Pass {
		return nft.Pass{Chain: "INPUT", Rule: "-i " + bridge + " -j ACCEPT", Because: []string{"-P INPUT DROP"}}
	}
	if gone != "" {
		return g.firewall.Pass(ctx, []nft.Pass{rule(gone)}, false)
	}
	var rules []nft.Pass
	for _, p := range slices.SortedFunc(maps.Values(g.places), func(a, b *place) int { return a.index - b.index }) {
		if p.index != 0 {
			rules = append(rules, rule(p.Bridge))
		}
	}
	return g.firewall.Pass(ctx, rules, true)
}
