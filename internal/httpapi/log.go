package httpapi

import (
	"context"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/pkg/api"
)

type logRange struct {
	InApp
	Limit  int       `query:"limit" default:"250" doc:"The last so many lines, 1 to 9999"`
	After  time.Time `query:"after" doc:"Only lines after this moment"`
	Before time.Time `query:"before" doc:"Only lines before this moment"`
	Task   string    `query:"task" maxLength:"64" doc:"Only lines of this task: its id, or a unique beginning of it"`
}

func (r logRange) query(app string) engine.LogQuery {
	return engine.LogQuery{App: app, TaskID: r.Task, After: r.After, Before: r.Before, Limit: r.Limit}
}

type logLines struct {
	Lines []api.LogLine `json:"lines"`
}

func (s *Server) readLog(ctx context.Context, in *logRange) (*answer[logLines], error) {
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
func (s *Server) followLog(ctx context.Context, in *logRange) (*huma.StreamResponse, error) {
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
	return s.events(func(ctx context.Context, send sender) {
		err := s.Tasks.ReadLog(ctx, ref, q, func(l engine.LogLine) bool {
			return send("line", l.Time.UTC().Format(time.RFC3339Nano)+"/"+l.TaskID, wireLine(l))
		})
		if err != nil || q.TaskID == "" {
			return
		}
		if t, err := s.Tasks.Wait(ctx, q.TaskID); err == nil {
			send("end", "", api.LogEnd{Task: wireTask(a, t)})
		}
	}), nil
}

func wireLine(l engine.LogLine) api.LogLine {
	return api.LogLine{Time: l.Time.UTC(), TaskID: l.TaskID, Source: l.Source, Text: l.Text}
}
