package client

import (
	"context"

	"github.com/setopsco/setops/pkg/api"
)

// Schedules lists the committed schedules of an app, by name, with their next and last runs.
func (c *Client) Schedules(ctx context.Context, ref AppRef) ([]api.Schedule, error) {
	return list[api.Schedule](ctx, c, ref.path()+"/schedules", "schedules", nil)
}
