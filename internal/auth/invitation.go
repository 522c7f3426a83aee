package auth

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"time"

	"github.com/setopsco/setops/internal/setops"
)

// InvitationLife is how long an invitation can be accepted.
const InvitationLife = 7 * 24 * time.Hour

// invitationPrefix begins every token of an invitation, so that scanners for leaked secrets know one when they see it.
const invitationPrefix = "sopi_"

// InvitationStore is what invitations need of the store.
type InvitationStore interface {
	AddInvitation(ctx context.Context, i setops.Invitation, tokenHash string, events ...setops.Event) error
	Invitation(ctx context.Context, tokenHash string, now time.Time) (i setops.Invitation, ok bool, err error)
	InvitationsTo(ctx context.Context, email string, now time.Time) ([]setops.Invitation, error)
	AcceptInvitation(ctx context.Context, tokenHash string, u setops.User, passwordHash string, now time.Time) (setops.User, error)
	PasswordOf(ctx context.Context, email string) (u setops.User, passwordHash string, ok bool, err error)
}

// Invitations are made, shown and accepted. Each has a token that works once; the store has a hash of it. The token follows
// from the invitation's id and the server's key, so that the answer to a request that comes again needs no copy of it.
type Invitations struct {
	Store    InvitationStore
	Sessions *Sessions
	Key      []byte // of the server
	NewID    func() string
}

// Token gives the token of an invitation.
func (i *Invitations) Token(id string) string {
	return invitationPrefix + derived(i.Key, "invitation", id)
}

// derived is a secret of 256 bits that nobody can compute without the key.
func derived(key []byte, purpose, id string) string {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(purpose + "\x00" + id))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// Password gives the password of a service user that was made or got a new one under that id.
func (i *Invitations) Password(id string) string { return derived(i.Key, "service user", id) }

// HashOf hashes it.
func (i *Invitations) HashOf(ctx context.Context, id string) (string, error) {
	return i.Sessions.newHash(ctx, i.Password(id))
}

// Invite makes an invitation, in place of one of the same address to the same scope, and gives it with its times.
func (i *Invitations) Invite(ctx context.Context, invitation setops.Invitation, events ...setops.Event) (setops.Invitation, error) {
	invitation.CreatedAt = i.Sessions.now().UTC()
	invitation.ExpiresAt = invitation.CreatedAt.Add(InvitationLife)
	return invitation, i.Store.AddInvitation(ctx, invitation, hashToken(i.Token(invitation.ID)), events...)
}

// Invitation gives what a token invites to. Errors: ValidationFailed for the field token where there is nothing behind it.
func (i *Invitations) Invitation(ctx context.Context, token string) (setops.Invitation, error) {
	found, ok, err := i.Store.Invitation(ctx, hashToken(token), i.Sessions.now())
	if err == nil && !ok {
		err = setops.InvitationGone()
	}
	return found, err
}

// Accept gives the role that a token promises, once. Where the address has no account, the password becomes that of a new one;
// where it has one, it must be the right one: a link alone does not let anybody into the account of somebody else. Errors:
// ValidationFailed for the fields token and password, CredentialsInvalid, Overload (temporary) after too many wrong passwords.
func (i *Invitations) Accept(ctx context.Context, token, password string) (setops.User, error) {
	invitation, err := i.Invitation(ctx, token)
	if err != nil {
		return setops.User{}, err
	}
	u, hash, known, err := i.Store.PasswordOf(ctx, invitation.Email)
	if err != nil {
		return setops.User{}, err
	}
	if known {
		err = i.Sessions.prove(ctx, "invitation\x00"+invitation.ID, hash, password)
		if setops.IsCode(err, setops.CredentialsInvalid) {
			i.Sessions.audit.Refused(ctx, invitation.Organization, invitation.Email, "")
		}
	} else {
		u.ID = i.NewID()
		hash, err = i.Sessions.newHash(ctx, password)
	}
	if err != nil {
		return setops.User{}, err
	}
	return i.accept(ctx, token, u, hash)
}

func (i *Invitations) accept(ctx context.Context, token string, u setops.User, hash string) (setops.User, error) {
	u, err := i.Store.AcceptInvitation(ctx, hashToken(token), u, hash, i.Sessions.now())
	if err == nil {
		i.Sessions.audit.Did(ctx, u, acceptedInvitation, "")
	}
	return u, err
}

// prove refuses a wrong password. Errors: CredentialsInvalid, Overload (temporary).
func (s *Sessions) prove(ctx context.Context, key, hash, password string) error {
	if err := s.throttled(ctx, key); err != nil {
		return err
	}
	right, err := s.try(ctx, key, hash, password)
	if err == nil && !right {
		err = &setops.Error{
			Kind: setops.AuthenticationError, Code: setops.CredentialsInvalid,
			Message: "this is not the password of the account that the invited e-mail address has",
		}
	}
	return err
}

// newHash hashes a password that somebody has chosen, in turn with those that are compared. Errors: ValidationFailed.
func (s *Sessions) newHash(ctx context.Context, password string) (string, error) {
	if err := setops.InvalidInput(setops.ValidationFailed, setops.CheckPassword(password)); err != nil {
		return "", err
	}
	leave, err := s.turn(ctx)
	if err != nil {
		return "", err
	}
	defer leave()
	return HashPassword(password), nil
}
