package auth

import (
	"context"
	"strings"
	"time"
	"unicode"

	"github.com/setopsco/setops/internal/setops"
)

// longestTokenName is in characters.
const longestTokenName = 64

// CreateToken makes an API token of somebody: it may do what they may, until it expires, life being 0 for never. Only
// a session makes one: whoever finds a token shall not be able to make others that outlive it.
// Errors: ValidationFailed, CodeInsufficientPrivileges.
func (s *Sessions) CreateToken(ctx context.Context, by setops.Session, name string, life time.Duration) (Grant, error) {
	if by.Kind == setops.APIToken {
		return Grant{}, setops.Refuse(setops.CodeInsufficientPrivileges, "an API token cannot make another one; sign in with `setops login` first")
	}
	name = strings.TrimSpace(name)
	if v := tokenViolations(name, life); len(v) > 0 {
		return Grant{}, setops.InvalidInput(setops.ValidationFailed, v)
	}
	session := setops.Session{ID: newSessionID(), User: by.User, Kind: setops.APIToken, Name: name, CreatedAt: s.now()}
	if life > 0 {
		session.ExpiresAt = s.now().Add(life)
	}
	g, tokens := s.grant(session)
	s.log.Info("API token made", "email", by.User.Email, "token", session.ID, "name", name)
	return g, s.store.AddSession(ctx, g.Session, tokens...)
}

func tokenViolations(name string, life time.Duration) []setops.Violation {
	var v []setops.Violation
	switch {
	case name == "":
		v = append(v, setops.Violation{Field: "name", Validator: setops.Required, Message: "says what the token is for"})
	case len([]rune(name)) > longestTokenName:
		v = append(v, setops.Violation{Field: "name", Validator: setops.TooLong, Message: "has at most 64 characters"})
	case strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) }):
		v = append(v, setops.Violation{Field: "name", Validator: setops.InvalidFormat, Message: "is made of characters that can be printed"})
	}
	if life < 0 {
		v = append(v, setops.Violation{Field: "expires_in", Validator: setops.GreaterThanOrEqual, Message: "must not be negative"})
	}
	return v
}

// Tokens lists somebody's API tokens, oldest first.
func (s *Sessions) Tokens(ctx context.Context, u setops.User) ([]setops.Session, error) {
	return s.list(ctx, u, func(one setops.Session) bool { return one.Kind == setops.APIToken })
}

// List lists somebody's sessions, oldest first; API tokens are none.
func (s *Sessions) List(ctx context.Context, u setops.User) ([]setops.Session, error) {
	return s.list(ctx, u, func(one setops.Session) bool { return one.Kind != setops.APIToken })
}

func (s *Sessions) list(ctx context.Context, u setops.User, wanted func(setops.Session) bool) ([]setops.Session, error) {
	all, err := s.store.Sessions(ctx, u)
	list := make([]setops.Session, 0, len(all))
	for _, one := range all {
		if wanted(one) && (one.ExpiresAt.IsZero() || s.now().Before(one.ExpiresAt)) {
			list = append(list, one)
		}
	}
	return list, err
}

// End ends a session or an API token of somebody, by its id. Errors: ValidationFailed where there is none.
func (s *Sessions) End(ctx context.Context, u setops.User, id string) error {
	ok, err := s.store.RemoveSession(ctx, u.ID, strings.ToLower(id))
	if err == nil && !ok {
		err = setops.InvalidInput(setops.ValidationFailed, []setops.Violation{{
			Field: "id", Validator: setops.NotFound, Message: "no token and no session of yours has it; `setops token` and `setops session` list them",
		}})
	}
	return err
}
