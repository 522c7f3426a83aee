package client

import (
	"context"
	"net/http"
	"time"

	"github.com/setopsco/setops/pkg/api"
)

// Sessions lists one's sessions, oldest first.
func (c *Client) Sessions(ctx context.Context) ([]api.SessionInfo, error) {
	return list[api.SessionInfo](ctx, c, api.AccountSessionsPath, "sessions", nil)
}

// EndSession ends one of one's sessions.
func (c *Client) EndSession(ctx context.Context, id string) error {
	return c.do(ctx, call{method: http.MethodDelete, path: api.AccountSessionPath(id)})
}

// Tokens lists one's API tokens, oldest first.
func (c *Client) Tokens(ctx context.Context) ([]api.Token, error) {
	return list[api.Token](ctx, c, api.AccountTokensPath, "tokens", nil)
}

// CreateToken makes an API token, which is only in this answer. It holds for life, in whole seconds; 0: until it is destroyed.
func (c *Client) CreateToken(ctx context.Context, name string, life time.Duration) (api.Token, error) {
	var t api.Token
	in := api.NewToken{Name: name, ExpiresIn: int64(life / time.Second)}
	return t, c.do(ctx, call{method: http.MethodPost, path: api.AccountTokensPath, in: in, out: &t})
}

// DestroyToken destroys one of one's API tokens.
func (c *Client) DestroyToken(ctx context.Context, id string) error {
	return c.do(ctx, call{method: http.MethodDelete, path: api.AccountTokenPath(id)})
}
