//go:build linux

package network

import (
	"fmt"
	"time"
	"unsafe"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

const (
	upTimeout = 2 * time.Second
	upPoll    = 200 * time.Microsecond
)

// awaitUp waits until the kernel lets packets through the interface, which it decides some time after both ends were
// brought up. A packet before that would be lost, and costs a second, as that is when ARP and TCP try again.
func awaitUp(get func(int) (netlink.Link, error), index int) error {
	for start := time.Now(); ; time.Sleep(upPoll) {
		l, err := get(index)
		if err != nil {
			return fmt.Errorf("find interface: %w", err)
		}
		if l.Attrs().OperState == netlink.OperUp {
			return nil
		}
		if time.Since(start) > upTimeout {
			return fmt.Errorf("interface %s does not come up in %s", l.Attrs().Name, upTimeout)
		}
	}
}

// decided is netlink.LinkByIndex after the kernel has taken note of whether the interface is up. For a bridge, kernels
// before 6.8 do that a second late, unless somebody asks in the way of ethtool.
func decided(index int) (netlink.Link, error) {
	l, err := netlink.LinkByIndex(index)
	if err != nil || l.Attrs().OperState == netlink.OperUp {
		return l, err
	}
	if err := askEthtool(l.Attrs().Name); err != nil {
		return nil, err
	}
	return netlink.LinkByIndex(index)
}

// askEthtool asks whether the interface is up. The answer is of no interest, the question is.
func askEthtool(name string) error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	question := struct{ command, answer uint32 }{command: unix.ETHTOOL_GLINK}
	request := struct {
		name [unix.IFNAMSIZ]byte
		data unsafe.Pointer
		_    [16]byte // the kernel's structure is a union
	}{data: unsafe.Pointer(&question)}
	copy(request.name[:unix.IFNAMSIZ-1], name)
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), unix.SIOCETHTOOL, uintptr(unsafe.Pointer(&request))); errno != 0 {
		return errno
	}
	return nil
}
