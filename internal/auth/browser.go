package auth

import (
	"context"
	"strings"
	"time"

	"github.com/setopsco/setops/internal/setops"
)

// ChangePassword gives somebody a new password, and ends their other sessions; API tokens stay. Errors: CredentialsInvalid
// where the present password is wrong, Overload after too many such, ValidationFailed. Who has none, because another says who they
// are, needs no present one, but to have signed in a moment ago: a browser that somebody left open is not enough.
func (s *Sessions) ChangePassword(ctx context.Context, by setops.Session, present, password, from string) error {
	if err := setops.InvalidInput(setops.ValidationFailed, setops.CheckPassword(password)); err != nil {
		return err
	}
	has, err := s.HasPassword(ctx, by.User)
	switch {
	case err != nil:
		return err
	case has:
		_, err = s.CheckPassword(ctx, by.User.Organization, by.User.Email, present, from)
	case s.now().Sub(by.CreatedAt) > firstPasswordWithin:
		err = &setops.Error{
			Kind: setops.AuthenticationError, Code: setops.SessionInvalid,
			Message: "you have signed in too long ago for that; sign out, sign in again, and set the password within ten minutes",
		}
	}
	if err != nil {
		return err
	}
	hash, err := s.newHash(ctx, password)
	if err != nil {
		return err
	}
	if err := s.store.SetPassword(ctx, by.User.ID, hash, by.ID); err != nil {
		return err
	}
	s.log.Info("password changed", "email", by.User.Email)
	s.audit.Did(ctx, by.User, changedPassword, from)
	return nil
}

// firstPasswordWithin is how long after signing in somebody who has no password can set one.
const firstPasswordWithin = 10 * time.Minute

// HasPassword tells who can sign in with a password from those whom another identifies and who have never set one.
func (s *Sessions) HasPassword(ctx context.Context, u setops.User) (bool, error) {
	_, hash, ok, err := s.store.PasswordOf(ctx, u.Email)
	return ok && hash != nobody, err
}

// SignInProven begins a browser's session for whom has just proved who they are in another way than by their password here.
func (s *Sessions) SignInProven(ctx context.Context, u setops.User, name string) (Grant, error) {
	return s.begin(ctx, u, setops.BrowserSession, name)
}

// SignInVerified begins a browser's session for whom another has verified that the e-mail address is theirs, and accepts
// what they are invited to. Who belongs to several organizations comes to preferred, else to the first by name. Nobody who
// is a stranger here gets in. Errors: CredentialsInvalid.
func (i *Invitations) SignInVerified(ctx context.Context, email, preferred, name string) (Grant, error) {
	email = strings.ToLower(strings.TrimSpace(email))
	if err := i.acceptAll(ctx, email); err != nil {
		return Grant{}, err
	}
	s := i.Sessions
	all, err := s.store.Memberships(ctx, email)
	if err != nil {
		return Grant{}, err
	}
	if len(all) == 0 {
		s.log.Warn("sign-in refused", "email", email, "reason", "not a user here")
		s.audit.Refused(ctx, preferred, email, name)
		return Grant{}, &setops.Error{
			Kind: setops.AuthenticationError, Code: setops.CredentialsInvalid,
			Message: email + " is no user here; ask an admin of your project for an invitation",
		}
	}
	u := all[0]
	for _, one := range all {
		if one.Organization == preferred {
			u = one
		}
	}
	return s.SignInProven(ctx, u, name)
}

// acceptAll accepts the invitations of an address that another has verified. A new account has no password then.
func (i *Invitations) acceptAll(ctx context.Context, email string) error {
	waiting, err := i.Store.InvitationsTo(ctx, email, i.Sessions.now())
	if err != nil {
		return err
	}
	for _, one := range waiting {
		u, hash, known, err := i.Store.PasswordOf(ctx, email)
		if err != nil {
			return err
		}
		if !known {
			u.ID, hash = i.NewID(), nobody
		}
		u, err = i.accept(ctx, i.Token(one.ID), u, hash)
		if err != nil && !setops.IsCode(err, setops.ValidationFailed) { // accepted meanwhile
			return err
		}
	}
	return nil
}
