//go:build linux

package nft

import (
	"net/netip"

	"github.com/google/nftables"
	"github.com/google/nftables/binaryutil"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"
)

// Registers of 4 bytes each, in a row: what is loaded side by side is looked up as one key.
const (
	Reg   = unix.NFT_REG32_00
	Reg16 = Reg + 4 // behind an interface name
	Reg20 = Reg + 5 // behind an interface name and an address
	Reg24 = Reg + 6 // behind an interface name and a link address, or an address and a protocol
)

// Match is a part of a rule: expressions that go on only for what they describe.
type Match = []expr.Any

// Rule joins parts to one.
func Rule(parts ...Match) Match {
	var all Match
	for _, p := range parts {
		all = append(all, p...)
	}
	return all
}

// NameStarts matches interfaces by the start of their name, or by all of it where that ends in a zero byte; see Whole.
func NameStarts(key expr.MetaKey, prefix string) Match {
	return compareName(expr.CmpOpEq, key, prefix)
}

// NameStartsNot matches all others.
func NameStartsNot(key expr.MetaKey, prefix string) Match {
	return compareName(expr.CmpOpNeq, key, prefix)
}

func compareName(op expr.CmpOp, key expr.MetaKey, prefix string) Match {
	return Match{
		&expr.Meta{Key: key, Register: Reg},
		&expr.Cmp{Op: op, Register: Reg, Data: []byte(prefix)},
	}
}

// Whole makes NameStarts match the name and no longer one.
func Whole(name string) string { return name + "\x00" }

// MetaByte matches packets of which the kernel notes that value.
func MetaByte(key expr.MetaKey, value byte) Match {
	return Match{
		&expr.Meta{Key: key, Register: Reg},
		&expr.Cmp{Op: expr.CmpOpEq, Register: Reg, Data: []byte{value}},
	}
}

// EtherType matches frames by what they carry.
func EtherType(proto uint16) Match {
	return Match{
		&expr.Meta{Key: expr.MetaKeyPROTOCOL, Register: Reg},
		&expr.Cmp{Op: expr.CmpOpEq, Register: Reg, Data: binaryutil.BigEndian.PutUint16(proto)},
	}
}

// IPv4 and IPv6 match packets of a family, in tables that see both.
func IPv4() Match { return MetaByte(expr.MetaKeyNFPROTO, unix.NFPROTO_IPV4) }

// IPv6 is like IPv4.
func IPv6() Match { return MetaByte(expr.MetaKeyNFPROTO, unix.NFPROTO_IPV6) }

// Payload matches packets with that value in a header.
func Payload(base expr.PayloadBase, offset uint32, value []byte) Match {
	return Match{
		&expr.Payload{DestRegister: Reg, Base: base, Offset: offset, Len: uint32(len(value))},
		&expr.Cmp{Op: expr.CmpOpEq, Register: Reg, Data: value},
	}
}

// Where addresses and ports are in the headers of IPv4, ARP, Ethernet and of TCP and UDP.
const (
	IPSource, IPDestination = 12, 16
	ARPSenderIP             = 14
	EtherSource             = 6
	portDestination         = 2
)

// Load reads a part of a header into a register.
func Load(base expr.PayloadBase, offset, length, register uint32) Match {
	return Match{&expr.Payload{DestRegister: register, Base: base, Offset: offset, Len: length}}
}

// LoadIP reads an address.
func LoadIP(offset, register uint32) Match {
	return Load(expr.PayloadBaseNetworkHeader, offset, 4, register)
}

// LoadPort reads the port that a packet goes to.
func LoadPort(register uint32) Match {
	return Load(expr.PayloadBaseTransportHeader, portDestination, 2, register)
}

// LoadMeta reads what the kernel notes of a packet, as the name of its interface.
func LoadMeta(key expr.MetaKey, register uint32) Match {
	return Match{&expr.Meta{Key: key, Register: register}}
}

// Mask leaves the network of the address in a register.
func Mask(register uint32, bits int) Match {
	m := binaryutil.BigEndian.PutUint32(^uint32(0) << (32 - bits))
	return Match{&expr.Bitwise{SourceRegister: register, DestRegister: register, Len: 4, Mask: m, Xor: make([]byte, 4)}}
}

// AddressIn matches packets whose address lies in the network.
func AddressIn(offset uint32, net netip.Prefix) Match {
	return Rule(LoadIP(offset, Reg), Mask(Reg, net.Bits()),
		Match{&expr.Cmp{Op: expr.CmpOpEq, Register: Reg, Data: net.Masked().Addr().AsSlice()}})
}

// In matches what was loaded from Reg on where it is an element of the set.
func In(s *nftables.Set) Match {
	return Match{&expr.Lookup{SourceRegister: Reg, SetName: s.Name, SetID: s.ID}}
}

// NotIn matches what is no element.
func NotIn(s *nftables.Set) Match {
	return Match{&expr.Lookup{SourceRegister: Reg, SetName: s.Name, SetID: s.ID, Invert: true}}
}

// Known matches packets of connections that are known: those a connection from the other side has opened.
func Known() Match {
	states := binaryutil.NativeEndian.PutUint32(expr.CtStateBitESTABLISHED | expr.CtStateBitRELATED)
	return Match{
		&expr.Ct{Key: expr.CtKeySTATE, Register: Reg},
		&expr.Bitwise{SourceRegister: Reg, DestRegister: Reg, Len: 4, Mask: states, Xor: make([]byte, 4)},
		&expr.Cmp{Op: expr.CmpOpNeq, Register: Reg, Data: make([]byte, 4)},
	}
}

// ToPortOf sends packets to the port that the map has for what was loaded from Reg on; where it has none, the rule ends.
func ToPortOf(m *nftables.Set) Match {
	return Match{
		&expr.Lookup{SourceRegister: Reg, DestRegister: Reg, IsDestRegSet: true, SetName: m.Name, SetID: m.ID},
		&expr.NAT{Type: expr.NATTypeDestNAT, Family: unix.NFPROTO_IPV4, RegProtoMin: Reg},
	}
}

// Accept ends the table's say: the packet may pass.
func Accept() Match { return Match{&expr.Verdict{Kind: expr.VerdictAccept}} }

// Drop ends the packet.
func Drop() Match { return Match{&expr.Verdict{Kind: expr.VerdictDrop}} }
