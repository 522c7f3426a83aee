package subnet

import "net/netip"

const (
	// FirstFront is the last byte of the first address of a network that private names may have; they may have all from
	// there to 254. Tasks get none of them.
	FirstFront = 192
	// MostTasks is how many addresses of a network tasks get.
	MostTasks = FirstFront - 2
)

// Front gives the first address of private names.
func Front(of netip.Prefix) netip.Addr {
	a := of.Masked().Addr().As4()
	a[3] = FirstFront
	return netip.AddrFrom4(a)
}

// NextAddress gives a free address for a task: the first one behind last, so that an address rests as long as possible before
// another task gets it. The gateway's is never given. Zero for last: none has been given yet.
func NextAddress(of netip.Prefix, gateway, last netip.Addr, used map[netip.Addr]bool) (a netip.Addr, free bool) {
	first, end := of.Masked().Addr().Next(), Front(of)
	a = last
	if !of.Contains(a) {
		a = gateway
	}
	for range FirstFront {
		if a = a.Next(); !a.Less(end) {
			a = first
		}
		if a != gateway && !used[a] {
			return a, true
		}
	}
	return netip.Addr{}, false
}
