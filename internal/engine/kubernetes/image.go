package kubernetes

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	core "k8s.io/api/core/v1"
	kerrors "k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/engine/verdict"
	"github.com/setopsco/setops/internal/setops"
)

const mostConfigBytes = 8 << 20

// Prepare refuses an image that no node can run. Nodes pull it when they need it.
func (e *Engine) Prepare(ctx context.Context, i engine.Image) error {
	if e.cfg.Images == nil {
		return nil
	}
	offered, err := e.offered(ctx, i)
	if err != nil {
		return err
	}
	made, err := e.architectures(ctx)
	if err != nil || len(made) == 0 {
		return err
	}
	if slices.ContainsFunc(offered, func(p platform) bool {
		return (p.OS == "" || p.OS == "linux") && (p.Architecture == "" || made[p.Architecture])
	}) {
		return nil
	}
	var names []string
	for _, p := range offered {
		names = append(names, p.OS+"/"+p.Architecture)
	}
	return &engine.GateError{Check: verdict.CheckImage, Cause: setops.Printable(fmt.Sprintf(
		"the image is made for %s and the machines of the cluster are linux/%s", strings.Join(names, ", "),
		strings.Join(slices.Sorted(maps.Keys(made)), ", linux/")))}
}

// machinesFor gives the architectures that an image is made for. Where one of its parts does not say, none are given.
func (e *Engine) machinesFor(ctx context.Context, i engine.Image) ([]string, error) {
	if e.cfg.Images == nil {
		return nil, nil
	}
	offered, err := e.offered(ctx, i)
	if err != nil {
		return nil, err
	}
	var all []string
	for _, p := range offered {
		if p.Architecture == "" {
			return nil, nil
		}
		all = append(all, p.Architecture)
	}
	slices.Sort(all)
	return slices.Compact(all), nil
}

// architectures are those of the nodes, as they were when somebody asked first. Who may not see nodes is not told.
func (e *Engine) architectures(ctx context.Context) (map[string]bool, error) {
	e.mu.Lock()
	known := e.made
	e.mu.Unlock()
	if known != nil {
		return known, nil
	}
	const some = 500
	nodes, err := e.api.core.Nodes().List(ctx, meta.ListOptions{Limit: some})
	if kerrors.IsForbidden(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("find out which machines the cluster has: %w", err)
	}
	made := map[string]bool{}
	for _, n := range nodes.Items {
		if a := n.Labels[core.LabelArchStable]; a != "" {
			made[a] = true
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.made = made
	return made, nil
}

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
}

// offered lists what the image is made for.
func (e *Engine) offered(ctx context.Context, i engine.Image) ([]platform, error) {
	body, _, err := e.cfg.Images.Manifest(ctx, i.Repository, i.Digest)
	if err != nil {
		return nil, unfetched(fmt.Errorf("fetch manifest %s of %s: %w", i.Digest, i.Repository, err))
	}
	var m manifest
	if err := json.Unmarshal(body, &m); err != nil {
		return nil, unusable("manifest", err)
	}
	if m.Manifests == nil {
		p, err := e.configured(ctx, i, m.Config.Digest)
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

func (e *Engine) configured(ctx context.Context, i engine.Image, digest string) (p platform, err error) {
	blob, err := e.cfg.Images.Blob(ctx, i.Repository, digest)
	if err != nil {
		return p, unfetched(fmt.Errorf("fetch configuration %s of %s: %w", digest, i.Repository, err))
	}
	defer blob.Close() //nolint:errcheck // it is only read
	body, err := io.ReadAll(io.LimitReader(blob, mostConfigBytes))
	if err != nil {
		return p, unfetched(fmt.Errorf("fetch configuration %s of %s: %w", digest, i.Repository, err))
	}
	if err := json.Unmarshal(body, &p); err != nil {
		return p, unusable("configuration", err)
	}
	return p, nil
}

func unusable(what string, err error) error {
	return &engine.GateError{
		Check: verdict.CheckImage, Cause: setops.Printable(fmt.Sprintf("the image cannot run: its %s is no valid JSON: %v", what, err)),
	}
}

func unfetched(err error) error {
	return &engine.GateError{Check: verdict.CheckImage, Cause: setops.Printable(err.Error()), Fault: true, Temporary: true}
}
