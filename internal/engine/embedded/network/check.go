//go:build linux

package network

import (
	"fmt"
	"net/netip"
	"os"
	"runtime"

	"github.com/google/nftables"
	"golang.org/x/sys/unix"

	"github.com/setopsco/setops/internal/engine/gateway"
)

// Check says, in sentences for people, what this machine lacks for networks of stages; nothing where all is there. It
// tries everything in a network namespace of its own, which is gone afterwards.
func Check() []string {
	done := make(chan []string, 1)
	go func() {
		// The thread stays in the new namespace; never unlocked, it ends with the goroutine, and all that was made with it.
		runtime.LockOSThread()
		done <- checkHere()
	}()
	return append(<-done, checkForwarding()...)
}

func checkHere() []string {
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		return []string{fmt.Sprintf("Networks for stages need root (CAP_SYS_ADMIN and CAP_NET_ADMIN): the kernel refuses a network namespace: %v.", err)}
	}
	subnet := netip.MustParsePrefix("10.213.0.0/24")
	s := &stage{ID: "check", Number: 1, Bridge: "so000000-1", Subnet: subnet, Gateway: subnet.Addr().Next()}
	n := &Network{cfg: Config{Instance: "00000000"}, stages: map[string]*stage{s.ID: s}}

	var missing []string
	say := func(what string, err error) {
		if err != nil {
			missing = append(missing, fmt.Sprintf("%s: %v.", what, err))
		}
	}
	_, _, err := ensureBridge(s)
	say("Networks for stages need bridges, which the kernel refuses", err)
	say("Networks for stages need pairs of virtual interfaces (veth), which the kernel refuses", checkVeth())
	say("Stages cannot be kept apart and get no network, as the kernel lacks nftables (family inet with sets and connection tracking)",
		n.replaceTable(nftables.TableFamilyINet, n.addFilter))
	say("Stages have no names and no private apps, as the kernel lacks nftables (address translation in family inet)", gateway.Check())
	say(noMasquerade, n.replaceTable(nftables.TableFamilyIPv4, n.addMasquerade))
	say(noGuard, n.replaceTable(nftables.TableFamilyBridge, n.addGuard))
	return missing
}

func checkForwarding() []string {
	f, err := os.OpenFile(forwardingPath, os.O_RDWR, 0)
	if err == nil {
		f.Close()
		return nil
	}
	if forwards() {
		return nil
	}
	return []string{fmt.Sprintf("The host passes no packets on, and stages get no network: set the sysctl net.ipv4.ip_forward to 1 (%v).", err)}
}
