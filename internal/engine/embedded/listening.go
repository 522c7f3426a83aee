//go:build linux

package embedded

import (
	"context"
	"fmt"
	"net/netip"

	"github.com/opencontainers/cgroups"

	"github.com/setopsco/setops/internal/engine/host"
)

var _ host.Listener = (*Runtime)(nil)

// Listening gives the TCP addresses that the container listens on, as seen from inside.
func (r *Runtime) Listening(_ context.Context, id string) ([]netip.AddrPort, error) {
	if err := errID(id); err != nil {
		return nil, err
	}
	// Every process of the container sees the same network; one that ends while it is looked at is no matter.
	for _, dir := range r.cgroupDirs(id) {
		pids, err := cgroups.GetAllPids(dir)
		if err != nil {
			continue
		}
		for _, pid := range pids {
			if found, err := host.ListeningOf(pid); err == nil {
				return found, nil
			}
		}
	}
	return nil, fmt.Errorf("look at what container %s listens on: no process of it runs", id)
}
