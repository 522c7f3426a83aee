//go:build linux

package network

import (
	"slices"

	"github.com/google/nftables"

	"github.com/setopsco/setops/internal/engine/nft"
)

var (
	nameAndAddress = nftables.MustConcatSetType(nftables.TypeIFName, nftables.TypeIPAddr)
	nameAndName    = nftables.MustConcatSetType(nftables.TypeIFName, nftables.TypeIFName)
	placeOnBridge  = nftables.MustConcatSetType(nftables.TypeIFName, nftables.TypeEtherAddr, nftables.TypeIPAddr)
)

var (
	subnets = stages(1, "subnets", nameAndAddress, func(s *stage) []byte {
		return slices.Concat(nft.Name(s.Bridge), s.Subnet.Addr().AsSlice())
	})
	within = stages(2, "within", nameAndName, func(s *stage) []byte {
		return slices.Concat(nft.Name(s.Bridge), nft.Name(s.Bridge))
	})
	sources = nft.Set[*stage]{
		Family: nftables.TableFamilyIPv4, ID: 1, Name: "sources", Key: nftables.TypeIPAddr,
		KeyOf: func(s *stage) []byte { return s.Subnet.Addr().AsSlice() },
	}
	// The link address is padded to a multiple of 4 bytes, as keys are.
	places = nft.Set[endpoint]{
		Family: nftables.TableFamilyBridge, ID: 1, Name: "places", Key: placeOnBridge, Concat: true,
		KeyOf: func(e endpoint) []byte {
			return slices.Concat(nft.Name(e.Interface), hardwareAddr(e.Address), []byte{0, 0}, e.Address.AsSlice())
		},
	}
)

func stages(id uint32, name string, key nftables.SetDatatype, keyOf func(*stage) []byte) nft.Set[*stage] {
	return nft.Set[*stage]{Family: nftables.TableFamilyINet, ID: id, Name: name, Key: key, Concat: true, KeyOf: keyOf}
}
