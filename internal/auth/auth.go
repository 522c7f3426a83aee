// Package auth says who somebody is and what they may do: passwords and tokens (Sessions), and the role table of
// projects and stages (Access). Every other package asks it; none looks at roles itself.
package auth

import (
	"context"
	"log/slog"
	"runtime/debug"
	"strings"
	"time"

	"github.com/setopsco/setops/internal/setops"
)

// How long tokens live. The rule for service users: behaviour reference, "Values and limits".
const (
	ServiceTokenLife = 4 * time.Hour
	UserTokenLife    = 30 * 24 * time.Hour
)

// Store is what sessions need of the store.
type Store interface {
	Login(ctx context.Context, organization, email string) (u setops.User, passwordHash string, ok bool, err error)
	AddToken(ctx context.Context, hash string, u setops.User, now, expires time.Time) error
	Token(ctx context.Context, hash string) (u setops.User, expires time.Time, ok bool, err error)
	RemoveToken(ctx context.Context, hash string) error
}

// Sessions signs users in and recognises them.
type Sessions struct {
	store    Store
	now      func() time.Time
	log      *slog.Logger
	throttle *throttle
	hashing  chan struct{} // bounds how many password hashes are computed at once: each takes 19 MiB
}

// NewSessions makes it.
func NewSessions(store Store, now func() time.Time, log *slog.Logger) *Sessions {
	return &Sessions{
		store: store, now: now, log: log, throttle: newThrottle(now),
		hashing: make(chan struct{}, 2),
	}
}

// CheckPassword gives the user whose password it is; from is the address that asks. Errors: CredentialsInvalid, Overload
// (temporary) after too many wrong ones.
func (s *Sessions) CheckPassword(ctx context.Context, organization, email, password, from string) (setops.User, error) {
	email = strings.ToLower(strings.TrimSpace(email))
	key := strings.Join([]string{organization, email, from}, "\x00")
	if err := s.throttled(key); err != nil {
		return setops.User{}, err
	}
	u, hash, known, err := s.store.Login(ctx, organization, email)
	if err != nil {
		return setops.User{}, err
	}
	if !known {
		hash = nobody // so that the time tells nothing
	}
	right, err := s.try(ctx, key, hash, password)
	if err != nil {
		return setops.User{}, err
	}
	if !known || !right {
		s.log.Warn("sign-in refused", "organization", organization, "email", email)
		return setops.User{}, &setops.Error{
			Kind: setops.AuthenticationError, Code: setops.CredentialsInvalid,
			Message: "organization, e-mail address and password do not belong together",
		}
	}
	return u, nil
}

func (s *Sessions) throttled(key string) error {
	wait := s.throttle.wait(key)
	if wait == 0 {
		return nil
	}
	return &setops.Error{
		Kind: setops.AuthenticationError, Code: setops.Overload, Temporary: true,
		Message: "too many wrong passwords; try again in " + wait.Round(time.Second).String(),
	}
}

// try compares and counts. Whoever sends many guesses at the same time is asked to wait here, one by one, and not only
// at the door.
func (s *Sessions) try(ctx context.Context, key, hash, password string) (right bool, err error) {
	leave, err := s.turn(ctx)
	if err != nil {
		return false, err
	}
	defer leave()
	if err := s.throttled(key); err != nil {
		return false, err
	}
	if right, err = checkPassword(hash, password); err != nil {
		return false, err
	}
	if right && hash != nobody {
		s.throttle.succeeded(key)
	} else {
		s.throttle.failed(key)
	}
	return right, nil
}

// turn waits until a hash may be computed; leave lets the next one.
func (s *Sessions) turn(ctx context.Context) (leave func(), err error) {
	select {
	case s.hashing <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	return func() {
		// The 19 MiB of a hash would stay with the process for minutes, and idle servers should be small.
		debug.FreeOSMemory()
		<-s.hashing
	}, nil
}

// SignIn checks the password and makes a token. Errors: as CheckPassword.
func (s *Sessions) SignIn(ctx context.Context, organization, email, password, from string, life time.Duration) (u setops.User, token string, expires time.Time, err error) {
	if u, err = s.CheckPassword(ctx, organization, email, password, from); err != nil {
		return u, "", expires, err
	}
	token, hash := NewToken()
	now := s.now()
	expires = now.Add(life)
	return u, token, expires, s.store.AddToken(ctx, hash, u, now, expires)
}

// CheckToken gives the user whose token it is. Errors: SessionInvalid.
func (s *Sessions) CheckToken(ctx context.Context, token string) (setops.User, time.Time, error) {
	if token == "" {
		return setops.User{}, time.Time{}, sessionInvalid("you are not signed in")
	}
	u, expires, ok, err := s.store.Token(ctx, hashToken(token))
	switch {
	case err != nil:
		return setops.User{}, time.Time{}, err
	case !ok:
		return setops.User{}, time.Time{}, sessionInvalid("the token is not known here")
	case !s.now().Before(expires):
		return setops.User{}, time.Time{}, sessionInvalid("the token has expired at " + expires.Format(time.RFC3339))
	}
	return u, expires, nil
}

// SignOut makes a token worthless.
func (s *Sessions) SignOut(ctx context.Context, token string) error {
	return s.store.RemoveToken(ctx, hashToken(token))
}

func sessionInvalid(why string) error {
	return &setops.Error{
		Kind: setops.AuthenticationError, Code: setops.SessionInvalid, Message: why + "; sign in with `setops login`",
	}
}
