package httpapi

import (
	"context"
	"time"

	"github.com/setopsco/setops/internal/idempotency"
	"github.com/setopsco/setops/internal/setops"
	"github.com/setopsco/setops/pkg/api"
)

type newToken struct {
	SignedIn
	Body api.NewToken
}

type ofAccount struct {
	SignedIn
	Changing
	ID string `path:"id" maxLength:"64"`
}

func (in ofAccount) subject() string { return in.ID }

func (s *Server) listSessions(ctx context.Context, in *SignedIn) (*answer[api.SessionList], error) {
	t, err := s.Sessions.Check(ctx, in.token())
	if err != nil {
		return nil, err
	}
	all, err := s.Sessions.List(ctx, t.Session.User)
	list := api.SessionList{Sessions: make([]api.SessionInfo, 0, len(all))}
	for _, one := range all {
		list.Sessions = append(list.Sessions, api.SessionInfo{
			ID: one.ID, Kind: string(one.Kind), Name: one.Name, CreatedAt: one.CreatedAt, UsedAt: one.UsedAt, ExpiresAt: one.ExpiresAt,
			Current: one.ID == t.Session.ID,
		})
	}
	return answered(list), err
}

func (s *Server) listTokens(ctx context.Context, in *SignedIn) (*answer[api.TokenList], error) {
	u, err := s.user(ctx, *in)
	if err != nil {
		return nil, err
	}
	all, err := s.Sessions.Tokens(ctx, u)
	list := api.TokenList{Tokens: make([]api.Token, 0, len(all))}
	for _, one := range all {
		list.Tokens = append(list.Tokens, wireToken(one))
	}
	return answered(list), err
}

// createToken is not remembered by a key, as its answer holds a secret: one that got lost is listed, and can be destroyed.
func (s *Server) createToken(ctx context.Context, in *newToken) (*answer[api.Token], error) {
	t, err := s.Sessions.Check(ctx, in.token())
	if err != nil {
		return nil, err
	}
	g, err := s.Sessions.CreateToken(ctx, t.Session, in.Body.Name, time.Duration(in.Body.ExpiresIn)*time.Second)
	if err != nil {
		return nil, err
	}
	s.Audit.Record(ctx, setops.Event{OrganizationID: t.Session.User.OrganizationID, Who: t.Session.User.Email, Action: "create token", What: g.Session.ID})
	made := wireToken(g.Session)
	made.Token = g.Token
	return answered(made), nil
}

// end ends a session or destroys an API token: ids are of both.
func (s *Server) end(ctx context.Context, _ idempotency.Request, in *ofAccount) (*struct{}, error) {
	u, err := s.user(ctx, in.SignedIn)
	if err != nil {
		return nil, err
	}
	return nil, s.Sessions.End(ctx, u, in.ID)
}

func wireToken(t setops.Session) api.Token {
	return api.Token{ID: t.ID, Name: t.Name, CreatedAt: utc(t.CreatedAt), UsedAt: utc(t.UsedAt), ExpiresAt: utc(t.ExpiresAt)}
}
