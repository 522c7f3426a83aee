//go:build linux

package docker

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/moby/moby/client"

	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/engine/host"
)

const maxConfigBytes = 8 << 20

// manifest is what matters here of a manifest or of an index of them.
type manifest struct {
	Manifests []struct {
		Platform *platform `json:"platform"`
	} `json:"manifests"`
	Config struct {
		Digest string `json:"digest"`
	} `json:"config"`
}

// platform is as in an index and in an image's configuration.
type platform struct {
	OS           string `json:"os"`
	Architecture string `json:"architecture"`
	Variant      string `json:"variant"`
}

func (p platform) String() string {
	if p.Variant != "" {
		return p.OS + "/" + p.Architecture + "/" + p.Variant
	}
	return p.OS + "/" + p.Architecture
}

// fits reports whether a machine can run what is made for p. What p does not say is taken at its word; of variants, Docker
// knows more.
func (p platform) fits(here platform) bool {
	return (p.OS == "" || p.OS == here.OS) && (p.Architecture == "" || p.Architecture == here.Architecture)
}

// checkPlatform refuses an image that is made for other machines, before it is pulled: Docker would take a single one
// without a word, and does not say what is in an index that has none that fits.
func (r *Runtime) checkPlatform(ctx context.Context, i engine.Image) error {
	if r.cfg.Images == nil {
		return nil
	}
	offered, err := r.offered(ctx, i)
	if err != nil {
		return err
	}
	version, err := r.api.ServerVersion(ctx, client.ServerVersionOptions{})
	if err != nil {
		return fmt.Errorf("ask Docker which machine this is: %w", err)
	}
	here := platform{OS: version.Os, Architecture: version.Arch}
	if slices.ContainsFunc(offered, func(p platform) bool { return p.fits(here) }) {
		return nil
	}
	return &host.ImageError{Reason: fmt.Sprintf(
		"the image is made for %s and this machine is %s; build it with `docker build --platform %s`", names(offered), here, here)}
}

func names(offered []platform) string {
	var all []string
	for _, p := range offered {
		all = append(all, p.String())
	}
	if len(all) == 0 {
		return "no platform at all"
	}
	slices.Sort(all)
	return strings.Join(slices.Compact(all), ", ")
}

// offered lists what the image is made for.
func (r *Runtime) offered(ctx context.Context, i engine.Image) ([]platform, error) {
	body, _, err := r.cfg.Images.Manifest(ctx, i.Repository, i.Digest)
	if err != nil {
		return nil, fmt.Errorf("fetch manifest %s of %s: %w", i.Digest, i.Repository, err)
	}
	var m manifest
	if err := json.Unmarshal(body, &m); err != nil {
		return nil, &host.ImageError{Reason: fmt.Sprintf("the image cannot run: its manifest is no valid JSON: %v", err)}
	}
	if m.Manifests == nil {
		p, err := r.configured(ctx, i, m.Config.Digest)
		return []platform{p}, err
	}
	var all []platform
	for _, one := range m.Manifests {
		switch {
		case one.Platform == nil:
			all = append(all, platform{}) // its configuration says
		case one.Platform.OS != "unknown": // attestations
			all = append(all, *one.Platform)
		}
	}
	return all, nil
}

func (r *Runtime) configured(ctx context.Context, i engine.Image, digest string) (platform, error) {
	var p platform
	blob, err := r.cfg.Images.Blob(ctx, i.Repository, digest)
	if err != nil {
		return p, fmt.Errorf("fetch configuration %s of %s: %w", digest, i.Repository, err)
	}
	defer blob.Close() //nolint:errcheck // it is only read
	body, err := io.ReadAll(io.LimitReader(blob, maxConfigBytes))
	if err != nil {
		return p, fmt.Errorf("fetch configuration %s of %s: %w", digest, i.Repository, err)
	}
	if err := json.Unmarshal(body, &p); err != nil {
		return p, &host.ImageError{Reason: fmt.Sprintf("the image cannot run: its configuration is no valid JSON: %v", err)}
	}
	return p, nil
}
