package image

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
)

// inRegistry is an image of a registry: another one, or another repository of ours.
type inRegistry struct {
	shown   string
	ref     name.Reference
	options []remote.Option
}

// ofRegistry finds an image by its name; ours is our registry, where that is meant.
func ofRegistry(argument string, t Target, ours name.Registry) (Found, error) {
	ref, err := name.ParseReference(argument)
	if err != nil {
		return Found{}, fmt.Errorf("%q is no name of an image", argument)
	}
	options := []remote.Option{remote.WithAuthFromKeychain(authn.DefaultKeychain), remote.WithUserAgent(t.UserAgent)}
	if ours.Name() == ref.Context().Registry.Name() {
		options = t.options()
		if t.Clear {
			ref, err = name.ParseReference(argument, name.Insecure)
		}
	}
	return Found{Source: inRegistry{argument, ref, options}}, err
}

func (r inRegistry) String() string { return r.shown }

func (r inRegistry) Open(ctx context.Context, want v1.Platform) (Opened, error) {
	found, err := remote.Get(r.ref, append(r.options, remote.WithContext(ctx))...)
	if err != nil {
		return Opened{}, r.explain(err)
	}
	var image v1.Image
	if found.MediaType.IsIndex() {
		var index v1.ImageIndex
		if index, err = found.ImageIndex(); err == nil {
			image, _, err = fromIndex(index, "", want)
		}
	} else if image, err = found.Image(); err == nil {
		image, err = fromImage(image, want)
	}
	if err != nil {
		return Opened{}, fmt.Errorf("%s cannot be deployed: %w", r.shown, err)
	}
	opened := Opened{Image: image}
	if tag, tagged := r.ref.(name.Tag); tagged {
		opened.Tag = tag.TagStr()
	}
	return opened, nil
}

// explain says what a registry that did not give the image wants.
func (r inRegistry) explain(err error) error {
	var refused *transport.Error
	host := r.ref.Context().RegistryStr()
	switch {
	case !errors.As(err, &refused):
		return fmt.Errorf("read %s: %w", r.shown, err)
	case refused.StatusCode == http.StatusUnauthorized, refused.StatusCode == http.StatusForbidden:
		return fmt.Errorf("%s does not give out %s: %s; `docker login %s` signs in there", host, r.shown, said(refused), host)
	case refused.StatusCode == http.StatusNotFound:
		return fmt.Errorf("%s has no image %s; one of the Docker of this machine is written %s%s", host, r.shown, dockerPrefix, r.shown)
	}
	return fmt.Errorf("read %s: %s", r.shown, said(refused))
}

// said is what a registry has answered, without the request.
func said(e *transport.Error) string {
	var all []string
	for _, d := range e.Errors {
		if d.Message != "" {
			all = append(all, d.Message)
		}
	}
	if len(all) == 0 {
		return strings.TrimSpace(fmt.Sprintf("%d %s", e.StatusCode, http.StatusText(e.StatusCode)))
	}
	return strings.Join(all, "; ")
}
