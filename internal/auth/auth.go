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

// Store is what sessions need of the store.
type Store interface {
	Tries
	Login(ctx context.Context, organization, email string) (u setops.User, passwordHash string, ok bool, err error)
	PasswordOf(ctx context.Context, email string) (u setops.User, passwordHash string, ok bool, err error)
	SetPassword(ctx context.Context, userID, passwordHash, exceptSession string) error
	Memberships(ctx context.Context, email string) ([]setops.User, error)

	AddSession(ctx context.Context, session setops.Session, tokens ...setops.Token) error
	Token(ctx context.Context, hash string) (t setops.Token, ok bool, err error)
	Sessions(ctx context.Context, u setops.User) ([]setops.Session, error)
	UseSession(ctx context.Context, id string, now time.Time) error
	RemoveSession(ctx context.Context, userID, id string) (ok bool, err error)
	RenewSession(ctx context.Context, hash string, session setops.Session, now time.Time, grace time.Duration, tokens ...setops.Token) (setops.Renewal, error)

	AddDevice(ctx context.Context, d setops.Device, mostOfAddress, mostOfAll int) (ok bool, err error)
	DeviceOfCode(ctx context.Context, userCode string) (d setops.Device, ok bool, err error)
	DecideDevice(ctx context.Context, userCode string, u setops.User, allow bool, now time.Time) (ok bool, err error)
	PollDevice(ctx context.Context, hash string, now time.Time, longer time.Duration) (d setops.Device, ok, hasty bool, err error)
	RedeemDevice(ctx context.Context, hash string, session setops.Session, grace time.Duration, tokens ...setops.Token) error
}

// Audit hears of those who sign in and out, and of those who could not.
type Audit interface {
	SignedIn(ctx context.Context, u setops.User, how, from string)
	SignedOut(ctx context.Context, u setops.User)
	Refused(ctx context.Context, organization, email, from string)
	// Did is about what somebody does with their own account.
	Did(ctx context.Context, u setops.User, action, from string)
}

// What somebody does with their own account.
const (
	changedPassword    = "change password"
	allowedDevice      = "allow device"
	deniedDevice       = "deny device"
	acceptedInvitation = "accept invitation"
)

// unheard is an Audit that nobody listens to.
type unheard struct{}

func (unheard) SignedIn(context.Context, setops.User, string, string) {}
func (unheard) SignedOut(context.Context, setops.User)                {}
func (unheard) Refused(context.Context, string, string, string)       {}
func (unheard) Did(context.Context, setops.User, string, string)      {}

// Sessions signs users in and recognises them.
type Sessions struct {
	store    Store
	now      func() time.Time
	log      *slog.Logger
	throttle throttle
	audit    Audit
	hashing  chan struct{} // bounds how many password hashes are computed at once: each takes 19 MiB
}

// NewSessions makes it.
func NewSessions(store Store, now func() time.Time, log *slog.Logger) *Sessions {
	return &Sessions{
		store: store, now: now, log: log, throttle: throttle{store, now}, audit: unheard{},
		hashing: make(chan struct{}, 2),
	}
}

// Tell has somebody hear of sign-ins, before there is one.
func (s *Sessions) Tell(a Audit) { s.audit = a }

// CheckPassword gives the user whose password it is; from is the address that asks. Errors: CredentialsInvalid, Overload
// (temporary) after too many wrong ones.
func (s *Sessions) CheckPassword(ctx context.Context, organization, email, password, from string) (setops.User, error) {
	email = plainAddress(email)
	return s.check(ctx, credential{organization, email, password, from}, func() (setops.User, string, bool, error) {
		return s.store.Login(ctx, organization, email)
	})
}

// CheckAccount is CheckPassword for protocols that have no place for an organization. The user that it gives is in none yet.
func (s *Sessions) CheckAccount(ctx context.Context, email, password, from string) (setops.User, error) {
	email = plainAddress(email)
	return s.check(ctx, credential{"", email, password, from}, func() (setops.User, string, bool, error) {
		return s.store.PasswordOf(ctx, email)
	})
}

func plainAddress(email string) string { return strings.ToLower(strings.TrimSpace(email)) }

// credential is what somebody signs in with; without an organization it is the account that is meant.
type credential struct{ organization, email, password, from string }

func (s *Sessions) check(ctx context.Context, c credential, find func() (u setops.User, hash string, known bool, err error)) (setops.User, error) {
	key := strings.Join([]string{c.organization, c.email, c.from}, "\x00")
	if err := s.throttled(ctx, key); err != nil {
		return setops.User{}, err
	}
	u, hash, known, err := find()
	if err != nil {
		return setops.User{}, err
	}
	if !known {
		hash = nobody // so that the time tells nothing
	}
	right, err := s.try(ctx, key, hash, c.password)
	if err != nil {
		return setops.User{}, err
	}
	if !known || !right {
		s.log.Warn("sign-in refused", "organization", c.organization, "email", c.email)
		s.audit.Refused(ctx, c.organization, c.email, c.from)
		return setops.User{}, &setops.Error{
			Kind: setops.AuthenticationError, Code: setops.CredentialsInvalid,
			Message: "organization, e-mail address and password do not belong together",
		}
	}
	return u, nil
}

func (s *Sessions) throttled(ctx context.Context, key string) error {
	wait, err := s.throttle.wait(ctx, key)
	if wait == 0 || err != nil {
		return err
	}
	return overload("too many wrong tries; try again in " + max(wait.Round(time.Second), time.Second).String())
}

func overload(message string) error {
	return &setops.Error{Kind: setops.AuthenticationError, Code: setops.Overload, Temporary: true, Message: message}
}

// try compares and counts. Whoever sends many guesses at the same time is asked to wait here, one by one, and not only
// at the door.
func (s *Sessions) try(ctx context.Context, key, hash, password string) (right bool, err error) {
	leave, err := s.turn(ctx)
	if err != nil {
		return false, err
	}
	defer leave()
	if err := s.throttled(ctx, key); err != nil {
		return false, err
	}
	if right, err = checkPassword(hash, password); err != nil {
		return false, err
	}
	if right && hash != nobody {
		return right, s.throttle.succeeded(ctx, key)
	}
	return right, s.throttle.failed(ctx, key)
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
