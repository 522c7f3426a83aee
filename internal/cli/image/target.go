package image

import (
	"net/http"
	"strings"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// Target is the repository of the app.
type Target struct {
	Host       string // of the registry: HOST or HOST:PORT
	Repository string // ORGANIZATION/PROJECT/STAGE/APP
	Clear      bool   // it is spoken to without encryption
	Token      string
	UserAgent  string
	Transport  http.RoundTripper
}

// String is the repository as it stands in front of a tag.
func (t Target) String() string { return t.Host + "/" + t.Repository }

func (t Target) repository() (name.Repository, error) {
	var options []name.Option
	if t.Clear {
		options = append(options, name.Insecure)
	}
	registry, err := name.NewRegistry(t.Host, options...)
	if err != nil {
		return name.Repository{}, err
	}
	return registry.Repo(strings.Split(t.Repository, "/")...), nil
}

func (t Target) options() []remote.Option {
	return []remote.Option{
		remote.WithAuth(authn.FromConfig(authn.AuthConfig{RegistryToken: t.Token})),
		remote.WithTransport(t.Transport), remote.WithUserAgent(t.UserAgent),
	}
}
