package client

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/setopsco/setops/pkg/api"
)

// MaxLogLines is the highest limit of a LogQuery.
const MaxLogLines = 9999

// LogQuery chooses lines of an app's log.
type LogQuery struct {
	Limit  int       // newest lines only, 1 to MaxLogLines; 0: as the server likes
	Before time.Time // exclusive; zero: no limit
	After  time.Time // exclusive; zero: no limit
	Task   string    // an id or a unique prefix of one; empty: all tasks
}

func (q LogQuery) values() url.Values {
	v := url.Values{}
	if q.Limit > 0 {
		v.Set("limit", strconv.Itoa(q.Limit))
	}
	if !q.Before.IsZero() {
		v.Set("before", q.Before.UTC().Format(time.RFC3339Nano))
	}
	if !q.After.IsZero() {
		v.Set("after", q.After.UTC().Format(time.RFC3339Nano))
	}
	if q.Task != "" {
		v.Set("task", q.Task)
	}
	return v
}

// Log returns lines of an app's log, oldest first.
func (c *Client) Log(ctx context.Context, ref AppRef, query LogQuery) ([]api.LogLine, error) {
	return list[api.LogLine](ctx, c, ref.path()+"/log", "lines", query.values())
}

// FollowLog calls line with the chosen lines and then with new ones as they come, until ctx is done or line fails. With a
// task it returns that task once it has ended and its log is complete. It goes on after the last line seen when the
// connection had to be made anew.
func (c *Client) FollowLog(ctx context.Context, ref AppRef, query LogQuery, line func(api.LogLine) error) (*api.Task, error) {
	return c.followLog(ctx, ref, query, line, false)
}

// FollowTask is FollowLog for a task that was just started: even its first connection is tried for Options.Patience.
func (c *Client) FollowTask(ctx context.Context, ref AppRef, query LogQuery, line func(api.LogLine) error) (*api.Task, error) {
	return c.followLog(ctx, ref, query, line, true)
}

func (c *Client) followLog(ctx context.Context, ref AppRef, query LogQuery, line func(api.LogLine) error, patient bool) (*api.Task, error) {
	var ended *api.Task
	err := c.follow(ctx, stream{
		patient: patient,
		request: func() call {
			return call{method: http.MethodGet, path: ref.path() + "/log/events", query: query.values()}
		},
		event: func(e event) (bool, error) {
			switch e.name {
			case "line":
				var l api.LogLine
				if err := json.Unmarshal(e.data, &l); err != nil {
					return false, fmt.Errorf("read a log line: %w", err)
				}
				query.After, query.Limit = l.Time, MaxLogLines
				return false, line(l)
			case "end":
				var end api.LogEnd
				if err := json.Unmarshal(e.data, &end); err != nil {
					return false, fmt.Errorf("read the end of a log: %w", err)
				}
				ended = &end.Task
				return true, nil
			}
			return false, nil
		},
	})
	return ended, err
}
