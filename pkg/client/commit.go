package client

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/setopsco/setops/pkg/api"
)

// StateRunning is the state of a commit that has not ended.
const StateRunning = "running"

// StartCommit begins to commit the user's changeset and returns at once: the commit belongs to the server.
func (c *Client) StartCommit(ctx context.Context, ref StageRef) (api.Commit, error) {
	var commit api.Commit
	return commit, c.do(ctx, call{method: http.MethodPost, path: ref.commits(), out: &commit})
}

// Commit shows a commit, running or ended.
func (c *Client) Commit(ctx context.Context, ref StageRef, id string) (api.Commit, error) {
	var commit api.Commit
	return commit, c.do(ctx, call{method: http.MethodGet, path: ref.commit(id), out: &commit})
}

// WatchCommit calls step with the progress of a commit until it has ended, and returns the last one. It begins with the
// present state, and does so again whenever the connection had to be made anew; steps may be left out in between.
func (c *Client) WatchCommit(ctx context.Context, ref StageRef, id string, step func(api.Progress)) (api.Progress, error) {
	var last api.Progress
	err := c.follow(ctx, stream{
		patient: true,
		request: func() call { return call{method: http.MethodGet, path: ref.commit(id) + "/events"} },
		event: func(e event) (bool, error) {
			if e.name != "progress" {
				return false, nil
			}
			last = api.Progress{}
			if err := json.Unmarshal(e.data, &last); err != nil {
				return false, fmt.Errorf("read the progress of commit %s: %w", id, err)
			}
			step(last)
			return last.State != StateRunning, nil
		},
	})
	return last, err
}
