//go:build linux

package docker

import (
	"context"
	"fmt"
	"time"

	containers "github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"
)

// strayInterval is how often strays are looked for.
const strayInterval = 5 * time.Second

// removeStrays removes, until Close, what Docker has made for somebody who did not live to know it: it goes on with a request
// whose sender was killed, or gave up, and may end it when the next server has long looked what there is. It starts with the
// first List, from when on this process knows each container that is somebody's.
func (r *Runtime) removeStrays() {
	for pause(r.ctx, strayInterval) {
		if err := r.removeStraysOnce(r.ctx); err != nil && r.ctx.Err() == nil {
			r.cfg.Logger.Warn("containers that nobody knows could not be removed; it is tried again", "error", err)
		}
	}
}

func (r *Runtime) removeStraysOnce(ctx context.Context) error {
	all, err := r.list(ctx)
	if err != nil {
		return err
	}
	for _, item := range all {
		id, ours := r.isTask(item.Names, item.Labels)
		if !ours || r.knows(id) {
			continue
		}
		if err := r.remove(ctx, id); err != nil {
			return err
		}
		r.cfg.Logger.Info("a container was removed that Docker made when nobody waited for it any more", "container", id)
	}
	return nil
}

// knows is asked behind what gave the container: one that is ours is known before Docker hears of it, and one that we have
// removed meanwhile is not there to be removed again.
func (r *Runtime) knows(id string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.containers[id] != nil
}

func (r *Runtime) list(ctx context.Context) ([]containers.Summary, error) {
	all, err := r.api.ContainerList(ctx, client.ContainerListOptions{All: true, Filters: r.ours()})
	if err != nil {
		return nil, fmt.Errorf("list containers: %w", err)
	}
	return all.Items, nil
}
