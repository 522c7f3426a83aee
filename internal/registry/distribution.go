package registry

import (
	"context"
	"encoding/hex"
	"fmt"
	"sync"

	"github.com/distribution/distribution/v3"
	"github.com/distribution/distribution/v3/configuration"
	"github.com/distribution/distribution/v3/registry/handlers"
	"github.com/distribution/distribution/v3/registry/storage"
	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"
	"github.com/distribution/distribution/v3/registry/storage/driver/factory"
)

// given is the name under which distribution asks for the storage that we have opened.
const given = "given"

type givenFactory struct{}

func (givenFactory) Create(_ context.Context, parameters map[string]any) (storagedriver.StorageDriver, error) {
	return parameters["driver"].(storagedriver.StorageDriver), nil
}

// Distribution's table of storages has no lock.
var registerGiven = sync.OnceFunc(func() { factory.Register(given, givenFactory{}) })

// newApp makes the distribution registry behind the gate. It has no access
// control of its own. NewApp reports a bad configuration by a panic, which is
// an error to our caller.
func newApp(ctx context.Context, images storagedriver.StorageDriver, uploadKey []byte) (app *handlers.App, err error) {
	registerGiven()
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("configure distribution: %v", cause)
		}
	}()
	return handlers.NewApp(ctx, appConfiguration(images, uploadKey)), nil
}

func appConfiguration(images storagedriver.StorageDriver, uploadKey []byte) *configuration.Configuration {
	config := &configuration.Configuration{
		Storage: configuration.Storage{
			given:      {"driver": images},
			"delete":   {"enabled": true},
			"redirect": {"disable": true},
			// The purger of this package can be waited for, distribution's cannot.
			"maintenance": {"uploadpurging": map[any]any{"enabled": false}},
		},
	}
	// The state of an upload travels through the client, signed with this.
	config.HTTP.Secret = hex.EncodeToString(uploadKey)
	// Relative locations are right behind any proxy, and make distribution
	// indifferent to forwarding headers.
	config.HTTP.RelativeURLs = true
	// Foreign layers are recorded, never fetched: any address will do. With
	// none allowed distribution answers 500.
	config.Validation.Manifests.URLs.Allow = []string{"^https?://"}
	return config
}

// openContent opens the same storage for the server's own questions. Neither side caches, so that both always see the same.
func openContent(ctx context.Context, images storagedriver.StorageDriver) (distribution.Namespace, error) {
	return storage.NewRegistry(context.WithoutCancel(ctx), images)
}
