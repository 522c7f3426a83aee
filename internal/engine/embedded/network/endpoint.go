//go:build linux

package network

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/setopsco/setops/internal/engine/subnet"
)

// Endpoint is a container's place on the network of its stage.
type Endpoint struct {
	ContainerID, StageID string

	NetNSPath   string // the network namespace to run the container in
	IP, Gateway string // Gateway is where names are served
}

// Attach gives the container a network namespace with an address on the stage's network, which EnsureStage made. Called
// again it gives the same.
func (n *Network) Attach(_ context.Context, stageID, containerID string) (Endpoint, error) {
	if containerID == "" || strings.ContainsAny(containerID, "/.\x00") {
		return Endpoint{}, fmt.Errorf("attach container: %q is no id of a container", containerID)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	e, err := n.attach(stageID, containerID)
	if err != nil {
		return Endpoint{}, fmt.Errorf("attach container %s: %w", containerID, err)
	}
	return n.public(e), nil
}

func (n *Network) attach(stageID, containerID string) (endpoint, error) {
	n.await(containerID)
	s := n.stages[stageID]
	if s == nil {
		return endpoint{}, fmt.Errorf("stage %s has no network", stageID)
	}
	if e, known := n.endpoints[containerID]; known {
		if e.StageID == stageID && n.alive(e) {
			return e, nil
		}
		if err := n.detach(containerID); err != nil {
			return endpoint{}, err
		}
	}
	e, err := n.register(s, containerID)
	if err != nil {
		return endpoint{}, err
	}
	err = n.unlocked(containerID, func() error { return n.plug(s, e) })
	if err == nil {
		err = n.allow(e)
	}
	if err != nil {
		return endpoint{}, errors.Join(err, n.detach(containerID))
	}
	return e, nil
}

// await waits until nobody works on the container.
func (n *Network) await(containerID string) {
	for n.busy[containerID] {
		n.changed.Wait()
	}
}

// unlocked lets others go on while f asks the kernel for things that take long; the container is busy meanwhile.
func (n *Network) unlocked(containerID string, f func() error) error {
	n.busy[containerID] = true
	n.mu.Unlock()
	err := f()
	n.mu.Lock()
	delete(n.busy, containerID)
	n.changed.Broadcast()
	return err
}

func (n *Network) alive(e endpoint) bool {
	return isNetNS(n.netnsPath(e.ContainerID)) && linkExists(e.Interface)
}

func (n *Network) public(e endpoint) Endpoint {
	return Endpoint{
		ContainerID: e.ContainerID, StageID: e.StageID, NetNSPath: n.netnsPath(e.ContainerID),
		IP: e.Address.String(), Gateway: n.stages[e.StageID].Gateway.String(),
	}
}

// register chooses the address and records it before anything is made, so that nothing is made that a later process does
// not know of.
func (n *Network) register(s *stage, containerID string) (endpoint, error) {
	address, free := subnet.NextAddress(s.Subnet, s.Gateway, n.cursor[s.ID], n.usedAddresses(s.ID))
	if !free {
		return endpoint{}, fmt.Errorf("no address of %s is free; a stage has at most %d running tasks", s.Subnet, subnet.MostTasks)
	}
	e := endpoint{
		ContainerID: containerID, StageID: s.ID, Address: address,
		Interface: fmt.Sprintf("%s%04x%02x", n.vethPrefix(), s.Number, address.As4()[3]),
	}
	if err := save(n.endpointPath(containerID), e, false); err != nil {
		return endpoint{}, fmt.Errorf("record address: %w", err)
	}
	n.endpoints[containerID] = e
	n.cursor[s.ID] = address
	return e, nil
}

func (n *Network) usedAddresses(stageID string) map[netip.Addr]bool {
	used := map[netip.Addr]bool{}
	for _, e := range n.endpoints {
		if e.StageID == stageID {
			used[e.Address] = true
		}
	}
	return used
}

// Detach removes the container's address, interfaces and namespace. An unknown container is no error.
func (n *Network) Detach(_ context.Context, containerID string) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if err := n.detach(containerID); err != nil {
		return fmt.Errorf("detach container %s: %w", containerID, err)
	}
	return nil
}

func (n *Network) detach(containerID string) error {
	n.await(containerID)
	e, there := n.endpoints[containerID]
	if !there {
		return nil
	}
	err := n.unlocked(containerID, func() error {
		return errors.Join(deleteLink(e.Interface), removeNetNS(n.netnsPath(containerID)))
	})
	if err != nil {
		return err
	}
	n.forbid(e)
	if err := removeFile(n.endpointPath(containerID)); err != nil {
		return err
	}
	delete(n.endpoints, containerID)
	return nil
}

// Endpoints lists the containers that have a place on a network, in no order that matters.
func (n *Network) Endpoints(context.Context) ([]Endpoint, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	list := make([]Endpoint, 0, len(n.endpoints))
	for _, e := range n.endpoints {
		list = append(list, n.public(e))
	}
	slices.SortFunc(list, func(a, b Endpoint) int { return strings.Compare(a.ContainerID, b.ContainerID) })
	return list, nil
}
