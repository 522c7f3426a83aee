package daemon

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/hex"

	"github.com/setopsco/setops/internal/registry"
)

// pullerName is who Docker signs in as to pull for us. No user has it: theirs are e-mail addresses.
const pullerName = "setopsd"

// pullerPorts let Docker pull every image with a password that this process alone knows, and asks the others about everybody
// else.
type pullerPorts struct {
	registryPorts
	password string
}

func withPuller(p registryPorts) pullerPorts {
	secret := make([]byte, 32)
	rand.Read(secret)
	return pullerPorts{registryPorts: p, password: hex.EncodeToString(secret)}
}

// credentials are those for Docker.
func (p pullerPorts) credentials(context.Context) (user, password string, err error) {
	return pullerName, p.password, nil
}

// Authenticate lets the puller in by its password.
func (p pullerPorts) Authenticate(ctx context.Context, username, password string) (registry.Identity, error) {
	if username != pullerName {
		return p.registryPorts.Authenticate(ctx, username, password)
	}
	if subtle.ConstantTimeCompare([]byte(password), []byte(p.password)) != 1 {
		return registry.Identity{}, registry.ErrCredentials
	}
	return registry.Identity{User: pullerName}, nil
}

// Authorize lets the puller pull, and nothing else.
func (p pullerPorts) Authorize(ctx context.Context, who registry.Identity, repository string, action registry.Action) error {
	if who != (registry.Identity{User: pullerName}) {
		return p.registryPorts.Authorize(ctx, who, repository, action)
	}
	if action != registry.Pull {
		return registry.Denied("the server pulls images and does nothing else with them")
	}
	return nil
}
