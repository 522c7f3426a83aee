package httpapi

import (
	"context"
	"net"
	"strings"
	"time"
	"unicode"

	"github.com/danielgtaylor/huma/v2"

	"github.com/setopsco/setops/internal/setops"
	"github.com/setopsco/setops/pkg/api"
)

// FromSomewhere is the part of a request that says from where it comes. huma reads no fields embedded by an unexported name.
type FromSomewhere struct {
	UserAgent string `header:"User-Agent" json:"-" hidden:"true"`

	address string // without its port
	base    string // of the server, as the client knows it: scheme and host
}

// Resolve is called by huma with what no field can say.
func (in *FromSomewhere) Resolve(ctx huma.Context) []error {
	in.address = ctx.RemoteAddr()
	if host, _, err := net.SplitHostPort(in.address); err == nil {
		in.address = host
	}
	u := ctx.URL()
	in.base = "http://" + ctx.Host()
	if ctx.TLS() != nil || u.Scheme == "https" { // that of a proxy that is trusted
		in.base = "https://" + ctx.Host()
	}
	return nil
}

// name says in the list of sessions from where one was begun.
func (in *FromSomewhere) name() string {
	program, _, _ := strings.Cut(in.UserAgent, " ")
	return strings.TrimSpace(printable(program, 40) + " from " + in.address)
}

// printable cuts what a client says of itself to what can be shown.
func printable(text string, most int) string {
	text = strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return -1
	}, text)
	if runes := []rune(text); len(runes) > most {
		text = string(runes[:most])
	}
	return strings.TrimSpace(text)
}

type signInInput struct {
	FromSomewhere
	Body api.Credentials
}

func (s *Server) signIn(ctx context.Context, in *signInInput) (*answer[api.Session], error) {
	kind := setops.PersonSession
	if in.Body.ServiceUser {
		kind = setops.ServiceSession
	}
	g, err := s.Sessions.SignIn(ctx, in.Body.Organization, in.Body.Email, in.Body.Password, in.address, kind, in.name())
	if err != nil {
		return nil, err
	}
	session := wireSession(g.Session, g.ExpiresAt)
	session.Token, session.RefreshToken = g.Token, g.Refresh
	return answered(session), nil
}

func (s *Server) showSession(ctx context.Context, in *SignedIn) (*answer[api.Session], error) {
	t, err := s.Sessions.Check(ctx, in.token())
	if err != nil {
		return nil, err
	}
	return answered(wireSession(t.Session, t.ExpiresAt)), nil
}

func wireSession(s setops.Session, expires time.Time) api.Session {
	wire := api.Session{Organization: s.User.Organization, Email: s.User.Email, ExpiresAt: utc(expires)}
	if expires.IsZero() {
		wire.ExpiresAt = api.Never()
	}
	if s.Kind == setops.PersonSession {
		wire.RenewableUntil = utc(s.ExpiresAt)
	}
	return wire
}

// utc leaves the zero time what it is.
func utc(t time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	return t.UTC()
}

func (s *Server) signOut(ctx context.Context, in *SignedIn) (*struct{}, error) {
	return nil, s.Sessions.SignOut(ctx, in.token())
}
