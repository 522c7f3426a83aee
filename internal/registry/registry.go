package registry

import (
	"context"
	"crypto/hkdf"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/distribution/distribution/v3"
	"github.com/distribution/distribution/v3/registry/handlers"
)

const (
	// DefaultMaxLayerBytes is the limit of one layer where Config sets none:
	// 5 GiB, which hardly any image needs and most disks can take.
	DefaultMaxLayerBytes int64 = 5 << 30

	// DefaultTokenPath is where clients look for TokenHandler where Config
	// sets nothing else.
	DefaultTokenPath = "/registry/token"

	minSecretBytes = 32
)

// Config is what a Registry needs.
type Config struct {
	// Dir holds everything that is pushed. It is made when missing, readable
	// by its owner only.
	Dir string
	// S3 holds it instead, where it is set.
	S3 *S3
	// Mark tells the images of one installation from those of others; it is
	// written beside them, and a place with another mark is refused. Where
	// Marked says that this was done before, so is a place without one: the
	// images are elsewhere. Empty: any place will do.
	Mark   string
	Marked bool
	// Secret, at least 32 random bytes, is what the keys of tokens and of
	// resumable uploads are derived from. Keep it across restarts, or pushes
	// that are under way then start again.
	Secret []byte
	// Authenticator and Authorizer are asked on behalf of every request.
	Authenticator Authenticator
	Authorizer    Authorizer
	// TokenPath is the path under which TokenHandler is mounted on the host
	// that serves the registry. Default: DefaultTokenPath.
	TokenPath string
	// ExternalURL, such as https://setops.example.com, is how clients reach
	// that host when a proxy ends TLS in front of it. Default: the scheme and
	// Host of each request. Forwarding headers are not trusted.
	ExternalURL string
	// MaxLayerBytes limits one layer, compressed. Default: DefaultMaxLayerBytes.
	MaxLayerBytes int64
	// Logger gets one record per push and per fault. Default: none.
	Logger *slog.Logger
}

// Registry is an image registry; make one with New. Its methods may be called
// by many goroutines at once.
type Registry struct {
	config  Config
	images  store
	app     *handlers.App
	content distribution.Namespace
	tokens  tokenSigner
	checked *credentialCache
	pushes  *pushTracker
	purger  *purger
	log     *slog.Logger

	// sweep is held for writing while something is removed that is old, and for
	// reading while something is made young that is there: see renew.go.
	sweep      sync.RWMutex
	condemned  verdicts
	collecting sync.Mutex // held by the one Collect that runs
}

// New opens the registry in config.Dir or config.S3, and removes abandoned
// uploads from it until Close. It returns an error when the configuration is
// incomplete, or the directory or bucket cannot be used; of a bucket it says
// what to check. Errors: ErrElsewhere, ErrAnothers.
func New(ctx context.Context, config Config) (*Registry, error) {
	config, err := config.complete()
	if err != nil {
		return nil, err
	}
	keys, err := deriveKeys(config.Secret)
	if err != nil {
		return nil, err
	}
	r := &Registry{
		config:  config,
		tokens:  tokenSigner{key: keys.token, now: time.Now},
		checked: newCredentialCache(keys.cache, time.Now),
		pushes:  newPushTracker(),
		log:     config.Logger,
	}
	if err := r.open(ctx, keys.upload); err != nil {
		return nil, err
	}
	r.purger = startPurger(r.PurgeUploads, r.log)
	return r, nil
}

// Close stops the registry's own work. Requests must have ended before, as
// after http.Server.Shutdown.
func (r *Registry) Close() error {
	r.purger.stop()
	return r.app.Shutdown()
}

func (r *Registry) open(ctx context.Context, uploadKey []byte) error {
	redirectLogrus(r.log)
	var err error
	if r.images, err = openStore(ctx, r.config); err != nil {
		return err
	}
	if err = r.claim(ctx); err != nil {
		return err
	}
	if r.content, err = openContent(ctx, r.images); err != nil {
		return err
	}
	// The context of New must not end the registry: requests bring their own.
	r.app, err = newApp(context.WithoutCancel(ctx), r.images, uploadKey)
	return err
}

func (c Config) complete() (Config, error) {
	switch {
	case (c.Dir == "") == (c.S3 == nil):
		return c, errors.New("registry: a directory or a bucket must be configured, and not both")
	case c.S3 != nil && c.S3.Bucket == "":
		return c, errors.New("registry: the bucket has no name")
	case len(c.Secret) < minSecretBytes:
		return c, fmt.Errorf("registry: the secret has %d bytes, at least %d are needed", len(c.Secret), minSecretBytes)
	case c.Authenticator == nil || c.Authorizer == nil:
		return c, errors.New("registry: authenticator and authorizer are needed")
	case c.MaxLayerBytes < 0:
		return c, errors.New("registry: the limit of a layer is negative")
	}
	if c.MaxLayerBytes == 0 {
		c.MaxLayerBytes = DefaultMaxLayerBytes
	}
	if c.TokenPath == "" {
		c.TokenPath = DefaultTokenPath
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return c, nil
}

// keys are derived from one secret so that none of them can stand in for
// another.
type keys struct{ token, upload, cache []byte }

func deriveKeys(secret []byte) (keys, error) {
	var k keys
	for purpose, key := range map[string]*[]byte{
		"setops registry token":       &k.token,
		"setops registry upload":      &k.upload,
		"setops registry credentials": &k.cache,
	} {
		derived, err := hkdf.Key(sha256.New, secret, nil, purpose, sha256.Size)
		if err != nil {
			return keys{}, fmt.Errorf("derive key of %s: %w", purpose, err)
		}
		*key = derived
	}
	return k, nil
}

var _ http.Handler = (*Registry)(nil)
