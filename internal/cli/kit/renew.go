package kit

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/setopsco/setops/internal/cli/config"
	"github.com/setopsco/setops/pkg/api"
)

const (
	// renewBefore is how long before its end a token is renewed: it may be on its way for a while.
	renewBefore = time.Minute
	// renewLimit bounds a renewal, for which other processes wait.
	renewLimit = 30 * time.Second
)

// renewer gives the stored token, and renews it when its time is over. Processes of one user do so one after the other: a
// refresh token is good for one renewal, and what came of it is in the file.
type renewer struct {
	kit    *Kit
	mu     sync.Mutex
	stored *config.Config
}

// token gives the token of a configuration, renewed where need be: for those who sign in elsewhere with it.
func (k *Kit) token(ctx context.Context, c *config.Config) (string, error) {
	token, err := tokenFor(c)
	if err != nil || c.FromEnv {
		return token, err
	}
	return (&renewer{kit: k, stored: c}).token(ctx, "")
}

// token is for client.Options.Tokens.
func (r *renewer) token(ctx context.Context, refused string) (string, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	has := r.stored
	if has.Refresh == "" || refused == "" && isFresh(has) || refused != "" && refused != has.Token {
		return has.Token, nil
	}
	var unlocked *config.LockError
	err := config.Locked(ctx, has.StoredPath, func() error { return r.renew(ctx) })
	switch {
	case errors.As(err, &unlocked) && ctx.Err() == nil: // what could not be stored is not asked for: it would end the session
		return has.Token, nil
	case err != nil:
		return "", err
	}
	return r.stored.Token, nil
}

func isFresh(c *config.Config) bool { return time.Until(c.ExpiresAt) > renewBefore }

// renew is for those who hold the lock of the file. Another process may have been faster.
func (r *renewer) renew(ctx context.Context) error {
	now, err := config.Load(config.Source{Getenv: OnlyHome(r.kit.Getenv)})
	if err != nil {
		return err
	}
	switch {
	case now.Issuer != r.stored.Issuer, now.Token == "":
		return errSignedOut() // meanwhile, or in somewhere else
	case now.Token != r.stored.Token && isFresh(now):
		r.stored = now
		return nil
	}
	c, err := r.kit.ClientAt(r.stored.Issuer, "")
	if err != nil {
		return err
	}
	limited, cancel := context.WithTimeout(ctx, renewLimit)
	defer cancel()
	got, err := c.Renew(limited, now.Refresh)
	if err != nil {
		return sessionOver(err)
	}
	s := SessionOf(got)
	if err := config.Store(r.stored.StoredPath, tokenPairs(s)...); err != nil {
		return err
	}
	renewed := *r.stored
	renewed.Token, renewed.Refresh, renewed.ExpiresAt = s.Token, s.RefreshToken, s.ExpiresAt
	r.stored = &renewed
	return nil
}

// SessionOf is a session that was got by OAuth. Its times are those of this machine's clock, whatever the server's says.
func SessionOf(t api.OAuthToken) api.Session {
	now := time.Now()
	s := api.Session{
		Organization: t.Organization, Email: t.Email, Token: t.AccessToken, RefreshToken: t.RefreshToken,
		ExpiresAt: now.Add(time.Duration(t.ExpiresIn) * time.Second),
	}
	if t.SessionExpiresIn > 0 {
		s.RenewableUntil = now.Add(time.Duration(t.SessionExpiresIn) * time.Second)
	}
	return s
}

// sessionOver says what to do where the server does not renew the session any more.
func sessionOver(err error) error {
	var refused *api.OAuthError
	if !errors.As(err, &refused) || refused.Reason != api.OAuthInvalid {
		return err
	}
	return &Failure{Message: "Your session is over.", Next: "Run `setops login`.", Err: err}
}

// OnlyHome is an environment without anything but where the user's file is.
func OnlyHome(getenv func(string) string) func(string) string {
	return func(name string) string {
		if name == "HOME" || name == "USERPROFILE" {
			return getenv(name)
		}
		return ""
	}
}
