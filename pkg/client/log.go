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
	// AllHealthChecks adds the lines of container health checks that passed.
	AllHealthChecks bool
	Whole           bool // where it is followed: all lines that are there, whatever Limit says
	// Gap, where it is followed, is told of a task of which lines may be missing before the next: the server deleted them, to keep
	// the log within its limits, before they were read. Nil: nobody is told.
	Gap func(taskID string) error
}

func (q LogQuery) values() url.Values {
	v := url.Values{}
	if q.Whole {
		v.Set("limit", "0")
	} else if q.Limit > 0 {
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
	if q.AllHealthChecks {
		v.Set("all_health_checks", "true")
	}
	return v
}

// Log returns lines of an app's log, oldest first.
func (c *Client) Log(ctx context.Context, ref AppRef, query LogQuery) ([]api.LogLine, error) {
	return list[api.LogLine](ctx, c, ref.path()+"/log", "lines", query.values())
}

// FollowLog calls line with the chosen lines and then with new ones as they come, until ctx is done or line fails. With a
// task it returns that task once it has ended and its log is complete. Where the connection had to be made anew it goes on
// behind the last line: none is lost, none comes twice.
func (c *Client) FollowLog(ctx context.Context, ref AppRef, query LogQuery, line func(api.LogLine) error) (*api.Task, error) {
	return c.followLog(ctx, ref, query, line, false)
}

// FollowTask is FollowLog for a task that was just started: even its first connection is tried for Options.Patience.
func (c *Client) FollowTask(ctx context.Context, ref AppRef, query LogQuery, line func(api.LogLine) error) (*api.Task, error) {
	return c.followLog(ctx, ref, query, line, true)
}

func (c *Client) followLog(ctx context.Context, ref AppRef, query LogQuery, line func(api.LogLine) error, patient bool) (*api.Task, error) {
	f := logFollower{line: line, gap: query.Gap}
	err := c.follow(ctx, stream{
		patient: patient,
		request: func() call {
			return call{method: http.MethodGet, path: ref.path() + "/log/events", query: query.values(), lastEvent: f.last, behind: f.had.String()}
		},
		event: f.event,
	})
	return f.ended, err
}

// logFollower takes the events of a log over all connections.
type logFollower struct {
	line  func(api.LogLine) error
	gap   func(taskID string) error
	ended *api.Task
	last  string // the id of the last line that was new
	had   had
	seen  seen // for servers that do not know of had
}

func (f *logFollower) event(e event) (last bool, err error) {
	switch e.name {
	case "line":
		var l api.LogLine
		if err := json.Unmarshal(e.data, &l); err != nil {
			return false, fmt.Errorf("read a log line: %w", err)
		}
		if f.seen.before(e.id, l.Time) {
			return false, nil
		}
		f.last = e.id
		f.had.add(e.id, l)
		return false, f.line(l)
	case "past":
		var past api.LogPast
		if err := json.Unmarshal(e.data, &past); err != nil {
			return false, fmt.Errorf("read where the past of a log ends: %w", err)
		}
		f.had.begin(past.Time)
	case "gap":
		var gap api.LogGap
		if err := json.Unmarshal(e.data, &gap); err != nil {
			return false, fmt.Errorf("read a gap of a log: %w", err)
		}
		f.had.forget(gap.TaskID)
		if f.gap != nil {
			return false, f.gap(gap.TaskID)
		}
	case "end":
		var end api.LogEnd
		if err := json.Unmarshal(e.data, &end); err != nil {
			return false, fmt.Errorf("read the end of a log: %w", err)
		}
		f.ended = &end.Task
		return true, nil
	}
	return false, nil
}

// overlap is how much of a log of several tasks may come again with a new connection, and as much again for safety.
const overlap = 4 * time.Second

// seen remembers the ids of the newest lines.
type seen struct {
	ids    map[string]bool
	order  []stamped
	newest time.Time
}

type stamped struct {
	id string
	at time.Time
}

// before reports whether the line of an id was there before, and remembers it. Lines without an id are all new.
func (s *seen) before(id string, at time.Time) bool {
	if id == "" {
		return false
	}
	if s.ids[id] {
		return true
	}
	if s.ids == nil {
		s.ids = map[string]bool{}
	}
	s.ids[id], s.order = true, append(s.order, stamped{id, at})
	if at.After(s.newest) {
		s.newest = at
	}
	for s.order[0].at.Before(s.newest.Add(-overlap)) {
		delete(s.ids, s.order[0].id)
		s.order = s.order[1:]
	}
	return false
}
