package subnet

import (
	"net/netip"
	"slices"
	"testing"
)

var (
	some        = netip.MustParsePrefix("10.213.7.0/24")
	someGateway = some.Addr().Next()
)

func TestTasksOfAnOlderVersionKeepAddressesThatAreNowForNames(t *testing.T) {
	if a, free := NextAddress(some, someGateway, netip.MustParseAddr("10.213.7.200"), nil); !free || a != netip.MustParseAddr("10.213.7.2") {
		t.Errorf("behind .200 comes %s %v", a, free)
	}
}

func TestAnAddressRestsBeforeItIsGivenAgain(t *testing.T) {
	used := map[netip.Addr]bool{}
	var last netip.Addr
	var given []netip.Addr
	for range MostTasks {
		a, free := NextAddress(some, someGateway, last, used)
		if !free || slices.Contains(given, a) {
			t.Fatalf("%s is given again (%v) while others have never been used", a, free)
		}
		given = append(given, a)
		last = a
	}
	for _, never := range []string{"10.213.7.0", "10.213.7.1", "10.213.7.192", "10.213.7.254", "10.213.7.255"} {
		if slices.Contains(given, netip.MustParseAddr(never)) {
			t.Errorf("%s is given to a task", never)
		}
	}
	for _, a := range given {
		used[a] = true
	}
	if a, free := NextAddress(some, someGateway, last, used); free {
		t.Errorf("%s is given, though all are in use", a)
	}
	delete(used, given[100])
	if a, free := NextAddress(some, someGateway, last, used); !free || a != given[100] {
		t.Errorf("got %s %v, want the only free address %s", a, free, given[100])
	}
}
