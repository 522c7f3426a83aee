package client

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"github.com/setopsco/setops/pkg/api"
)

// The states of a commit that has not ended.
const (
	StateQueued  = "queued"
	StateRunning = "running"
)

// Live says whether state is one of a commit that has not ended.
func Live(state string) bool { return state == StateQueued || state == StateRunning }

// MaxCommits is the highest limit of Commits.
const MaxCommits = 1000

// StartCommit begins to commit the user's changeset, or queues that behind other commits of the stage, and returns at once:
// the commit belongs to the server. With body.NoQueue the code of the error is CommitAlreadyRunning where there are others.
func (c *Client) StartCommit(ctx context.Context, ref StageRef, body api.StartCommit) (api.Commit, error) {
	var commit api.Commit
	return commit, c.do(ctx, call{method: http.MethodPost, path: ref.commits(), in: body, out: &commit})
}

// Commit shows a commit, running or ended. Instead of an id, here and below, the beginning of one will do.
func (c *Client) Commit(ctx context.Context, ref StageRef, id string) (api.Commit, error) {
	var commit api.Commit
	return commit, c.do(ctx, call{method: http.MethodGet, path: ref.commit(id), out: &commit})
}

// Commits lists the newest commits of a stage, newest first, those that wait or run among them. The limit is 1 to
// MaxCommits; 0 is as the server likes.
func (c *Client) Commits(ctx context.Context, ref StageRef, limit int) ([]api.CommitSummary, error) {
	query := url.Values{}
	if limit > 0 {
		query.Set("limit", strconv.Itoa(limit))
	}
	return list[api.CommitSummary](ctx, c, ref.commits(), "commits", query)
}

// CommitDetails shows all that is known of a commit.
func (c *Client) CommitDetails(ctx context.Context, ref StageRef, id string) (api.CommitDetails, error) {
	var details api.CommitDetails
	return details, c.do(ctx, call{method: http.MethodGet, path: ref.commit(id) + "/details", out: &details})
}

// Cancel asks that a commit is ended before its commit point, and returns at once; WatchCommit tells when it has ended. The
// code of the error is AlreadyCommitted where it is past that point.
func (c *Client) Cancel(ctx context.Context, ref StageRef, id string) (api.Commit, error) {
	var commit api.Commit
	return commit, c.do(ctx, call{method: http.MethodPost, path: ref.commit(id) + "/cancel", out: &commit})
}

// Revert stages the inverse of a commit as the user's changeset, which must be empty; what stands in its way is a
// ChangesetInvalid.
func (c *Client) Revert(ctx context.Context, ref StageRef, id string, body api.Revert) (api.Reverted, error) {
	var reverted api.Reverted
	return reverted, c.do(ctx, call{method: http.MethodPost, path: ref.commit(id) + "/revert", in: body, out: &reverted})
}

// WatchCommit calls step with the progress of a commit until it has ended, and returns the last one. A connection that had to
// be made anew goes on behind the last event seen, or, with a server that forgot it, from the present state.
func (c *Client) WatchCommit(ctx context.Context, ref StageRef, id string, step func(api.Progress)) (api.Progress, error) {
	var last api.Progress
	err := c.follow(ctx, stream{
		patient: true,
		resumes: true,
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
			return !Live(last.State), nil
		},
	})
	return last, err
}
