package httpapi

import (
	"context"
	"time"

	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/idempotency"
	"github.com/setopsco/setops/internal/setops"
	"github.com/setopsco/setops/internal/task"
	"github.com/setopsco/setops/pkg/api"
)

type taskList struct {
	Tasks []api.Task `json:"tasks"`
}

type taskToRun struct {
	InApp
	Changing
	Body api.RunTask
}

// OneTask is a request about a task.
type OneTask struct {
	InApp
	ID string `path:"id" maxLength:"64" doc:"A task's id, or a unique beginning of it"`
}

type taskToStop struct {
	OneTask
	Changing
}

func (s *Server) listTasks(ctx context.Context, in *InApp) (*answer[taskList], error) {
	_, ref, a, err := s.app(ctx, *in)
	if err != nil {
		return nil, err
	}
	tasks, err := s.Tasks.List(ctx, ref, a.Name)
	return answered(taskList{Tasks: wireTasks(a, tasks)}), err
}

func (s *Server) runTask(ctx context.Context, r idempotency.Request, in *taskToRun) (*answer[api.Task], error) {
	u, ref, a, err := s.app(ctx, in.InApp)
	if err != nil {
		return nil, err
	}
	t, err := s.Tasks.Run(ctx, ref, u, a, task.Request{
		ID:        r.NewID,
		Arguments: in.Body.Arguments, Entrypoint: in.Body.Entrypoint,
		Release: in.Body.Release, Image: in.Body.ImageTag, CPU: in.Body.CPU, Memory: in.Body.Memory, Console: consoleOf(in.Body.Interactive),
	})
	if err != nil {
		return nil, err
	}
	return answered(wireTask(a, t)), nil
}

func consoleOf(i *api.Interactive) *engine.Console {
	if i == nil {
		return nil
	}
	return &engine.Console{Terminal: i.Terminal, Size: engine.Size{Columns: i.Columns, Rows: i.Rows}}
}

func (s *Server) showTask(ctx context.Context, in *OneTask) (*answer[api.Task], error) {
	_, ref, a, err := s.app(ctx, in.InApp)
	if err != nil {
		return nil, err
	}
	t, err := s.Tasks.Find(ctx, ref, a.Name, in.ID)
	if err != nil {
		return nil, err
	}
	return answered(wireTask(a, t)), nil
}

func (s *Server) stopTask(ctx context.Context, _ idempotency.Request, in *taskToStop) (*struct{}, error) {
	_, ref, a, err := s.app(ctx, in.InApp)
	if err != nil {
		return nil, err
	}
	return nil, s.Tasks.Stop(ctx, ref, a.Name, in.ID)
}

func wireTasks(a *setops.App, tasks []setops.Task) []api.Task {
	all := make([]api.Task, 0, len(tasks))
	for _, t := range tasks {
		all = append(all, wireTask(a, t))
	}
	return all
}

func wireTask(a *setops.App, t setops.Task) api.Task {
	wire := api.Task{
		ID: t.ID, Release: t.Release, Status: string(t.Status), Desired: string(t.Desired), Health: string(t.Health),
		Reason: t.Reason, OneOff: t.OneOff(), CreatedAt: t.CreatedAt.UTC(),
		StartedAt: moment(t.StartedAt), StoppedAt: moment(t.StoppedAt), ExitCode: t.ExitCode,
	}
	wire.ImageTag = t.Tag
	if r, ok := a.Release(t.Release); ok && t.Tag == "" {
		wire.ImageTag = r.Tag
	}
	return wire
}

// moment cuts a time to seconds, as screens show it; nil: it has not come.
func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC().Truncate(time.Second)
	return &t
}
