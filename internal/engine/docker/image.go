//go:build linux

package docker

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/api/pkg/authconfig"
	"github.com/moby/moby/api/types/registry"
	"github.com/moby/moby/client"

	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/engine/host"
)

// reference names an image as Docker does.
func (r *Runtime) reference(i engine.Image) string {
	return r.cfg.Registry + "/" + i.Repository + "@" + i.Digest
}

// Prepare pulls an image that Docker does not have. What it is made for is looked at before.
func (r *Runtime) Prepare(ctx context.Context, i engine.Image) error {
	_, err := r.api.ImageInspect(ctx, r.reference(i))
	if err == nil {
		return nil
	}
	if !errdefs.IsNotFound(err) {
		return fmt.Errorf("look for image %s: %w", r.reference(i), err)
	}
	if err := r.checkPlatform(ctx, i); err != nil {
		return err
	}
	if err := r.pull(ctx, i); err != nil {
		if unfit.MatchString(err.Error()) {
			return &host.ImageError{Reason: "the image cannot run on this machine: " + err.Error()}
		}
		return fmt.Errorf("pull image %s: %w", r.reference(i), diskFull(err))
	}
	return nil
}

// unfit finds what Docker says of images that it will never run. The platform was looked at before; this is the rest.
var unfit = regexp.MustCompile(`no matching manifest for|operating system .* cannot be used|unsupported media type|missing signature key`)

func (r *Runtime) pull(ctx context.Context, i engine.Image) error {
	user, password, err := r.cfg.Credentials(ctx)
	if err != nil {
		return fmt.Errorf("sign in to the registry: %w", err)
	}
	auth, err := authconfig.Encode(registry.AuthConfig{
		Username: user, Password: password, ServerAddress: r.cfg.Registry,
	})
	if err != nil {
		return err
	}
	progress, err := r.api.ImagePull(ctx, r.reference(i), client.ImagePullOptions{RegistryAuth: auth})
	if err != nil {
		return err
	}
	return errors.Join(progress.Wait(ctx), progress.Close())
}

// RemoveImages forgets the images below a repository prefix. One that a container uses stays.
func (r *Runtime) RemoveImages(ctx context.Context, repositoryPrefix string) error {
	all, err := r.api.ImageList(ctx, client.ImageListOptions{})
	if err != nil {
		return fmt.Errorf("list images: %w", err)
	}
	below := r.cfg.Registry + "/" + strings.TrimSuffix(repositoryPrefix, "/") + "/"
	var errs []error
	for _, image := range all.Items {
		for _, reference := range image.RepoDigests {
			if !strings.HasPrefix(reference, below) {
				continue
			}
			errs = append(errs, r.removeUnused(ctx, reference))
		}
	}
	return errors.Join(errs...)
}

// RemoveImage forgets one image, unless a container uses it.
func (r *Runtime) RemoveImage(ctx context.Context, i engine.Image) error {
	return r.removeUnused(ctx, r.reference(i))
}

func (r *Runtime) removeUnused(ctx context.Context, reference string) error {
	_, err := r.api.ImageRemove(ctx, reference, client.ImageRemoveOptions{PruneChildren: true})
	if err != nil && !errdefs.IsNotFound(err) && !errdefs.IsConflict(err) { // a conflict: it is used
		return fmt.Errorf("remove image %s: %w", reference, err)
	}
	return nil
}
