package client

import (
	"context"
	"errors"
	"net/http"

	"github.com/setopsco/setops/pkg/api"
)

// withToken does something with the present token, and again with another one where the server refuses that and there is
// another one.
func (c *Client) withToken(ctx context.Context, do func(token string) error) error {
	if c.options.Tokens == nil {
		return do(c.token)
	}
	token, err := c.options.Tokens(ctx, "")
	if err != nil {
		return err
	}
	refused := do(token)
	if !isSessionInvalid(refused) {
		return refused
	}
	next, err := c.options.Tokens(ctx, token)
	if err != nil {
		return err
	}
	if next == token {
		return refused
	}
	return do(next)
}

func isSessionInvalid(err error) bool {
	var e *api.ServiceError
	return errors.As(err, &e) && e.Status == http.StatusUnauthorized && e.HasCode("SessionInvalid")
}
