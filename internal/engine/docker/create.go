//go:build linux

package docker

import (
	"context"
	"fmt"
	"net/netip"
	"slices"

	"github.com/containerd/errdefs"
	containers "github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/network"
	"github.com/moby/moby/client"

	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/engine/host"
	"github.com/setopsco/setops/internal/engine/subnet"
)

const (
	pidsLimit = 2048 // processes and threads of one container
	leastCPU  = 2    // shares; the kernel's

	// Docker keeps what a container writes until we have fetched it: enough for hours without setopsd, and never the disk.
	logFileSize  = "16m"
	logFileCount = "4"
)

// Create makes the container, with an address of ours: Docker would choose one at its start. An image without a program
// is a *host.StartError.
func (r *Runtime) Create(ctx context.Context, c host.Spec) (string, error) {
	if address, created := r.isCreated(c.ID); created {
		return address.String(), nil
	}
	own := slices.Concat(c.Container.Entrypoint, c.Container.Command)
	if err := host.CheckSize(own, c.Container.Env, host.RoomForArguments()); err != nil {
		return "", err
	}
	at, err := r.reserve(ctx, c)
	if err == nil {
		err = r.create(ctx, c, at)
	}
	if err != nil {
		r.forget(c.ID)
		return "", refused(fmt.Errorf("create container %s: %w", c.ID, err))
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.known(c.ID).created = true
	return at.address.String(), nil
}

// place is where a container is on the network of its stage.
type place struct {
	networkID        string
	gateway, address netip.Addr
}

func (r *Runtime) isCreated(id string) (netip.Addr, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	c := r.containers[id]
	if c == nil {
		return netip.Addr{}, false
	}
	return c.address, c.created
}

func (r *Runtime) networkOf(ctx context.Context, stageID string) (network.Network, error) {
	all, err := r.networks(ctx)
	if err != nil {
		return network.Network{}, err
	}
	for _, n := range all {
		if n.Labels[labelStage] == stageID {
			return n, nil
		}
	}
	return network.Network{}, fmt.Errorf("the stage %s has no network", stageID)
}

// reserve takes a free address of the stage's network for the container.
func (r *Runtime) reserve(ctx context.Context, s host.Spec) (place, error) {
	n, err := r.networkOf(ctx, s.Stage.ID)
	if err != nil {
		return place{}, err
	}
	within, gateway, err := placeOf(n)
	if err != nil {
		return place{}, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	used := map[netip.Addr]bool{}
	for _, c := range r.containers {
		used[c.address] = true
	}
	address, free := subnet.NextAddress(within, gateway, r.cursors[s.Stage.ID], used)
	if !free {
		return place{}, fmt.Errorf("no address of %s is free; a stage has at most %d running tasks", within, subnet.MostTasks)
	}
	r.known(s.ID).address = address
	r.cursors[s.Stage.ID] = address
	return place{networkID: n.ID, gateway: gateway, address: address}, nil
}

// create asks Docker. What has our name already is what an earlier attempt left, whose answer got lost.
func (r *Runtime) create(ctx context.Context, c host.Spec, at place) error {
	options := r.optionsFor(c, at)
	_, err := r.api.ContainerCreate(ctx, options)
	if errdefs.IsConflict(err) {
		if left := r.remove(ctx, c.ID); left != nil {
			return fmt.Errorf("%w; %w", err, left)
		}
		_, err = r.api.ContainerCreate(ctx, options)
	}
	return err
}

func (r *Runtime) optionsFor(c host.Spec, at place) client.ContainerCreateOptions {
	settings := &network.EndpointSettings{
		NetworkID: at.networkID, IPAMConfig: &network.EndpointIPAMConfig{IPv4Address: at.address},
	}
	console := c.Console != nil
	return client.ContainerCreateOptions{
		Name: r.name(c.ID),
		Config: &containers.Config{
			OpenStdin: console, StdinOnce: console, AttachStdin: console, AttachStdout: console, AttachStderr: console,
			Tty:         console && c.Console.Terminal,
			Hostname:    c.App + "-" + short(c.ID),
			Image:       r.reference(c.Container.Image),
			Entrypoint:  c.Container.Entrypoint,
			Cmd:         c.Container.Command, // Docker leaves the image's out where there is an entrypoint
			Env:         c.Container.Env,
			Healthcheck: &containers.HealthConfig{Test: []string{"NONE"}}, // checks are the supervisor's
			Labels: r.labelled(c.Labels, map[string]string{
				labelTask: c.ID, labelStage: c.Stage.ID, labelAddress: at.address.String(),
				labelLogDir: r.logLabel(c.LogDir), labelLogName: c.LogName,
			}),
		},
		HostConfig: hostConfigFor(c.Container, at),
		// By the id, as older versions of Docker take the key for a name or an id and names are not unique.
		NetworkingConfig: &network.NetworkingConfig{EndpointsConfig: map[string]*network.EndpointSettings{at.networkID: settings}},
	}
}

// hostConfigFor has limits and little else: capabilities, seccomp and masked paths are Docker's defaults.
func hostConfigFor(c engine.Container, at place) *containers.HostConfig {
	pids := int64(pidsLimit)
	config := &containers.HostConfig{
		NetworkMode:   containers.NetworkMode(at.networkID),
		DNS:           []netip.Addr{at.gateway},
		RestartPolicy: containers.RestartPolicy{Name: containers.RestartPolicyDisabled}, // replacing is the supervisor's
		SecurityOpt:   []string{"no-new-privileges"},
		LogConfig: containers.LogConfig{
			Type: "json-file", Config: map[string]string{"max-size": logFileSize, "max-file": logFileCount},
		},
		Resources: containers.Resources{PidsLimit: &pids},
	}
	if c.CPU > 0 {
		config.CPUShares = max(int64(c.CPU), leastCPU)
	}
	if c.Memory > 0 {
		config.Memory = int64(c.Memory) << 20
		config.MemorySwap = config.Memory // no swap besides
	}
	return config
}

// short is enough of an id for people.
func short(id string) string { return id[:min(len(id), 8)] }
