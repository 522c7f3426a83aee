package httpapi

import (
	"context"
	"net"

	"github.com/danielgtaylor/huma/v2"

	"github.com/setopsco/setops/internal/auth"
	"github.com/setopsco/setops/pkg/api"
)

type signInInput struct {
	Body api.Credentials
	from string // the address that asks, without its port
}

// Resolve is called by huma with what no field can say.
func (in *signInInput) Resolve(ctx huma.Context) []error {
	in.from = ctx.RemoteAddr()
	if host, _, err := net.SplitHostPort(in.from); err == nil {
		in.from = host
	}
	return nil
}

func (s *Server) signIn(ctx context.Context, in *signInInput) (*answer[api.Session], error) {
	life := auth.UserTokenLife
	if in.Body.ServiceUser {
		life = auth.ServiceTokenLife
	}
	u, token, expires, err := s.Sessions.SignIn(ctx, in.Body.Organization, in.Body.Email, in.Body.Password, in.from, life)
	if err != nil {
		return nil, err
	}
	return answered(api.Session{Organization: u.Organization, Email: u.Email, Token: token, ExpiresAt: expires.UTC()}), nil
}

func (s *Server) showSession(ctx context.Context, in *SignedIn) (*answer[api.Session], error) {
	u, expires, err := s.session(ctx, *in)
	if err != nil {
		return nil, err
	}
	return answered(api.Session{Organization: u.Organization, Email: u.Email, ExpiresAt: expires}), nil
}

func (s *Server) signOut(ctx context.Context, in *SignedIn) (*struct{}, error) {
	return nil, s.Sessions.SignOut(ctx, in.token())
}
