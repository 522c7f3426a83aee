//go:build linux

package gateway

import (
	"context"
	"errors"

	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/setops"
)

// place is one stage's gateway.
type place struct {
	Stage
	index  int  // of the bridge's interface, which the sockets are bound to; 0: it is not open
	whole  bool // all is as it should be, so far as we know
	set    bool // the fronts are those of this process; otherwise an earlier one had them, and they may go or stay
	fronts []engine.Front
	hosts  map[string]byte // of each tcp app that has a front: the last byte of its address
	onDisk string          // what remember has written

	names *nameServer
	doors map[string]*door // by app; that of all http apps is ""
}

// settle makes all of an open gateway what it should be. The order is such that no rule lets anybody through to where
// nobody of ours listens. Nothing is left of the bridge that is gone, "" for none.
func (g *Gateways) settle(ctx context.Context, p *place, gone string) error {
	p.whole = false
	errs := []error{g.serveNames(p)}
	var spent []*door
	if p.set {
		errs = append(errs, p.chooseAddresses(), g.remember(p), setAddresses(p))
		wanted := p.wantedDoors()
		spent = p.takeDoors(wanted)
		errs = append(errs, g.openDoors(p, wanted))
	}
	for _, e := range g.passFirewall(ctx, "") {
		g.warnOnce(noInput, e)
	}
	errs = append(errs, g.syncFilter(gone))
	for _, d := range spent {
		errs = append(errs, d.close())
	}
	if p.names != nil {
		p.names.tell(p.table(), p.set)
	}
	err := errors.Join(errs...)
	p.whole = err == nil
	return err
}

// wantedDoors are the listeners that the fronts need.
func (p *place) wantedDoors() map[string]wantedDoor {
	wanted := map[string]wantedDoor{}
	for _, f := range p.fronts {
		switch address, known := p.addressOf(f); {
		case f.Protocol == setops.HTTP:
			wanted[""] = wantedDoor{engine.Front{Protocol: setops.HTTP, Port: f.Port}, p.Address}
		case known:
			wanted[f.App] = wantedDoor{f, address}
		}
	}
	return wanted
}

// takeDoors takes away the doors that are not wanted as they are.
func (p *place) takeDoors(wanted map[string]wantedDoor) (spent []*door) {
	for app, d := range p.doors {
		if w, stays := wanted[app]; !stays || !w.same(d.wantedDoor) {
			spent = append(spent, d)
			delete(p.doors, app)
		}
	}
	return spent
}

// close ends all that answers.
func (p *place) close() error {
	var errs []error
	if p.names != nil {
		errs = append(errs, p.names.close())
	}
	for _, d := range p.doors {
		errs = append(errs, d.close())
	}
	clear(p.doors)
	p.names, p.index, p.whole = nil, 0, false
	return errors.Join(errs...)
}
