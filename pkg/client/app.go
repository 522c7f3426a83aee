package client

import (
	"context"
	"net/http"

	"github.com/setopsco/setops/pkg/api"
)

// Apps lists the committed apps of a stage, by name.
func (c *Client) Apps(ctx context.Context, ref StageRef) ([]api.AppName, error) {
	return list[api.AppName](ctx, c, ref.path()+"/apps", "apps", nil)
}

// App shows the last committed state of an app, with its tasks of this moment.
func (c *Client) App(ctx context.Context, ref AppRef) (api.App, error) {
	var a api.App
	return a, c.do(ctx, call{method: http.MethodGet, path: ref.path(), out: &a})
}

// AppStatus shows what of an app runs.
func (c *Client) AppStatus(ctx context.Context, ref AppRef) (api.AppStatus, error) {
	var s api.AppStatus
	return s, c.do(ctx, call{method: http.MethodGet, path: ref.path() + "/status", out: &s})
}

// Releases lists the committed releases of an app, by id.
func (c *Client) Releases(ctx context.Context, ref AppRef) ([]api.Release, error) {
	return list[api.Release](ctx, c, ref.path()+"/releases", "releases", nil)
}

// Domains lists the committed domains of an app: custom ones, the primary first, its default and its private one.
func (c *Client) Domains(ctx context.Context, ref AppRef) ([]api.Domain, error) {
	return list[api.Domain](ctx, c, ref.path()+"/domains", "domains", nil)
}
