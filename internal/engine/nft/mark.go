//go:build linux

package nft

import (
	"encoding/binary"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// Mark remembers a state of the packet filter that was found right. The kernel counts the transactions of all programs,
// so that asking for the count tells whether anything was changed since. The zero Mark holds never.
type Mark struct {
	at  uint32
	set bool
}

// Set remembers the state as it is now. Called before the state is looked at, it misses no change.
func (m *Mark) Set() { m.at, m.set = generation() }

// Drop makes the mark hold no more.
func (m *Mark) Drop() { m.set = false }

// Holds reports whether nothing was changed since.
func (m *Mark) Holds() bool {
	if !m.set {
		return false
	}
	now, known := generation()
	return known && now == m.at
}

// Over makes a change of one transaction that the mark outlives, unless it did not hold before or others have changed
// something meanwhile.
func (m *Mark) Over(change func() error) error {
	held := m.Holds()
	if err := change(); err != nil {
		m.Drop()
		return err
	}
	if !held {
		return nil
	}
	now, known := generation()
	m.set = known && (now == m.at || now == m.at+1)
	m.at = now
	return nil
}

// generation is the kernel's count of transactions.
func generation() (count uint32, known bool) {
	const header = 4 // of a message of netfilter, before its attributes
	request := nl.NewNetlinkRequest(unix.NFNL_SUBSYS_NFTABLES<<8|unix.NFT_MSG_GETGEN, 0)
	request.AddData(&nl.Nfgenmsg{NfgenFamily: unix.AF_UNSPEC})
	answers, err := request.Execute(unix.NETLINK_NETFILTER, 0)
	if err != nil || len(answers) != 1 || len(answers[0]) < header {
		return 0, false
	}
	attributes, err := nl.ParseRouteAttr(answers[0][header:])
	if err != nil {
		return 0, false
	}
	for _, a := range attributes {
		if a.Attr.Type == unix.NFTA_GEN_ID && len(a.Value) == 4 {
			return binary.BigEndian.Uint32(a.Value), true
		}
	}
	return 0, false
}
