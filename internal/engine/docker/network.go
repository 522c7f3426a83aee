//go:build linux

package docker

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/api/types/network"
	"github.com/moby/moby/client"

	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/engine/gateway"
	"github.com/setopsco/setops/internal/engine/subnet"
	"github.com/setopsco/setops/internal/setops"
)

// Gateways is what the runtime needs of package gateway: the host's side of every stage's network.
type Gateways interface {
	Open(ctx context.Context, s gateway.Stage) error
	SetFronts(ctx context.Context, stageID string, fronts []engine.Front) error
	Shut(stageID string) error
}

const optionBridge = "com.docker.network.bridge.name"

// EnsureNetwork makes the stage's network where it is missing, and serves names on it.
func (r *Runtime) EnsureNetwork(ctx context.Context, s setops.StageRef) error {
	return r.patiently(ctx, func() error { return r.ensureNetwork(ctx, s.ID) })
}

func (r *Runtime) ensureNetwork(ctx context.Context, stageID string) error {
	r.networking.Lock()
	defer r.networking.Unlock()
	all, err := r.networks(ctx)
	if err != nil {
		return err
	}
	for _, n := range all {
		if n.Labels[labelStage] == stageID {
			return r.openGateway(ctx, n)
		}
	}
	n, err := r.makeNetwork(ctx, stageID, all)
	if err != nil {
		return err
	}
	return r.openGateway(ctx, n)
}

// networks lists ours, the oldest first: where a name was given twice, that one counts.
func (r *Runtime) networks(ctx context.Context) ([]network.Network, error) {
	found, err := r.api.NetworkList(ctx, client.NetworkListOptions{Filters: r.ours()})
	if err != nil {
		return nil, fmt.Errorf("list networks: %w", err)
	}
	var ours []network.Network
	for _, n := range found.Items {
		if n.Labels[labelInstance] == r.cfg.Instance && n.Name == r.name(n.Labels[labelStage]) {
			ours = append(ours, n.Network)
		}
	}
	slices.SortFunc(ours, func(a, b network.Network) int { return a.Created.Compare(b.Created) })
	return ours, nil
}

// openGateway serves names and private fronts on a network, and guards the host from it.
func (r *Runtime) openGateway(ctx context.Context, n network.Network) error {
	within, gatewayAddress, err := placeOf(n)
	if err != nil {
		return err
	}
	err = r.cfg.Gateways.Open(ctx, gateway.Stage{
		ID: n.Labels[labelStage], Bridge: n.Options[optionBridge], Subnet: within, Address: gatewayAddress,
	})
	if err != nil {
		return fmt.Errorf("open the gateway of network %s: %w", n.Name, err)
	}
	return nil
}

func placeOf(n network.Network) (within netip.Prefix, gateway netip.Addr, err error) {
	for _, c := range n.IPAM.Config {
		if c.Subnet.Addr().Is4() && c.Gateway.IsValid() {
			return c.Subnet, c.Gateway, nil
		}
	}
	return within, gateway, fmt.Errorf("the network %s has no IPv4 subnet", n.Name)
}

// makeNetwork makes the stage's network where nothing else is on this machine.
func (r *Runtime) makeNetwork(ctx context.Context, stageID string, all []network.Network) (made network.Network, err error) {
	bridge := r.freeBridge(all)
	err = subnet.Exclusively(ctx, func() error {
		made, err = r.tryNetworks(ctx, stageID, bridge)
		return err
	})
	return made, err
}

