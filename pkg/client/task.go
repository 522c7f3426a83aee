package client

import (
	"context"
	"net/http"

	"github.com/setopsco/setops/pkg/api"
)

// Tasks lists the tasks of an app, one-off tasks among them; ended ones for an hour.
func (c *Client) Tasks(ctx context.Context, ref AppRef) ([]api.Task, error) {
	return list[api.Task](ctx, c, ref.tasks(), "tasks", nil)
}

// Task shows a task by its id or a unique prefix of it.
func (c *Client) Task(ctx context.Context, ref AppRef, id string) (api.Task, error) {
	var t api.Task
	return t, c.do(ctx, call{method: http.MethodGet, path: ref.task(id), out: &t})
}

// RunTask starts a one-off task and returns at once; see FollowLog for what becomes of it.
func (c *Client) RunTask(ctx context.Context, ref AppRef, run api.RunTask) (api.Task, error) {
	var t api.Task
	return t, c.do(ctx, call{method: http.MethodPost, path: ref.tasks(), in: run, out: &t})
}

// StopTask asks a task to end: SIGTERM now, SIGKILL after the app's stop timeout.
func (c *Client) StopTask(ctx context.Context, ref AppRef, id string) error {
	return c.do(ctx, call{method: http.MethodDelete, path: ref.task(id)})
}
