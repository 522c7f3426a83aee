//go:build linux

package docker

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/moby/moby/client"

	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/engine/host"
	"github.com/setopsco/setops/internal/engine/platform"
)

// checkPlatform refuses an image that is made for other machines, before it is pulled: Docker would take a single one
// without a word, and does not say what is in an index that has none that fits.
func (r *Runtime) checkPlatform(ctx context.Context, i engine.Image) error {
	if r.cfg.Images == nil {
		return nil
	}
	offered, err := platform.Offered(ctx, r.cfg.Images, i)
	var unusable *platform.Unusable
	if errors.As(err, &unusable) {
		return &host.ImageError{Reason: unusable.Reason}
	}
	if err != nil {
		return err
	}
	version, err := r.api.ServerVersion(ctx, client.ServerVersionOptions{})
	if err != nil {
		return fmt.Errorf("ask Docker which machine this is: %w", err)
	}
	here := platform.Platform{OS: version.Os, Architecture: version.Arch}
	if slices.ContainsFunc(offered, func(p platform.Platform) bool { return p.Fits(here) }) {
		return nil
	}
	return &host.ImageError{Reason: fmt.Sprintf(
		"the image is made for %s and this machine is %s; build it with `docker build --platform %s`", platform.Names(offered), here, here)}
}
