package auth

import (
	"context"
	"strings"

	"github.com/setopsco/setops/internal/setops"
)

// ChangePassword gives somebody a new password, and ends their other sessions; API tokens stay. Errors: CredentialsInvalid
// where the present password is wrong, Overload after too many such, ValidationFailed.
func (s *Sessions) ChangePassword(ctx context.Context, by setops.Session, present, password, from string) error {
	if err := setops.InvalidInput(setops.ValidationFailed, setops.CheckPassword(password)); err != nil {
		return err
	}
	if _, err := s.CheckPassword(ctx, by.User.Organization, by.User.Email, present, from); err != nil {
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
