//go:build linux

package network

import (
	"errors"
	"maps"
	"slices"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"

	"github.com/setopsco/setops/internal/engine/nft"
)

// addGuard ties each container to its address: on a bridge, nothing else would keep it from answering for another one.
// Only IPv4 and ARP pass.
func (n *Network) addGuard(conn *nftables.Conn, t *nftables.Table) error {
	set, err := places.Make(conn, t.Name, slices.Collect(maps.Values(n.endpoints)))
	if err != nil {
		return err
	}
	c := nft.BaseChain(conn, nftables.Chain{
		Table: t, Name: "prerouting", Type: nftables.ChainTypeFilter,
		Hooknum: nftables.ChainHookPrerouting, Priority: nftables.ChainPriorityRef(-300),
	})
	ours := nft.NameStarts(expr.MetaKeyIIFNAME, n.vethPrefix())
	sender := nft.Rule(nft.LoadMeta(expr.MetaKeyIIFNAME, nft.Reg), nft.Load(expr.PayloadBaseLLHeader, nft.EtherSource, 6, nft.Reg16))

	nft.Add(conn, c, ours, nft.EtherType(unix.ETH_P_IP), sender, nft.LoadIP(nft.IPSource, nft.Reg24), nft.In(set), nft.Accept())
	nft.Add(conn, c, ours, nft.EtherType(unix.ETH_P_ARP), sender, nft.LoadIP(nft.ARPSenderIP, nft.Reg24), nft.In(set), nft.Accept())
	nft.Add(conn, c, ours, nft.Drop())
	return nil
}

func (n *Network) replaceGuard() {
	if err := n.replaceTable(nftables.TableFamilyBridge, n.addGuard); err != nil {
		n.warnOnce(noGuard, err)
	}
}

// allow lets the endpoint's packets pass. A missing set is one that the kernel could not have, or one that somebody
// flushed, which is mended.
func (n *Network) allow(e endpoint) error {
	err := n.mark.Over(func() error { return places.Include(n.table(), e) })
	if errors.Is(err, unix.ENOENT) {
		n.replaceGuard()
		return nil
	}
	return err
}

// forbid forgets the endpoint. An element that is left over does no harm: its interface is gone.
func (n *Network) forbid(e endpoint) {
	if err := n.mark.Over(func() error { return places.Exclude(n.table(), e) }); err != nil {
		n.log.Warn("a rule for the address of a task that is gone could not be removed", "task", e.ContainerID, "err", err)
	}
}
