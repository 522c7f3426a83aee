package task_test

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/setopsco/setops/internal/changeset"
	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/setops"
	"github.com/setopsco/setops/internal/task"
)

var (
	stage = setops.StageRef{ID: "s-1", Organization: "demo", Project: "shop", Name: "production"}
	ada   = setops.User{ID: "u-ada"}
)

// world is a store and an engine that remember what they were asked.
type world struct {
	staged []changeset.Command
	tasks  []setops.Task

	ensured []string
	ran     engine.OneOff
	stopped string
	query   engine.LogQuery
	fault   error
	fenced  error // of making something new on the stage
}

func (w *world) App(context.Context, string, string) (*setops.App, bool, error) {
	return nil, false, nil
}

func (w *world) StagedCommands(context.Context, string, string) ([]changeset.Command, error) {
	return w.staged, w.fault
}

func (w *world) EnsureStage(_ context.Context, s setops.StageRef, _ int64) error {
	w.ensured = append(w.ensured, s.ID)
	return w.fenced
}

func (w *world) Run(_ context.Context, t engine.OneOff) (setops.Task, error) {
	w.ran = t
	return setops.Task{ID: t.ID}, nil
}

func (w *world) Stop(_ context.Context, id string) error { w.stopped = id; return nil }

func (w *world) List(context.Context, string, string) ([]setops.Task, error) { return w.tasks, w.fault }

func (w *world) Attach(context.Context, string, []string, engine.Streams) (int, error) { return 0, nil }

func (w *world) Join(context.Context, string, engine.Streams) (setops.Task, error) {
	return setops.Task{}, nil
}

func (w *world) Wait(context.Context, string) (setops.Task, error) { return setops.Task{}, nil }

func (w *world) ReadLogs(_ context.Context, q engine.LogQuery, _ func(engine.LogLine) bool) error {
	w.query = q
	return nil
}

func service(w *world) *task.Service {
	return &task.Service{
		Store: w, Engine: w,
		OpenEnv: func(string, *setops.App) (map[string]string, error) { return map[string]string{"A": "open"}, nil },
	}
}

// web is a committed app with releases 1 and 2, of which 2 is active.
func web() *setops.App {
	a := setops.NewApp("web")
	a.Releases = []setops.Release{{ID: 1, Digest: "sha256:1"}, {ID: 2, Digest: "sha256:2"}}
	a.ActiveRelease = 2
	a.Container.Command, a.Container.Entrypoint = []string{"puma"}, []string{"launcher"}
	return a
}

func TestATaskRunsTheCommittedSettingsWithWhatTheRequestChanges(t *testing.T) {
	for name, test := range map[string]struct {
		request             task.Request
		release             int
		entrypoint, command []string
		cpu, memory         int
	}{
		"as it is":       {task.Request{}, 2, []string{"launcher"}, []string{"puma"}, 128, 256},
		"arguments":      {task.Request{Arguments: []string{"db:migrate", "a b"}}, 2, []string{"launcher"}, []string{"db:migrate", "a b"}, 128, 256},
		"entrypoint":     {task.Request{Entrypoint: []string{"sh", "-c"}}, 2, []string{"sh", "-c"}, nil, 128, 256},
		"both":           {task.Request{Entrypoint: []string{"sh"}, Arguments: []string{"-c"}}, 2, []string{"sh"}, []string{"-c"}, 128, 256},
		"resources":      {task.Request{CPU: 1024, Memory: 512}, 2, []string{"launcher"}, []string{"puma"}, 1024, 512},
		"another number": {task.Request{Release: 1}, 1, []string{"launcher"}, []string{"puma"}, 128, 256},
	} {
		t.Run(name, func(t *testing.T) {
			w := &world{}
			if _, err := service(w).Run(t.Context(), stage, ada, web(), test.request); err != nil {
				t.Fatal(err)
			}
			c := w.ran.Container
			if w.ran.Release != test.release || c.Image.Digest != "sha256:"+string(rune('0'+test.release)) || c.Image.Repository != "demo/shop/production/web" {
				t.Errorf("release %d, image %v", w.ran.Release, c.Image)
			}
			if !slices.Equal(c.Entrypoint, test.entrypoint) || !slices.Equal(c.Command, test.command) {
				t.Errorf("entrypoint %q, command %q", c.Entrypoint, c.Command)
			}
			if c.CPU != test.cpu || c.Memory != test.memory || w.ran.Limit != 24*time.Hour || w.ran.StopTimeout != time.Minute {
				t.Errorf("%+v", w.ran)
			}
			if !slices.Equal(c.Env, []string{"A=open", "PORT=5000", "PROTOCOL=http"}) || !slices.Equal(w.ensured, []string{"s-1"}) {
				t.Errorf("env %v, networks %v", c.Env, w.ensured)
			}
		})
	}
}

