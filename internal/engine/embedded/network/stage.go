//go:build linux

package network

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strings"

	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/engine/gateway"
	"github.com/setopsco/setops/internal/engine/subnet"
	"github.com/setopsco/setops/internal/setops"
)

// EnsureStage makes the stage's network, or what of it is missing. The subnet stays what it was at the first call, unless
// the host has got a route to it since and no container is on it. Where nothing has changed since the last call, that is
// found out quickly: every start of a task asks.
func (n *Network) EnsureStage(ctx context.Context, ref setops.StageRef) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.isIntact(ref.ID) {
		return nil
	}
	// What we change ourselves makes the mark void, so that we look once more. Others may change things all the time.
	for range 3 {
		if !n.mark.Holds() {
			clear(n.intact)
			n.mark.Set()
		}
		if err := n.ensureStage(ctx, ref.ID); err != nil {
			return fmt.Errorf("make network of stage %s: %w", ref.Name, err)
		}
		if n.mark.Holds() {
			break
		}
	}
	return nil
}

// isIntact reports whether the network is still as ensureStage left it: the bridge is the same and up, nobody has
// touched the packet filter, and the host passes packets on.
func (n *Network) isIntact(id string) bool {
	index, known := n.intact[id]
	return known && isUp(n.stages[id].Bridge, index) && n.mark.Holds() && n.firewall.Trusted() && forwards()
}

func (n *Network) ensureStage(ctx context.Context, id string) error {
	delete(n.intact, id)
	if err := enableForwarding(); err != nil {
		return err
	}
	s, index, made, err := n.claim(ctx, id)
	if err != nil {
		return err
	}
	if err := n.openGateway(ctx, s); err != nil {
		return err
	}
	if made {
		if err := n.replug(s); err != nil {
			return err
		}
	}
	n.intact[id] = index
	return nil
}

// openGateway makes the host answer on the stage's bridge, for what it shall be asked.
func (n *Network) openGateway(ctx context.Context, s *stage) error {
	var taken []netip.Addr
	for _, e := range n.endpoints {
		if e.StageID == s.ID && e.Address.As4()[3] >= subnet.FirstFront {
			taken = append(taken, e.Address)
		}
	}
	slices.SortFunc(taken, netip.Addr.Compare)
	return n.gateways.Open(ctx, gateway.Stage{ID: s.ID, Bridge: s.Bridge, Subnet: s.Subnet, Address: s.Gateway, Taken: taken})
}

// SetFronts makes exactly these private names resolve on the stage's network, and listens for them; see engine.Fronts.
func (n *Network) SetFronts(ctx context.Context, stageID string, fronts []engine.Front) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.gateways.SetFronts(ctx, stageID, fronts)
}

// replug connects what was on a bridge that is gone to the new one.
func (n *Network) replug(s *stage) error {
	for _, e := range n.endpoints {
		if e.StageID != s.ID || n.busy[e.ContainerID] {
			continue
		}
		if err := connect(e.Interface, s.Bridge); err != nil {
			return err
		}
	}
	return nil
}

func (n *Network) anyEndpoint(stageID string) (endpoint, bool) {
	for _, e := range n.endpoints {
		if e.StageID == stageID {
			return e, true
		}
	}
	return endpoint{}, false
}

// RemoveStage removes the stage's network, with the place of every container that is still on it. An unknown stage is no
// error.
func (n *Network) RemoveStage(ctx context.Context, id string) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	s := n.stages[id]
	if s == nil {
		return n.gateways.Shut(id) // it may have been told names
	}
	if err := n.removeStage(ctx, s); err != nil {
		return fmt.Errorf("remove network of stage %s: %w", id, err)
	}
	return nil
}

func (n *Network) removeStage(ctx context.Context, s *stage) error {
	for {
		e, more := n.anyEndpoint(s.ID)
		if !more {
			break
		}
		if err := n.detach(e.ContainerID); err != nil {
			return err
		}
	}
	delete(n.intact, s.ID)
	if err := n.gateways.Shut(s.ID); err != nil {
		return err
	}
	if err := deleteLink(s.Bridge); err != nil {
		return err
	}
	delete(n.stages, s.ID)
	delete(n.cursor, s.ID)
	if err := n.dropStage(s); err != nil {
		n.stages[s.ID] = s
		return err
	}
	n.passFirewall(ctx)
	// The record goes last: a process that died on the way leaves it to the next one, which has to know what to remove.
	return removeFile(n.stagePath(s.ID))
}

// Stages lists the ids of stages that have a network: a bridge that is there.
func (n *Network) Stages(context.Context) ([]string, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	var ids []string
	for id, s := range n.stages {
		if linkExists(s.Bridge) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids, nil
}

const forwardingPath = "/proc/sys/net/ipv4/ip_forward"

// enableForwarding lets the host pass packets on, which every container needs for its way out.
func enableForwarding() error {
	if forwards() {
		return nil
	}
	if err := os.WriteFile(forwardingPath, []byte("1"), 0o644); err != nil {
		return fmt.Errorf("the host does not pass packets on and refuses to; set the sysctl net.ipv4.ip_forward to 1: %w", err)
	}
	return nil
}

func forwards() bool {
	b, err := os.ReadFile(forwardingPath)
	return err == nil && strings.TrimSpace(string(b)) == "1"
}
