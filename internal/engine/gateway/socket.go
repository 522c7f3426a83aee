//go:build linux

package gateway

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"syscall"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// key names a socket for whoever hands it over. A socket is bound to its bridge, so the bridge's number is part of it.
func (p *place) key(parts ...string) string {
	return fmt.Sprintf("stage/%s/%d/%s", p.ID, p.index, strings.Join(parts, "/"))
}

// ownSockets hands nothing over.
type ownSockets struct{}

func (ownSockets) Listen(_ string, open func() (net.Listener, error)) (net.Listener, error) {
	return open()
}

func (ownSockets) ListenPacket(_ string, open func() (net.PacketConn, error)) (net.PacketConn, error) {
	return open()
}

// listenTCP listens on a port of the address, 0 for one that is free, for packets from the bridge alone, whatever the
// host's firewall says.
func listenTCP(bridge string, a netip.Addr, port uint16) (net.Listener, error) {
	return boundTo(bridge).Listen(context.Background(), "tcp4", netip.AddrPortFrom(a, port).String())
}

func listenUDP(bridge string, a netip.Addr, port uint16) (net.PacketConn, error) {
	return boundTo(bridge).ListenPacket(context.Background(), "udp4", netip.AddrPortFrom(a, port).String())
}

func boundTo(bridge string) *net.ListenConfig {
	return &net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) error {
		var err error
		err1 := c.Control(func(fd uintptr) { err = unix.BindToDevice(int(fd), bridge) })
		return errors.Join(err, err1)
	}}
}

// orAnyPort takes a free port where another program has the one that is liked best.
func orAnyPort[T any](listen func(string, netip.Addr, uint16) (T, error), bridge string, a netip.Addr, port uint16) (T, error) {
	l, err := listen(bridge, a, port)
	if errors.Is(err, unix.EADDRINUSE) {
		return listen(bridge, a, 0)
	}
	return l, err
}

// interfaceIndex gives the number of the interface, which no other one gets until the host restarts.
func interfaceIndex(name string) (int, error) {
	l, err := netlink.LinkByName(name)
	if err != nil {
		return 0, fmt.Errorf("find interface %s: %w", name, err)
	}
	return l.Attrs().Index, nil
}
