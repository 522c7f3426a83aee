package auth

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"slices"
	"time"

	"github.com/setopsco/setops/internal/setops"
)

// How long things live. The rule for service users: behaviour reference, "Values and limits"; the others: ADR 14.
const (
	ServiceTokenLife = 4 * time.Hour
	AccessTokenLife  = time.Hour
	RefreshTokenLife = 30 * 24 * time.Hour  // unless it is used before
	PersonLife       = 180 * 24 * time.Hour // however often it is renewed
	BrowserLife      = 12 * time.Hour
)

// renewalGrace is how long a refresh token that was spent is taken again: its answer can get lost, and programs of one user may
// renew at the same time.
const renewalGrace = time.Minute

// Grant is what whoever signs in gets: the tokens themselves, which nobody can be told again.
type Grant struct {
	Session   setops.Session
	Token     string // to ask with: the API, or the pages in the cookie of a browser
	ExpiresAt time.Time
	Refresh   string // empty: the session is not renewed
}

// SignIn checks the password and begins a session of that kind; name says from where. Errors: as CheckPassword.
func (s *Sessions) SignIn(ctx context.Context, organization, email, password, from string, kind setops.SessionKind, name string) (Grant, error) {
	u, err := s.CheckPassword(ctx, organization, email, password, from)
	switch {
	case err != nil:
		return Grant{}, err
	case u.Service && kind == setops.BrowserSession:
		return Grant{}, &setops.Error{
			Kind: setops.AuthenticationError, Code: setops.CredentialsInvalid,
			Message: "a service user has no use for a browser; it signs in with `setops login --service-user`",
		}
	case u.Service:
		kind = setops.ServiceSession // whatever it asks for
	}
	return s.begin(ctx, u, kind, name)
}

// Now is the time that sessions go by.
func (s *Sessions) Now() time.Time { return s.now() }

// begin signs in whoever has proved who they are.
func (s *Sessions) begin(ctx context.Context, u setops.User, kind setops.SessionKind, name string) (Grant, error) {
	g, tokens := s.grant(setops.Session{ID: newSessionID(), User: u, Kind: kind, Name: name, CreatedAt: s.now(), UsedAt: s.now()})
	if err := s.store.AddSession(ctx, g.Session, tokens...); err != nil {
		return Grant{}, err
	}
	s.log.Info("signed in", "organization", u.Organization, "email", u.Email, "kind", kind, "from", name)
	s.audit.SignedIn(ctx, u, string(kind), name)
	return g, nil
}

// grant makes the tokens of a session, for whoever has it and as the store keeps them.
func (s *Sessions) grant(session setops.Session) (Grant, []setops.Token) {
	g, use := Grant{Session: session}, setops.AccessToken
	now := s.now()
	switch session.Kind {
	case setops.ServiceSession:
		g.ExpiresAt = now.Add(ServiceTokenLife)
	case setops.BrowserSession:
		g.ExpiresAt, use = now.Add(BrowserLife), setops.BrowserToken
	case setops.APIToken:
		g.ExpiresAt = session.ExpiresAt
	case setops.PersonSession:
		return s.grantPerson(g)
	}
	g.Session.ExpiresAt = g.ExpiresAt
	var hash string
	g.Token, hash = NewToken()
	return g, []setops.Token{{Hash: hash, Use: use, ExpiresAt: g.ExpiresAt}}
}

// grantPerson makes an access token that is soon over, and what the next one is got with.
func (s *Sessions) grantPerson(g Grant) (Grant, []setops.Token) {
	now, end := s.now(), g.Session.CreatedAt.Add(PersonLife)
	g.Session.ExpiresAt = earlier(now.Add(RefreshTokenLife), end)
	g.ExpiresAt = earlier(now.Add(AccessTokenLife), end)
	var access, refresh string
	g.Token, access = NewToken()
	g.Refresh, refresh = NewToken()
	return g, []setops.Token{
		{Hash: access, Use: setops.AccessToken, ExpiresAt: g.ExpiresAt},
		{Hash: refresh, Use: setops.RefreshToken, ExpiresAt: g.Session.ExpiresAt},
	}
}

// Renew trades a refresh token for new tokens of its session. Where it was traded before, and not just now, somebody else
// has it too: then the session ends. Errors: SessionInvalid.
func (s *Sessions) Renew(ctx context.Context, refresh string) (Grant, error) {
	t, err := s.token(ctx, refresh, setops.RefreshToken)
	if err != nil {
		return Grant{}, err
	}
	g, tokens := s.grant(t.Session)
	outcome, err := s.store.RenewSession(ctx, t.Hash, g.Session, s.now(), renewalGrace, tokens...)
	switch {
	case err != nil:
		return Grant{}, err
	case outcome == setops.TokenReused:
		s.log.Warn("a refresh token was used twice; its session is ended", "email", t.Session.User.Email, "session", t.Session.ID)
		return Grant{}, sessionInvalid("the session was renewed from elsewhere, and is ended for safety")
	case outcome != setops.TokenRenewed:
		return Grant{}, sessionInvalid("the session is over")
	}
	return g, nil
}

