package platform

import (
	"context"
	"fmt"
	"slices"

	"github.com/setopsco/setops/internal/engine"
)

// Program gives the words that a container runs on a machine: as with Docker, an entrypoint of its own drops the image's command too.
// Errors: *Unusable where there are none, or where the image is not made for that machine.
func Program(ctx context.Context, images engine.ImageSource, c engine.Container, here Platform) ([]string, error) {
	if len(c.Entrypoint) > 0 {
		return slices.Concat(c.Entrypoint, c.Command), nil
	}
	m, err := read(ctx, images, c.Image)
	if err != nil {
		return nil, err
	}
	if m.Manifests != nil {
		if m, err = fitting(ctx, images, c.Image, m, here); err != nil {
			return nil, err
		}
	}
	var own struct {
		Config struct{ Entrypoint, Cmd []string } `json:"config"`
	}
	if err := configuration(ctx, images, c.Image, m.Config.Digest, &own); err != nil {
		return nil, err
	}
	command := c.Command
	if len(command) == 0 {
		command = own.Config.Cmd
	}
	all := slices.Concat(own.Config.Entrypoint, command)
	if len(all) == 0 {
		return nil, &Unusable{Reason: "the image has neither an entrypoint nor a command: set one in the image, or the container's command"}
	}
	return all, nil
}

// fitting reads the part of an index that is made for a machine.
func fitting(ctx context.Context, images engine.ImageSource, i engine.Image, index manifest, here Platform) (manifest, error) {
	for _, one := range index.Manifests {
		if one.Platform == nil || one.Platform.Fits(here) {
			return read(ctx, images, engine.Image{Repository: i.Repository, Digest: one.Digest})
		}
	}
	return manifest{}, &Unusable{Reason: fmt.Sprintf("the image is not made for %s", here)}
}
