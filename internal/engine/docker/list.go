//go:build linux

package docker

import (
	"context"
	"fmt"
	"net/netip"
	"time"

	"github.com/containerd/errdefs"
	containers "github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"

	"github.com/setopsco/setops/internal/engine/host"
)

// List gives the containers of this installation, and goes on fetching what they write. From then on others are strays.
func (r *Runtime) List(ctx context.Context) ([]host.Found, error) {
	all, err := r.list(ctx)
	if err != nil {
		return nil, err
	}
	var found []host.Found
	for _, item := range all {
		id, ours := r.isTask(item.Names, item.Labels)
		if !ours {
			continue
		}
		one, err := r.inspect(ctx, id)
		if errdefs.IsNotFound(err) {
			continue // removed meanwhile
		}
		if err != nil {
			return nil, fmt.Errorf("list containers: %w", err)
		}
		found = append(found, r.find(id, one))
	}
	r.adopted.Do(func() { r.beside.Go(r.removeStrays) })
	return found, nil
}

// find takes note of a container that an earlier process may have made.
func (r *Runtime) find(id string, one containers.InspectResponse) host.Found {
	labels := one.Config.Labels
	started := timeOf(one.State.StartedAt)
	r.mu.Lock()
	defer r.mu.Unlock()
	c := r.known(id)
	if a, err := netip.ParseAddr(labels[labelAddress]); err == nil {
		c.address = a
	}
	if !started.IsZero() && c.log == nil {
		r.follow(id, c, one.Config)
	}
	return host.Found{
		ID: id, Labels: labels, IP: labels[labelAddress], Running: one.State.Running, StartedAt: started,
	}
}

func (r *Runtime) inspect(ctx context.Context, id string) (containers.InspectResponse, error) {
	return r.inspectNamed(ctx, r.name(id))
}

func (r *Runtime) inspectNamed(ctx context.Context, name string) (containers.InspectResponse, error) {
	found, err := r.api.ContainerInspect(ctx, name, client.ContainerInspectOptions{})
	if err != nil {
		return containers.InspectResponse{}, err
	}
	one := found.Container
	if one.State == nil || one.Config == nil {
		return one, fmt.Errorf("the answer of Docker does not say how the container %s is", one.Name)
	}
	return one, nil
}

// timeOf reads a time of Docker's; its year 1 is our zero.
func timeOf(text string) time.Time {
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil || t.Year() <= 1 {
		return time.Time{}
	}
	return t.UTC()
}
