// Package platform reads for which machines an image is made, so that one that can run nowhere is refused before it is pulled: not
// every engine looks at that itself. Start with Offered.
package platform

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/setopsco/setops/internal/engine"
)

const maxConfigBytes = 8 << 20

// manifest is what matters here of a manifest or of an index of them.
type manifest struct {
	Manifests []struct {
		Platform *Platform `json:"platform"`
		Digest   string    `json:"digest"`
	} `json:"manifests"`
	Config struct {
		Digest string `json:"digest"`
	} `json:"config"`
}

// Platform is as in an index and in an image's configuration.
type Platform struct {
	OS           string `json:"os"`
	Architecture string `json:"architecture"`
	Variant      string `json:"variant"`
}

func (p Platform) String() string {
	if p.Variant != "" {
		return p.OS + "/" + p.Architecture + "/" + p.Variant
	}
	return p.OS + "/" + p.Architecture
}

// Fits reports whether a machine can run what is made for p. What p does not say is taken at its word; of variants, Docker
// knows more.
func (p Platform) Fits(here Platform) bool {
	return (p.OS == "" || p.OS == here.OS) && (p.Architecture == "" || p.Architecture == here.Architecture)
}

// Unusable is an image that runs nowhere.
type Unusable struct{ Reason string }

func (e *Unusable) Error() string { return e.Reason }

// Names lists platforms for a sentence.
func Names(offered []Platform) string {
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

// Offered lists what the image is made for. An image that runs nowhere is an *Unusable.
func Offered(ctx context.Context, images engine.ImageSource, i engine.Image) ([]Platform, error) {
	m, err := read(ctx, images, i)
	if err != nil {
		return nil, err
	}
	if m.Manifests == nil {
		p, err := configured(ctx, images, i, m.Config.Digest)
		return []Platform{p}, err
	}
	var all []Platform
	for _, one := range m.Manifests {
		switch {
		case one.Platform == nil:
			all = append(all, Platform{}) // its configuration says
		case one.Platform.OS != "unknown": // attestations
			all = append(all, *one.Platform)
		}
	}
	return all, nil
}

func read(ctx context.Context, images engine.ImageSource, i engine.Image) (m manifest, err error) {
	body, _, err := images.Manifest(ctx, i.Repository, i.Digest)
	if err != nil {
		return m, fmt.Errorf("fetch manifest %s of %s: %w", i.Digest, i.Repository, err)
	}
	if err := json.Unmarshal(body, &m); err != nil {
		return m, &Unusable{Reason: fmt.Sprintf("the image cannot run: its manifest is no valid JSON: %v", err)}
	}
	return m, nil
}

func configured(ctx context.Context, images engine.ImageSource, i engine.Image, digest string) (p Platform, err error) {
	return p, configuration(ctx, images, i, digest, &p)
}

// configuration reads what of an image's configuration is asked for.
func configuration(ctx context.Context, images engine.ImageSource, i engine.Image, digest string, to any) error {
	blob, err := images.Blob(ctx, i.Repository, digest)
	if err != nil {
		return fmt.Errorf("fetch configuration %s of %s: %w", digest, i.Repository, err)
	}
	defer blob.Close() //nolint:errcheck // it is only read
	body, err := io.ReadAll(io.LimitReader(blob, maxConfigBytes))
	if err != nil {
		return fmt.Errorf("fetch configuration %s of %s: %w", digest, i.Repository, err)
	}
	if err := json.Unmarshal(body, to); err != nil {
		return &Unusable{Reason: fmt.Sprintf("the image cannot run: its configuration is no valid JSON: %v", err)}
	}
	return nil
}
