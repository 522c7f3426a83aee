package client

import (
	"context"
	"net/http"

	"github.com/setopsco/setops/pkg/api"
)

// Stages lists the stages of a project that the user may see, by name.
func (c *Client) Stages(ctx context.Context, ref ProjectRef) ([]api.Stage, error) {
	return list[api.Stage](ctx, c, api.StagesPath(ref.Organization, ref.Project), "stages", nil)
}

// Stage shows a stage.
func (c *Client) Stage(ctx context.Context, ref StageRef) (api.Stage, error) {
	var s api.Stage
	return s, c.do(ctx, call{method: http.MethodGet, path: ref.path(), out: &s})
}

// CreateStage makes a stage; the code of the error is StageAlreadyExists where there is one of that name.
func (c *Client) CreateStage(ctx context.Context, ref StageRef) (api.Stage, error) {
	var s api.Stage
	return s, c.do(ctx, call{
		method: http.MethodPost, path: api.StagesPath(ref.Organization, ref.Project), in: api.NewName{Name: ref.Stage}, out: &s,
	})
}

// DestroyStage removes a stage with its tasks, images and data. It cannot be undone.
func (c *Client) DestroyStage(ctx context.Context, ref StageRef) error {
	return c.do(ctx, call{method: http.MethodDelete, path: ref.path()})
}
