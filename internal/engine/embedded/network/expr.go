//go:build linux

package network

import (
	"net/netip"

	"github.com/google/nftables"
	"github.com/google/nftables/binaryutil"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"
)

// Registers of 4 bytes each, in a row: what is loaded side by side is looked up as one key.
const (
	reg   = unix.NFT_REG32_00
	reg16 = reg + 4 // behind an interface name
	reg24 = reg + 6 // behind an interface name and a link address
)

// match is a part of a rule: expressions that go on only for what they describe.
type match = []expr.Any

func rule(parts ...match) match {
	var all match
	for _, p := range parts {
		all = append(all, p...)
	}
	return all
}

// nameStarts matches interfaces by the start of their name, or by all of it where that ends in a zero byte.
func nameStarts(key expr.MetaKey, prefix string) match {
	return compareName(expr.CmpOpEq, key, prefix)
}

func nameStartsNot(key expr.MetaKey, prefix string) match {
	return compareName(expr.CmpOpNeq, key, prefix)
}

func compareName(op expr.CmpOp, key expr.MetaKey, prefix string) match {
	return match{
		&expr.Meta{Key: key, Register: reg},
		&expr.Cmp{Op: op, Register: reg, Data: []byte(prefix)},
	}
}

// whole makes nameStarts match the name and no longer one.
func whole(name string) string { return name + "\x00" }

func metaByte(key expr.MetaKey, value byte) match {
	return match{
		&expr.Meta{Key: key, Register: reg},
		&expr.Cmp{Op: expr.CmpOpEq, Register: reg, Data: []byte{value}},
	}
}

func etherType(proto uint16) match {
	return match{
		&expr.Meta{Key: expr.MetaKeyPROTOCOL, Register: reg},
		&expr.Cmp{Op: expr.CmpOpEq, Register: reg, Data: binaryutil.BigEndian.PutUint16(proto)},
	}
}

func ipv4() match { return metaByte(expr.MetaKeyNFPROTO, unix.NFPROTO_IPV4) }
func ipv6() match { return metaByte(expr.MetaKeyNFPROTO, unix.NFPROTO_IPV6) }

func payload(base expr.PayloadBase, offset uint32, value []byte) match {
	return match{
		&expr.Payload{DestRegister: reg, Base: base, Offset: offset, Len: uint32(len(value))},
		&expr.Cmp{Op: expr.CmpOpEq, Register: reg, Data: value},
	}
}

func port(l4 byte, number uint16) match {
	return rule(metaByte(expr.MetaKeyL4PROTO, l4),
		payload(expr.PayloadBaseTransportHeader, 2, binaryutil.BigEndian.PutUint16(number)))
}

// Where addresses are in the header of IPv4 and of ARP.
const (
	ipSource, ipDestination = 12, 16
	arpSenderIP             = 14
	etherSource             = 6
)

func load(base expr.PayloadBase, offset, length, register uint32) match {
	return match{&expr.Payload{DestRegister: register, Base: base, Offset: offset, Len: length}}
}

func loadIP(offset, register uint32) match {
	return load(expr.PayloadBaseNetworkHeader, offset, 4, register)
}

func loadName(key expr.MetaKey, register uint32) match {
	return match{&expr.Meta{Key: key, Register: register}}
}

func mask(register uint32, bits int) match {
	m := binaryutil.BigEndian.PutUint32(^uint32(0) << (32 - bits))
	return match{&expr.Bitwise{SourceRegister: register, DestRegister: register, Len: 4, Mask: m, Xor: make([]byte, 4)}}
}

func addressIn(offset uint32, net netip.Prefix) match {
	return rule(loadIP(offset, reg), mask(reg, net.Bits()),
		match{&expr.Cmp{Op: expr.CmpOpEq, Register: reg, Data: net.Masked().Addr().AsSlice()}})
}

func in(s *nftables.Set) match {
	return match{&expr.Lookup{SourceRegister: reg, SetName: s.Name, SetID: s.ID}}
}

func notIn(s *nftables.Set) match {
	return match{&expr.Lookup{SourceRegister: reg, SetName: s.Name, SetID: s.ID, Invert: true}}
}

// known matches packets of connections that are known: those a connection from the other side has opened.
func known() match {
	states := binaryutil.NativeEndian.PutUint32(expr.CtStateBitESTABLISHED | expr.CtStateBitRELATED)
	return match{
		&expr.Ct{Key: expr.CtKeySTATE, Register: reg},
		&expr.Bitwise{SourceRegister: reg, DestRegister: reg, Len: 4, Mask: states, Xor: make([]byte, 4)},
		&expr.Cmp{Op: expr.CmpOpNeq, Register: reg, Data: make([]byte, 4)},
	}
}

func accept() match { return match{&expr.Verdict{Kind: expr.VerdictAccept}} }
func drop() match   { return match{&expr.Verdict{Kind: expr.VerdictDrop}} }
