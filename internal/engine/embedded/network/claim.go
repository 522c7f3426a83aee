//go:build linux

package network

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"

	"github.com/setopsco/setops/internal/engine/subnet"
)

// claimTries bounds how often a stage gives way to programs that know nothing of our lock.
const claimTries = 10

var errCrowded = errors.New("whatever network is chosen, another program on this machine takes it at the same moment")

// claim gives the stage with its bridge, or what of it is missing: a subnet that nothing else on this machine uses. It says
// whether the bridge is a new one, and its number.
func (n *Network) claim(ctx context.Context, id string) (s *stage, index int, made bool, err error) {
	if s = n.stages[id]; s != nil && hasAddress(s.Bridge, s.Gateway) {
		index, made, err = n.build(ctx, s)
		return s, index, made, err
	}
	err = subnet.Exclusively(ctx, func() error {
		for range claimTries {
			if s, err = n.stageFor(id); err != nil {
				return err
			}
			if index, made, err = n.build(ctx, s); err != nil {
				return err
			}
			if crowded, err := n.isCrowded(s); err != nil || !crowded {
				return err
			}
			if err := n.withdraw(s); err != nil {
				return err
			}
		}
		return errCrowded
	})
	return s, index, made, err
}

// build makes the bridge with its rules, which come first: there is no moment in which the bridge is up without them.
func (n *Network) build(ctx context.Context, s *stage) (index int, made bool, err error) {
	if err := n.ensureRules(s); err != nil {
		return 0, false, err
	}
	n.passFirewall(ctx)
	return ensureBridge(s)
}

// stageFor gives what is known of the stage, or decides its subnet: at first, and where the host has got a route to the old
// one while the stage had no bridge.
func (n *Network) stageFor(id string) (*stage, error) {
	old := n.stages[id]
	if old != nil {
		crowded, err := n.isCrowded(old)
		if err != nil || !crowded {
			return old, err
		}
		if err := n.withdraw(old); err != nil {
			return nil, err
		}
	}
	taken, err := n.taken(id)
	if err != nil {
		return nil, err
	}
	chosen, err := n.pools.Choose(taken)
	if err != nil {
		return nil, err
	}
	number := n.freeNumber()
	s := &stage{
		ID: id, Number: number, Bridge: fmt.Sprintf("%s%d", n.bridgePrefix(), number),
		Subnet: chosen, Gateway: chosen.Addr().Next(),
	}
	if err := save(n.stagePath(id), s, true); err != nil {
		return nil, fmt.Errorf("record network: %w", err)
	}
	n.stages[id] = s
	return s, nil
}

// isCrowded reports whether something else is where the stage is, and the stage can go: no container has an address there.
func (n *Network) isCrowded(s *stage) (bool, error) {
	if _, used := n.anyEndpoint(s.ID); used {
		return false, nil
	}
	taken, err := n.taken(s.ID)
	return slices.ContainsFunc(taken, s.Subnet.Overlaps), err
}

// taken lists the networks that the stage cannot have: those of other stages, and those that the host reaches elsewhere.
func (n *Network) taken(id string) ([]netip.Prefix, error) {
	bridge := ""
	if own := n.stages[id]; own != nil {
		bridge = own.Bridge
	}
	taken, err := subnet.Taken(bridge)
	if err != nil {
		return nil, err
	}
	for _, s := range n.stages {
		if s.ID != id {
			taken = append(taken, s.Subnet)
		}
	}
	return taken, nil
}

// withdraw takes away what was made for a subnet that is given up. Its record stays, until that of the next replaces it.
func (n *Network) withdraw(s *stage) error {
	if err := deleteLink(s.Bridge); err != nil {
		return err
	}
	delete(n.stages, s.ID)
	err := n.dropStage(s)
	n.stages[s.ID] = s
	return err
}

func (n *Network) freeNumber() int {
	used := map[int]bool{}
	for _, s := range n.stages {
		used[s.Number] = true
	}
	number := 1
	for used[number] {
		number++
	}
	return number
}
