package httpapi

import (
	"context"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/setops"
	"github.com/setopsco/setops/pkg/api"
)

// LogRange chooses lines of the log of an app.
type LogRange struct {
	InApp
	Limit  int       `query:"limit" default:"250" doc:"The last so many lines, 1 to 9999; 0, only where they are followed: all that are there"`
	After  time.Time `query:"after" doc:"Only lines after this moment"`
	Before time.Time `query:"before" doc:"Only lines before this moment"`
	All    bool      `query:"all_health_checks" doc:"Also the lines of container health checks that passed"`
	Task   string    `query:"task" maxLength:"64" doc:"Only lines of this task: its id, or a unique beginning of it"`
}

// logFollow is a range that goes on. A limit of 0 stands for all lines that are there.
type logFollow struct {
	LogRange
	LastEventID string `header:"Last-Event-ID" maxLength:"200" doc:"Go on behind the event of this id. Without a task, events of the last two seconds may come again, with the ids that they had"`
	Behind      string `header:"Setops-Log-Behind" maxLength:"8000" doc:"Go on exactly behind what was had, in place of Last-Event-ID: a time, then TASK/POSITION for each task as in the id of its last event, with commas between. Lines of other tasks come where they are after the time"`
}

func (r LogRange) query(app string) engine.LogQuery {
	return engine.LogQuery{App: app, TaskID: r.Task, After: r.After, Before: r.Before, Limit: r.Limit, All: r.All}
}

type logLines struct {
	Lines []api.LogLine `json:"lines"`
}

func (s *Server) readLog(ctx context.Context, in *LogRange) (*answer[logLines], error) {
	_, ref, a, err := s.app(ctx, in.InApp)
	if err != nil {
		return nil, err
	}
	out := logLines{Lines: []api.LogLine{}}
	err = s.Tasks.ReadLog(ctx, ref, in.query(a.Name), func(l engine.LogLine) bool {
		out.Lines = append(out.Lines, wireLine(l))
		return true
	})
	return answered(out), err
}

// followLog streams lines as they come. For one task it ends with the task, whose log is complete then.
func (s *Server) followLog(ctx context.Context, in *logFollow) (*huma.StreamResponse, error) {
	_, ref, a, err := s.app(ctx, in.InApp)
	if err != nil {
		return nil, err
	}
	q := in.query(a.Name)
	q.Follow = true
	if q.TaskID != "" {
		t, err := s.Tasks.Find(ctx, ref, a.Name, q.TaskID)
		if err != nil {
			return nil, err
		}
		q.TaskID = t.ID
	}
	if err := in.goOn(&q); err != nil {
		return nil, err
	}
	return s.events(func(ctx context.Context, send sender) {
		begun := api.LogPast{Time: time.Now().UTC()}
		q.Past = func() { send("past", "", begun) }
		err := s.Tasks.ReadLog(ctx, ref, q, func(l engine.LogLine) bool { return sendLine(send, l) })
		if err != nil || q.TaskID == "" {
			return
		}
		if t, err := s.Tasks.Wait(ctx, q.TaskID); err == nil {
			send("end", "", api.LogEnd{Task: wireTask(a, t)})
		}
	}), nil
}

func sendLine(send sender, l engine.LogLine) bool {
	if l.Gap {
		return send("gap", "", api.LogGap{TaskID: l.TaskID})
	}
	return send("line", lineID(l), wireLine(l))
}

// lineID names a line of an app: TIME/TASK/POSITION, where the position is where the line ends.
func lineID(l engine.LogLine) string {
	return strings.Join([]string{l.Time.UTC().Format(time.RFC3339Nano), l.TaskID, l.End.String()}, "/")
}

func (f *logFollow) goOn(q *engine.LogQuery) error {
	if f.Behind != "" {
		return goOnBehind(q, f.Behind)
	}
	return goOn(q, f.LastEventID)
}

// goOnBehind has a query begin where a reader has had each task, who has had none of other tasks since a moment.
func goOnBehind(q *engine.LogQuery, text string) error {
	stamp, rest, _ := strings.Cut(text, ",")
	since, err := time.Parse(time.RFC3339Nano, stamp)
	behind := map[string]engine.LogPosition{}
	for one := range strings.SplitSeq(rest, ",") {
		if err != nil || one == "" {
			break
		}
		task, position, _ := strings.Cut(one, "/")
		behind[task], err = engine.ParseLogPosition(position)
	}
	if err != nil {
		return noPlace("Setops-Log-Behind", "it is no place in this log")
	}
	q.Limit, q.Since, q.Behind = 0, since, behind
	return nil
}

func noPlace(header, message string) error {
	return setops.InvalidInput(setops.ValidationFailed, []setops.Violation{{Field: header, Validator: setops.Invalid, Message: message}})
}

// overlap is how far the times of lines of several tasks may be off the order in which they were sent.
const overlap = 2 * time.Second

// goOn has a query begin behind the line of an id. The log of one task goes on there exactly, that of all tasks a bit before.
func goOn(q *engine.LogQuery, id string) error {
	if id == "" {
		return nil
	}
	stamp, rest, _ := strings.Cut(id, "/")
	taskID, position, _ := strings.Cut(rest, "/")
	at, badTime := time.Parse(time.RFC3339Nano, stamp)
	from, badPosition := engine.ParseLogPosition(position)
	if badTime != nil || badPosition != nil || q.TaskID != "" && q.TaskID != taskID {
		return noPlace("Last-Event-ID", "it is no id of an event of this log")
	}
	q.Limit = 0
	if q.TaskID != "" {
		q.Behind = map[string]engine.LogPosition{taskID: from}
		return nil
	}
	if since := at.Add(-overlap); q.After.Before(since) {
		q.After = since
	}
	return nil
}

func wireLine(l engine.LogLine) api.LogLine {
	return api.LogLine{Time: l.Time.UTC(), TaskID: l.TaskID, Source: l.Source, Text: l.Text}
}
