//go:build linux

package nft

import (
	"errors"
	"slices"

	"github.com/google/nftables"
	"github.com/google/nftables/binaryutil"
	"golang.org/x/sys/unix"
)

// Set describes a set of the packet filter: rules are fixed, what they hold for are elements of sets, which change
// without touching the rules.
type Set[T any] struct {
	Family nftables.TableFamily
	ID     uint32 // unique in its table, within a transaction; given here, as the library's counter is not safe for several users
	Name   string
	Key    nftables.SetDatatype
	Concat bool // Key is made of several values
	KeyOf  func(T) []byte
	// ValueOf makes the set a map.
	ValueOf func(T) []byte
	Value   nftables.SetDatatype
}

// In gives the set of a table.
func (p Set[T]) In(table string) *nftables.Set {
	t := &nftables.Table{Family: p.Family, Name: table}
	s := &nftables.Set{
		Table: t, ID: p.ID, Name: p.Name, KeyType: p.Key, Concatenation: p.Concat,
		IsMap: p.ValueOf != nil, DataType: p.Value,
	}
	if p.Key.Name == nftables.TypeIFName.Name { // so that the tool nft can print it
		s.KeyByteOrder = binaryutil.NativeEndian
	}
	return s
}

// Make adds the set and its elements to the transaction.
func (p Set[T]) Make(conn *nftables.Conn, table string, of []T) (*nftables.Set, error) {
	s := p.In(table)
	if err := conn.AddSet(s, nil); err != nil {
		return nil, err
	}
	return s, inChunks(p.elements(of...), s, conn.SetAddElements)
}

func (p Set[T]) elements(of ...T) []nftables.SetElement {
	elements := make([]nftables.SetElement, len(of))
	for i, v := range of {
		elements[i] = nftables.SetElement{Key: p.KeyOf(v)}
		if p.ValueOf != nil {
			elements[i].Val = p.ValueOf(v)
		}
	}
	return elements
}

// Include adds one element to the set that is there; ENOENT: there is none.
func (p Set[T]) Include(table string, v T) error {
	conn, err := nftables.New()
	if err != nil {
		return err
	}
	if err := conn.SetAddElements(p.In(table), p.elements(v)); err != nil {
		return err
	}
	return conn.Flush()
}

// Exclude takes one element out of the set; one that is not in it is no error.
func (p Set[T]) Exclude(table string, v T) error {
	conn, err := nftables.New()
	if err != nil {
		return err
	}
	if err := conn.SetDeleteElements(p.In(table), p.elements(v)); err != nil {
		return err
	}
	if err := conn.Flush(); err != nil && !errors.Is(err, unix.ENOENT) {
		return err
	}
	return nil
}

// Update adds to the transaction what makes the elements of want be in the set that is there, and those that spent
// selects by their key not, unless they are wanted. The others stay. It says whether that changes anything.
func (p Set[T]) Update(conn *nftables.Conn, table string, want []T, spent func(key []byte) bool) (changes bool, err error) {
	s := p.In(table)
	there, err := conn.GetSetElements(s)
	if err != nil {
		return false, err
	}
	wanted := p.elements(want...)
	var gone, missing []nftables.SetElement
	for _, e := range there {
		other := find(wanted, e.Key)
		if other == nil && spent(e.Key) || other != nil && !slices.Equal(other.Val, e.Val) {
			gone = append(gone, nftables.SetElement{Key: e.Key, Val: e.Val})
		}
	}
	for _, e := range wanted {
		if other := find(there, e.Key); other == nil || !slices.Equal(other.Val, e.Val) {
			missing = append(missing, e)
		}
	}
	err = errors.Join(inChunks(gone, s, conn.SetDeleteElements), inChunks(missing, s, conn.SetAddElements))
	return len(gone)+len(missing) > 0, err
}

// inChunks sends what a message of netlink has room for, about a thousand elements.
func inChunks(all []nftables.SetElement, s *nftables.Set, send func(*nftables.Set, []nftables.SetElement) error) error {
	for chunk := range slices.Chunk(all, 500) {
		if err := send(s, chunk); err != nil {
			return err
		}
	}
	return nil
}

func find(elements []nftables.SetElement, key []byte) *nftables.SetElement {
	i := slices.IndexFunc(elements, func(e nftables.SetElement) bool { return slices.Equal(e.Key, key) })
	if i < 0 {
		return nil
	}
	return &elements[i]
}

// Name is an interface name as part of a key.
func Name(n string) []byte {
	b := make([]byte, unix.IFNAMSIZ)
	copy(b, n)
	return b
}
