//go:build linux

package network

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strings"

	"github.com/setopsco/setops/internal/setops"
)

// EnsureStage makes the stage's network, or what of it is missing. The subnet stays what it was at the first call, unless
// the host has got a route to it since and no container is on it.
func (n *Network) EnsureStage(ctx context.Context, ref setops.StageRef) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if err := n.ensureStage(ctx, ref.ID); err != nil {
		return fmt.Errorf("make network of stage %s: %w", ref.Name, err)
	}
	return nil
}

func (n *Network) ensureStage(ctx context.Context, id string) error {
	s, err := n.stageFor(id)
	if err != nil {
		return err
	}
	if err := enableForwarding(); err != nil {
		return err
	}
	// The rules come first: there is no moment in which the bridge is up without them.
	if err := n.ensureRules(s); err != nil {
		return err
	}
	n.passFirewall(ctx)
	made, err := ensureBridge(s)
	if err != nil {
		return err
	}
	if made {
		if err := n.replug(s); err != nil {
			return err
		}
	}
	return n.serveNames(s)
}

// replug connects what was on a bridge that is gone to the new one. The name server's sockets are bound to the old one.
func (n *Network) replug(s *stage) error {
	for _, e := range n.endpoints {
		if e.StageID != s.ID || n.busy[e.ContainerID] {
			continue
		}
		if err := connect(e.Interface, s.Bridge); err != nil {
			return err
		}
	}
	return n.stopNames(s.ID)
}

// stageFor gives what is known of the stage, or decides its subnet.
func (n *Network) stageFor(id string) (*stage, error) {
	old := n.stages[id]
	if old != nil && linkExists(old.Bridge) {
		return old, nil
	}
	taken, err := n.taken(id)
	if err != nil {
		return nil, err
	}
	if old != nil {
		_, used := n.anyEndpoint(id)
		if used || !slices.ContainsFunc(taken, old.Subnet.Overlaps) {
			return old, nil
		}
	}
	subnet, err := chooseSubnet(append([]netip.Prefix{n.cfg.Subnets}, otherPools...), n.cfg.Instance, taken)
	if err != nil {
		return nil, err
	}
	number := n.freeNumber()
	s := &stage{
		ID: id, Number: number, Bridge: fmt.Sprintf("%s%d", n.bridgePrefix(), number),
		Subnet: subnet, Gateway: subnet.Addr().Next(),
	}
	if err := save(n.stagePath(id), s, true); err != nil {
		return nil, fmt.Errorf("record network: %w", err)
	}
	n.stages[id] = s
	return s, nil
}

// taken lists the networks that the stage cannot have: those of other stages and those the host has a route to.
func (n *Network) taken(id string) ([]netip.Prefix, error) {
	taken, err := hostRoutes()
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

func (n *Network) anyEndpoint(stageID string) (endpoint, bool) {
	for _, e := range n.endpoints {
		if e.StageID == stageID {
			return e, true
		}
	}
	return endpoint{}, false
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

// RemoveStage removes the stage's network, with the place of every container that is still on it. An unknown stage is no
// error.
func (n *Network) RemoveStage(ctx context.Context, id string) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	s := n.stages[id]
	if s == nil {
		return nil
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
	if err := n.stopNames(s.ID); err != nil {
		return err
	}
	if err := deleteLink(s.Bridge); err != nil {
		return err
	}
	if err := removeFile(n.stagePath(s.ID)); err != nil {
		return err
	}
	delete(n.stages, s.ID)
	delete(n.cursor, s.ID)
	if err := n.dropStage(s); err != nil {
		return err
	}
	n.passFirewall(ctx)
	return nil
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
