//go:build linux

package gateway

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/setopsco/setops/internal/engine"
)

// wantedDoor is a front and the address where it is to be answered.
type wantedDoor struct {
	engine.Front
	address netip.Addr
}

// same compares what a listener depends on.
func (w wantedDoor) same(o wantedDoor) bool {
	return w.Protocol == o.Protocol && w.Port == o.Port && w.address == o.address
}

// door is an open one.
type door struct {
	wantedDoor
	listener net.Listener
	serving  sync.WaitGroup
}

// openDoors listens where nobody does yet.
func (g *Gateways) openDoors(p *place, wanted map[string]wantedDoor) error {
	var errs []error
	for app, w := range wanted {
		if p.doors[app] != nil {
			continue
		}
		d, err := g.openDoor(p, w)
		if err != nil {
			errs = append(errs, fmt.Errorf("listen at %s: %w", w.address, err))
			continue
		}
		p.doors[app] = d
	}
	return errors.Join(errs...)
}

func (g *Gateways) openDoor(p *place, w wantedDoor) (*door, error) {
	// The port is part of the key: while one that is not wanted any more is closed, another is open already.
	key := p.key("front", fmt.Sprint(w.address.As4()[3]), fmt.Sprint(w.Port))
	l, err := g.cfg.Sockets.Listen(key, func() (net.Listener, error) { return listenTCP(p.Bridge, w.address, 0) })
	if err != nil {
		return nil, err
	}
	d, stageID := &door{wantedDoor: w, listener: l}, p.ID // p is guarded, and Serve goes on
	d.serving.Go(func() { g.cfg.Serve(stageID, w.Front, l) })
	return d, nil
}

// close returns when the server has.
func (d *door) close() error {
	err := d.listener.Close()
	d.serving.Wait()
	if errors.Is(err, net.ErrClosed) { // the server closed it
		return nil
	}
	return err
}

// opening is what tasks of a stage may reach on the host: they ask for one port and get another.
type opening struct {
	bridge     string
	address    netip.Addr
	protocol   byte
	asked, got uint16
}

func (p *place) openings() []opening {
	if p.index == 0 {
		return nil
	}
	var all []opening
	if p.names != nil {
		all = append(all,
			opening{p.Bridge, p.Address, unix.IPPROTO_UDP, namesPort, portOf(p.names.packets.LocalAddr())},
			opening{p.Bridge, p.Address, unix.IPPROTO_TCP, namesPort, portOf(p.names.listener.Addr())})
	}
	for _, d := range p.doors {
		all = append(all, opening{p.Bridge, d.address, unix.IPPROTO_TCP, uint16(d.Port), portOf(d.listener.Addr())})
	}
	return all
}

// translated leaves the openings whose port is another one than tasks ask for.
func translated(all []opening) []opening {
	return slices.DeleteFunc(slices.Clone(all), func(o opening) bool { return o.asked == o.got })
}

func portOf(a net.Addr) uint16 {
	at, err := netip.ParseAddrPort(a.String())
	if err != nil {
		return 0 // no socket of ours; no packet has that port
	}
	return at.Port()
}