func TestAReleaseThatIsStagedRunsForItsOwner(t *testing.T) {
	w := &world{staged: []changeset.Command{
		&changeset.ReleaseCreate{AppName: "worker", Digest: "sha256:9", ID: 3},
		&changeset.ReleaseCreate{AppName: "web", Digest: "sha256:3", ID: 3},
	}}
	if _, err := service(w).Run(t.Context(), stage, ada, web(), task.Request{Release: 3}); err != nil {
		t.Fatal(err)
	}
	if w.ran.Release != 3 || w.ran.Container.Image.Digest != "sha256:3" {
		t.Errorf("%+v", w.ran)
	}
}

func TestWhatCannotBeRunIsRefused(t *testing.T) {
	idle := setops.NewApp("idle")
	for name, test := range map[string]struct {
		app     *setops.App
		request task.Request
		code    setops.Code
	}{
		"no active release":   {idle, task.Request{}, setops.AppHasNoActiveRelease},
		"no such release":     {web(), task.Request{Release: 3}, setops.ReleaseDoesNotExist},
		"a negative release":  {web(), task.Request{Release: -1}, setops.ReleaseDoesNotExist},
		"little memory":       {web(), task.Request{Memory: 64}, setops.ValidationFailed},
		"odd cpu":             {web(), task.Request{CPU: 200}, setops.ValidationFailed},
		"no program":          {web(), task.Request{Arguments: []string{""}}, setops.ValidationFailed},
		"a byte that cuts it": {web(), task.Request{Entrypoint: []string{"a\x00b"}}, setops.ValidationFailed},
	} {
		w := &world{}
		if _, err := service(w).Run(t.Context(), stage, ada, test.app, test.request); !setops.IsCode(err, test.code) {
			t.Errorf("%s: %v", name, err)
		}
		if w.ran.ID != "" || w.ensured != nil {
			t.Errorf("%s: something was started", name)
		}
	}
}

func TestNothingRunsOnAStageThatIsBeingDestroyed(t *testing.T) {
	_, err := service(&world{fenced: engine.ErrFenced}).Run(t.Context(), stage, ada, web(), task.Request{})
	if !setops.IsCode(err, setops.StageDoesNotExist) {
		t.Errorf("got %v", err)
	}
}

func TestATaskIsFoundByTheBeginningOfItsID(t *testing.T) {
	w := &world{tasks: []setops.Task{{ID: "abc1"}, {ID: "abd2"}}}
	for id, want := range map[string]string{"abc": "abc1", "ABD": "abd2", "abc1": "abc1"} {
		if got, err := service(w).Find(t.Context(), stage, "web", id); err != nil || got.ID != want {
			t.Errorf("%q: %v, %v", id, got.ID, err)
		}
	}
	for _, id := range []string{"ab", "", "x", "abc12"} {
		if _, err := service(w).Find(t.Context(), stage, "web", id); !setops.IsCode(err, setops.TaskDoesNotExist) {
			t.Errorf("%q: %v", id, err)
		}
	}
	if err := service(w).Stop(t.Context(), stage, "web", "abd"); err != nil || w.stopped != "abd2" {
		t.Errorf("stopped %q, %v", w.stopped, err)
	}
	w.fault = errors.New("engine on fire")
	if _, err := service(w).Find(t.Context(), stage, "web", "abc"); !errors.Is(err, w.fault) {
		t.Errorf("got %v", err)
	}
}

func TestALogIsReadWithinItsLimits(t *testing.T) {
	w := &world{tasks: []setops.Task{{ID: strings.Repeat("b", 32)}}}
	read := func(q engine.LogQuery) error { return service(w).ReadLog(t.Context(), stage, q, nil) }
	for _, limit := range []int{0, -1, 10_000} {
		if err := read(engine.LogQuery{App: "web", Limit: limit}); !setops.IsCode(err, setops.ValidationFailed) {
			t.Errorf("%d lines: %v", limit, err)
		}
	}
	for _, limit := range []int{1, 9999} {
		if err := read(engine.LogQuery{App: "web", Limit: limit}); err != nil || w.query.Limit != limit || w.query.StageID != "s-1" {
			t.Errorf("%d lines: %+v, %v", limit, w.query, err)
		}
	}
	if err := read(engine.LogQuery{App: "web", Follow: true}); err != nil || w.query.Limit != 0 || !w.query.Follow {
		t.Errorf("followed without a limit: %+v, %v", w.query, err)
	}
	if err := read(engine.LogQuery{App: "web", Limit: 1, TaskID: "bb"}); err != nil || w.query.TaskID != strings.Repeat("b", 32) {
		t.Errorf("%+v, %v", w.query, err)
	}
	// A task that is not listed any more still has its log, by its whole id.
	gone := strings.Repeat("c", 32)
	if err := read(engine.LogQuery{App: "web", Limit: 1, TaskID: gone}); err != nil || w.query.TaskID != gone {
		t.Errorf("%+v, %v", w.query, err)
	}
	w.query = engine.LogQuery{}
	if err := read(engine.LogQuery{App: "web", Limit: 1, TaskID: "cc"}); !setops.IsCode(err, setops.TaskDoesNotExist) || !reflect.DeepEqual(w.query, engine.LogQuery{}) {
		t.Errorf("%+v, %v", w.query, err)
	}
}
