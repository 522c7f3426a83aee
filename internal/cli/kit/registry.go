package kit

import (
	"context"
	"net/url"
	"strings"

	"github.com/setopsco/setops/internal/cli/config"
	"github.com/setopsco/setops/pkg/client"
)

// Registry is how the image registry of the server is reached as the user of the session.
type Registry struct {
	Host  string // as it stands in front of the name of an image: HOST or HOST:PORT
	User  string
	Token string // in a password's place
	Clear bool   // it is spoken to without encryption
}

// Registry gives the registry of the server in use.
func (k *Kit) Registry(ctx context.Context) (Registry, error) {
	c, err := k.Config()
	if err != nil {
		return Registry{}, err
	}
	return k.RegistryOf(ctx, c)
}

// RegistryOf gives the registry of the server that a configuration names, with a token that holds.
func (k *Kit) RegistryOf(ctx context.Context, c *config.Config) (Registry, error) {
	token, err := k.token(ctx, c)
	if err != nil {
		return Registry{}, err
	}
	return Registry{Host: RegistryHost(c.URL), User: first(c.Email, "token"), Token: token, Clear: strings.HasPrefix(client.Origin(c.URL), "http://")}, nil
}

// RegistryHost is the registry of the server at an address: it answers where the API does.
func RegistryHost(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	if strings.EqualFold(u.Scheme, "https") {
		return strings.TrimSuffix(u.Host, ":443")
	}
	return u.Host
}