// CheckToken gives the user whose access token it is, and when it expires. Errors: SessionInvalid.
func (s *Sessions) CheckToken(ctx context.Context, token string) (setops.User, time.Time, error) {
	t, err := s.Check(ctx, token)
	return t.Session.User, t.ExpiresAt, err
}

// Check gives the access token with its session. Errors: SessionInvalid.
func (s *Sessions) Check(ctx context.Context, token string) (setops.Token, error) {
	return s.inUse(ctx, token, setops.AccessToken)
}

// CheckBrowser gives the session of a browser's cookie. Errors: SessionInvalid.
func (s *Sessions) CheckBrowser(ctx context.Context, cookie string) (setops.Session, error) {
	t, err := s.inUse(ctx, cookie, setops.BrowserToken)
	return t.Session, err
}

// How exactly it is known when a session was last used, and how long noting it may hold up who uses it.
const (
	useEvery = 5 * time.Minute
	usePause = 200 * time.Millisecond
)

func (s *Sessions) inUse(ctx context.Context, token string, use setops.TokenUse) (setops.Token, error) {
	t, err := s.token(ctx, token, use)
	if err != nil || s.now().Sub(t.Session.UsedAt) < useEvery {
		return t, err
	}
	noting, cancel := context.WithTimeout(ctx, usePause)
	defer cancel()
	if err := s.store.UseSession(noting, t.Session.ID, s.now()); err != nil {
		s.log.Debug("note that a session is used", "session", t.Session.ID, "error", err)
	}
	return t, nil
}

func (s *Sessions) token(ctx context.Context, token string, use setops.TokenUse) (setops.Token, error) {
	if token == "" {
		return setops.Token{}, sessionInvalid("you are not signed in")
	}
	t, ok, err := s.store.Token(ctx, hashToken(token))
	switch {
	case err != nil:
		return setops.Token{}, err
	case !ok || t.Use != use:
		return setops.Token{}, sessionInvalid("the token is not known here")
	case !t.ExpiresAt.IsZero() && !s.now().Before(t.ExpiresAt):
		return setops.Token{}, sessionInvalid("the token has expired at " + t.ExpiresAt.Format(time.RFC3339))
	}
	return t, nil
}

// SignOut ends the session of a token, whatever the token is for. One that is unknown has none.
func (s *Sessions) SignOut(ctx context.Context, token string) error {
	t, ok, err := s.store.Token(ctx, hashToken(token))
	if err != nil || !ok {
		return err
	}
	ended, err := s.store.RemoveSession(ctx, t.Session.User.ID, t.Session.ID)
	if ended {
		s.audit.SignedOut(ctx, t.Session.User)
	}
	return err
}

// Switch ends the session of a token, and begins one of the same person in another organization. Only sessions of the command line
// can: a service user belongs to one organization, and an API token was made for one. Errors: SessionInvalid,
// OrganizationDoesNotExist, CodeInsufficientPrivileges.
func (s *Sessions) Switch(ctx context.Context, token, organization string) (Grant, error) {
	t, err := s.Check(ctx, token)
	if err != nil {
		return Grant{}, err
	}
	all, err := s.store.Memberships(ctx, t.Session.User.Email)
	if err != nil {
		return Grant{}, err
	}
	i := slices.IndexFunc(all, func(u setops.User) bool { return u.Organization == organization })
	switch {
	case i < 0:
		return Grant{}, setops.Refuse(setops.OrganizationDoesNotExist,
			"there is no organization of that name that you belong to; `setops organization` lists yours")
	case t.Session.Kind != setops.PersonSession:
		return Grant{}, setops.Refuse(setops.CodeInsufficientPrivileges,
			"this token is of the organization %s alone; sign in with `setops login` to change to another", t.Session.User.Organization)
	}
	g, err := s.begin(ctx, all[i], setops.PersonSession, t.Session.Name)
	if err != nil {
		return Grant{}, err
	}
	_, err = s.store.RemoveSession(ctx, t.Session.User.ID, t.Session.ID)
	return g, err
}

func sessionInvalid(why string) error {
	return &setops.Error{
		Kind: setops.AuthenticationError, Code: setops.SessionInvalid, Message: why + "; sign in with `setops login`",
	}
}

// newSessionID gives 12 hexadecimal digits, which people type to end a session.
func newSessionID() string {
	b := make([]byte, 6)
	rand.Read(b)
	return hex.EncodeToString(b)
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
