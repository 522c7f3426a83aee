//go:build linux

package network

import (
	"errors"
	"slices"

	"github.com/google/nftables"
	"golang.org/x/sys/unix"
)

// setSpec describes a set of the packet filter: rules are fixed, stages and endpoints are elements of sets, which change
// without touching the rules.
type setSpec[T any] struct {
	family nftables.TableFamily
	id     uint32 // within a transaction; given by us, as the library's counter is not safe for several users
	name   string
	key    nftables.SetDatatype
	concat bool
	keyOf  func(T) []byte
}

var (
	nameAndAddress = nftables.MustConcatSetType(nftables.TypeIFName, nftables.TypeIPAddr)
	nameAndName    = nftables.MustConcatSetType(nftables.TypeIFName, nftables.TypeIFName)
	placeOnBridge  = nftables.MustConcatSetType(nftables.TypeIFName, nftables.TypeEtherAddr, nftables.TypeIPAddr)
)

var (
	gateways = setSpec[*stage]{nftables.TableFamilyINet, 1, "gateways", nameAndAddress, true, func(s *stage) []byte {
		return slices.Concat(name(s.Bridge), s.Gateway.AsSlice())
	}}
	subnets = setSpec[*stage]{nftables.TableFamilyINet, 2, "subnets", nameAndAddress, true, func(s *stage) []byte {
		return slices.Concat(name(s.Bridge), s.Subnet.Addr().AsSlice())
	}}
	within = setSpec[*stage]{nftables.TableFamilyINet, 3, "within", nameAndName, true, func(s *stage) []byte {
		return slices.Concat(name(s.Bridge), name(s.Bridge))
	}}
	sources = setSpec[*stage]{nftables.TableFamilyIPv4, 1, "sources", nftables.TypeIPAddr, false, func(s *stage) []byte {
		return s.Subnet.Addr().AsSlice()
	}}
	// The link address is padded to a multiple of 4 bytes, as keys are.
	places = setSpec[endpoint]{nftables.TableFamilyBridge, 1, "places", placeOnBridge, true, func(e endpoint) []byte {
		return slices.Concat(name(e.Interface), hardwareAddr(e.Address), []byte{0, 0}, e.Address.AsSlice())
	}}
)

func (p setSpec[T]) set(table string) *nftables.Set {
	t := &nftables.Table{Family: p.family, Name: table}
	return &nftables.Set{Table: t, ID: p.id, Name: p.name, KeyType: p.key, Concatenation: p.concat}
}

// make adds the set and its elements to the transaction.
func (p setSpec[T]) make(conn *nftables.Conn, table string, of []T) (*nftables.Set, error) {
	s := p.set(table)
	if err := conn.AddSet(s, nil); err != nil {
		return nil, err
	}
	// A message of netlink holds about a thousand elements.
	for chunk := range slices.Chunk(of, 500) {
		if err := conn.SetAddElements(s, p.elements(chunk...)); err != nil {
			return nil, err
		}
	}
	return s, nil
}

func (p setSpec[T]) elements(of ...T) []nftables.SetElement {
	elements := make([]nftables.SetElement, len(of))
	for i, v := range of {
		elements[i] = nftables.SetElement{Key: p.keyOf(v)}
	}
	return elements
}

// include adds one element to the set that is there; ENOENT: there is none.
func (p setSpec[T]) include(table string, v T) error {
	conn, err := nftables.New()
	if err != nil {
		return err
	}
	if err := conn.SetAddElements(p.set(table), p.elements(v)); err != nil {
		return err
	}
	return conn.Flush()
}

// exclude takes one element out of the set; one that is not in it is no error.
func (p setSpec[T]) exclude(table string, v T) error {
	conn, err := nftables.New()
	if err != nil {
		return err
	}
	if err := conn.SetDeleteElements(p.set(table), p.elements(v)); err != nil {
		return err
	}
	if err := conn.Flush(); err != nil && !errors.Is(err, unix.ENOENT) {
		return err
	}
	return nil
}

// name is an interface name as part of a key.
func name(n string) []byte {
	b := make([]byte, unix.IFNAMSIZ)
	copy(b, n)
	return b
}
