package client

import (
	"context"
	"net/http"

	"github.com/setopsco/setops/pkg/api"
)

// SignIn trades credentials for a session; its token goes into New.
func (c *Client) SignIn(ctx context.Context, credentials api.Credentials) (api.Session, error) {
	var s api.Session
	return s, c.do(ctx, call{method: http.MethodPost, path: api.SessionsPath, in: credentials, out: &s})
}

// Session shows the session of the client's token, without the token.
func (c *Client) Session(ctx context.Context) (api.Session, error) {
	var s api.Session
	return s, c.do(ctx, call{method: http.MethodGet, path: api.SessionsPath, out: &s})
}

// SignOut ends the session: its token is worth nothing from then on.
func (c *Client) SignOut(ctx context.Context) error {
	return c.do(ctx, call{method: http.MethodDelete, path: api.SessionsPath})
}
