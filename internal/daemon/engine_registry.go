package daemon

import (
	"context"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/setopsco/setops/internal/registry"
)

// pullerName is who Docker signs in as to pull for us. No user has it: theirs are e-mail addresses.
const pullerName = "setopsd"

// pullerPorts let Docker and the nodes of a cluster pull every image with a password that servers with the same key alone know, and ask
// the others about everybody else.
type pullerPorts struct {
	registryPorts
	secret []byte
	now    func() time.Time
}

// pullerTerm is how long the puller has one password. Those of the terms before and behind it are taken, too: whoever has the one before
// is about to get this one, and another server's clock may be ahead.
const pullerTerm = 24 * time.Hour

func withPuller(p registryPorts, key []byte, now func() time.Time) (pullerPorts, error) {
	secret, err := hkdf.Key(sha256.New, key, nil, "setops puller", sha256.Size)
	if err != nil {
		return pullerPorts{}, fmt.Errorf("derive key of the registry's puller: %w", err)
	}
	return pullerPorts{registryPorts: p, secret: secret, now: now}, nil
}

// password is that of a term; 0 is the one that goes on.
func (p pullerPorts) password(term int64) string {
	mac := hmac.New(sha256.New, p.secret)
	fmt.Fprint(mac, p.now().Unix()/int64(pullerTerm.Seconds())+term)
	return hex.EncodeToString(mac.Sum(nil))
}

// credentials are those for Docker and for nodes.
func (p pullerPorts) credentials(context.Context) (user, password string, err error) {
	return pullerName, p.password(0), nil
}

// Authenticate lets the puller in by its password.
func (p pullerPorts) Authenticate(ctx context.Context, username, password string) (registry.Identity, error) {
	if username != pullerName {
		return p.registryPorts.Authenticate(ctx, username, password)
	}
	for _, term := range []int64{-1, 0, 1} {
		if hmac.Equal([]byte(password), []byte(p.password(term))) {
			return registry.Identity{User: pullerName}, nil
		}
	}
	return registry.Identity{}, registry.ErrCredentials
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
