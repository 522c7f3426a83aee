package registry

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"net/http"
	"strings"
	"sync"
	"time"
)

// apiTokenPrefix is how API tokens begin; they are accepted as bearer tokens
// next to those of TokenHandler.
const apiTokenPrefix = "sops_"

var (
	// errNoCredentials says that a request brought none.
	errNoCredentials = errors.New("sign in first, for example with docker login")
	// errUnreadable says that it brought some that we do not understand.
	errUnreadable = errors.New("the Authorization header is not of a known form: sign in with docker login, or send Basic credentials")
)

// lacking tells a client that sent nothing from one that sent something else.
func lacking(req *http.Request) error {
	if req.Header.Get("Authorization") == "" {
		return errNoCredentials
	}
	return errUnreadable
}

// identify finds out who sent a request to /v2/.
func (r *Registry) identify(req *http.Request) (Identity, error) {
	if username, password, found := req.BasicAuth(); found {
		return r.checkPassword(req.Context(), username, password)
	}
	scheme, token, _ := strings.Cut(req.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return Identity{}, lacking(req)
	}
	token = strings.TrimSpace(token)
	if strings.HasPrefix(token, apiTokenPrefix) {
		return r.config.Authenticator.AuthenticateToken(req.Context(), token)
	}
	return r.tokens.verify(token)
}

// checkPassword remembers for a while who has proved their password, because
// clients that do not fetch a token send it with every request and checking a
// password is slow on purpose.
func (r *Registry) checkPassword(ctx context.Context, username, password string) (Identity, error) {
	if who, found := r.checked.get(username, password); found {
		return who, nil
	}
	who, err := r.config.Authenticator.Authenticate(ctx, username, password)
	if err != nil {
		return Identity{}, err
	}
	r.checked.put(username, password, who)
	return who, nil
}

const (
	cachedCredentials  = 1024
	credentialLifetime = 3 * time.Minute
)

// credentialCache knows credentials that were right a short while ago by a
// keyed hash of them. Wrong ones are never remembered: whoever throttles must
// see each attempt.
type credentialCache struct {
	key []byte
	now func() time.Time

	mu      sync.Mutex
	entries map[[sha256.Size]byte]checkedCredential
}

type checkedCredential struct {
	who     Identity
	expires time.Time
}

func newCredentialCache(key []byte, now func() time.Time) *credentialCache {
	return &credentialCache{key: key, now: now, entries: map[[sha256.Size]byte]checkedCredential{}}
}

func (c *credentialCache) get(username, password string) (Identity, bool) {
	hash := c.hash(username, password)
	c.mu.Lock()
	defer c.mu.Unlock()
	entry, found := c.entries[hash]
	if !found || !c.now().Before(entry.expires) {
		return Identity{}, false
	}
	return entry.who, true
}

func (c *credentialCache) put(username, password string, who Identity) {
	hash := c.hash(username, password)
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.entries) >= cachedCredentials {
		c.makeRoom()
	}
	c.entries[hash] = checkedCredential{who: who, expires: c.now().Add(credentialLifetime)}
}

// makeRoom drops what has expired, or else all: to check a password again is
// cheaper than to keep an order among the entries.
func (c *credentialCache) makeRoom() {
	now := c.now()
	for hash, entry := range c.entries {
		if !now.Before(entry.expires) {
			delete(c.entries, hash)
		}
	}
	if len(c.entries) >= cachedCredentials {
		clear(c.entries)
	}
}

// hash keeps user and password apart: hashing each by itself first means that
// no two pairs run together to the same bytes.
func (c *credentialCache) hash(username, password string) [sha256.Size]byte {
	user, secret := sha256.Sum256([]byte(username)), sha256.Sum256([]byte(password))
	mac := hmac.New(sha256.New, c.key)
	mac.Write(user[:])
	mac.Write(secret[:])
	return [sha256.Size]byte(mac.Sum(nil))
}
