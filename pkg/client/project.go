package client

import (
	"context"
	"net/http"

	"github.com/setopsco/setops/pkg/api"
)

// Projects lists the projects that the user may see, by name.
func (c *Client) Projects(ctx context.Context, organization string) ([]api.Project, error) {
	return list[api.Project](ctx, c, api.ProjectsPath(organization), "projects", nil)
}

// Project shows a project.
func (c *Client) Project(ctx context.Context, ref ProjectRef) (api.Project, error) {
	var p api.Project
	return p, c.do(ctx, call{method: http.MethodGet, path: ref.path(), out: &p})
}

// CreateProject makes a project; the code of the error is ProjectAlreadyExists where there is one of that name.
func (c *Client) CreateProject(ctx context.Context, ref ProjectRef) (api.Project, error) {
	var p api.Project
	return p, c.do(ctx, call{
		method: http.MethodPost, path: api.ProjectsPath(ref.Organization), in: api.NewName{Name: ref.Project}, out: &p,
	})
}

// DestroyProject removes a project with its stages, their tasks, images and data. It cannot be undone.
func (c *Client) DestroyProject(ctx context.Context, ref ProjectRef) error {
	return c.do(ctx, call{method: http.MethodDelete, path: ref.path()})
}