// tryNetworks tries subnets until one is ours alone. Docker refuses those of its networks that have no route yet, and
// programs that know nothing of our lock may have taken one meanwhile.
func (r *Runtime) tryNetworks(ctx context.Context, stageID, bridge string) (network.Network, error) {
	taken, err := subnet.Taken("")
	if err != nil {
		return network.Network{}, err
	}
	for candidate := range r.pools.Free(taken) {
		made, err := r.api.NetworkCreate(ctx, r.name(stageID), r.networkOptions(stageID, bridge, candidate))
		if err != nil && overlaps(err) {
			continue
		}
		if err != nil {
			return network.Network{}, diskFull(err)
		}
		taken, err := subnet.Taken(bridge)
		if err == nil && !slices.ContainsFunc(taken, candidate.Overlaps) {
			found, err := r.api.NetworkInspect(ctx, made.ID, client.NetworkInspectOptions{})
			return found.Network.Network, err
		}
		_, left := r.api.NetworkRemove(ctx, made.ID, client.NetworkRemoveOptions{})
		if err := errors.Join(err, left); err != nil {
			return network.Network{}, err
		}
	}
	return network.Network{}, subnet.ErrNoneFree
}

func overlaps(err error) bool {
	return strings.Contains(err.Error(), "overlaps with") || strings.Contains(err.Error(), "conflicts with network")
}

func (r *Runtime) networkOptions(stageID, bridge string, of netip.Prefix) client.NetworkCreateOptions {
	off := false
	return client.NetworkCreateOptions{
		Driver:     "bridge",
		EnableIPv6: &off,
		IPAM: &network.IPAM{Driver: "default", Config: []network.IPAMConfig{{
			Subnet: of, Gateway: of.Addr().Next(), AuxAddress: frontAddresses(of),
		}}},
		Options: map[string]string{
			optionBridge:                                     bridge,
			"com.docker.network.bridge.enable_icc":           "true", // tasks of a stage reach each other
			"com.docker.network.bridge.enable_ip_masquerade": "true", // and the world
		},
		Labels: r.labelled(nil, map[string]string{labelStage: stageID}),
	}
}

// frontAddresses are those that private fronts get; see package gateway. Docker shall give them to no container.
func frontAddresses(of netip.Prefix) map[string]netip.Addr {
	all := map[string]netip.Addr{}
	for a := subnet.Front(of); of.Contains(a.Next()); a = a.Next() {
		all[fmt.Sprintf("front-%d", a.As4()[3])] = a
	}
	return all
}

// freeBridge names a bridge as no other network of ours does: sd, the beginning of the instance, a number.
func (r *Runtime) freeBridge(all []network.Network) string {
	for number := 1; ; number++ {
		bridge := fmt.Sprintf("sd%s-%d", r.cfg.Instance[:6], number)
		if !slices.ContainsFunc(all, func(n network.Network) bool { return n.Options[optionBridge] == bridge }) {
			return bridge
		}
	}
}

// RemoveNetwork removes the stage's network. A container that is still on it is an error.
func (r *Runtime) RemoveNetwork(ctx context.Context, stageID string) error {
	r.networking.Lock()
	defer r.networking.Unlock()
	all, err := r.networks(ctx)
	if err != nil {
		return err
	}
	var errs []error
	for _, n := range all {
		if n.Labels[labelStage] != stageID {
			continue
		}
		if _, err := r.api.NetworkRemove(ctx, n.ID, client.NetworkRemoveOptions{}); err != nil && !errdefs.IsNotFound(err) {
			errs = append(errs, fmt.Errorf("remove network %s: %w", n.Name, err))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	if err := r.cfg.Gateways.Shut(stageID); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.cursors, stageID)
	return nil
}

// Networks lists the stages that have a network.
func (r *Runtime) Networks(ctx context.Context) ([]string, error) {
	all, err := r.networks(ctx)
	if err != nil {
		return nil, err
	}
	ids := make([]string, 0, len(all))
	for _, n := range all {
		ids = append(ids, n.Labels[labelStage])
	}
	slices.Sort(ids)
	return slices.Compact(ids), nil
}

// SetFronts makes exactly these private names resolve on the stage's network.
func (r *Runtime) SetFronts(ctx context.Context, stageID string, fronts []engine.Front) error {
	return r.cfg.Gateways.SetFronts(ctx, stageID, fronts)
}
