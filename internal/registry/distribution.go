package registry

import (
	"context"
	"encoding/hex"
	"fmt"

	"github.com/distribution/distribution/v3"
	"github.com/distribution/distribution/v3/configuration"
	"github.com/distribution/distribution/v3/registry/handlers"
	"github.com/distribution/distribution/v3/registry/storage"
	"github.com/distribution/distribution/v3/registry/storage/driver/filesystem"
)

// storageThreads bounds the file operations that run at once.
const storageThreads = 100

// newApp makes the distribution registry behind the gate. It has no access
// control of its own. NewApp reports a bad configuration by a panic, which is
// an error to our caller.
func newApp(ctx context.Context, dir string, uploadKey []byte) (app *handlers.App, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("configure distribution: %v", cause)
		}
	}()
	return handlers.NewApp(ctx, appConfiguration(dir, uploadKey)), nil
}

func appConfiguration(dir string, uploadKey []byte) *configuration.Configuration {
	config := &configuration.Configuration{
		Storage: configuration.Storage{
			"filesystem": {"rootdirectory": dir, "maxthreads": storageThreads},
			"delete":     {"enabled": true},
			"redirect":   {"disable": true},
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

// openStorage opens the same directory for the server's own questions. Neither
// side caches, so that both always see the same.
func openStorage(ctx context.Context, dir string) (distribution.Namespace, error) {
	driver := filesystem.New(filesystem.DriverParameters{RootDirectory: dir, MaxThreads: storageThreads})
	return storage.NewRegistry(context.WithoutCancel(ctx), driver)
}
