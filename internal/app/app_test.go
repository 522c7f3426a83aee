package app_test

import (
	"context"
	"errors"
	"testing"

	"github.com/setopsco/setops/internal/app"
	"github.com/setopsco/setops/internal/plan"
	"github.com/setopsco/setops/internal/setops"
)

var stage = setops.StageRef{ID: "s-1", Project: "shop", Name: "production"}

// world is what is committed, and what runs, of app web.
type world struct {
	web     *setops.App
	serving map[string]plan.Generation
	tasks   []setops.Task
	fault   error
}

func (w *world) AppNames(context.Context, string) ([]string, error) { return []string{"web"}, w.fault }

func (w *world) App(_ context.Context, _, name string) (*setops.App, bool, error) {
	return w.web, name == "web", w.fault
}

func (w *world) Serving(context.Context, string) (map[string]plan.Generation, error) {
	return w.serving, nil
}

func (w *world) List(context.Context, string, string) ([]setops.Task, error) { return w.tasks, nil }

func service(w *world) *app.Service {
	return &app.Service{Store: w, Tasks: w, OpenEnv: func(string, *setops.App) (map[string]string, error) {
		return map[string]string{"A": "open"}, nil
	}}
}

func deployed() *world {
	w := &world{web: setops.NewApp("web"), serving: map[string]plan.Generation{"web": {ID: "g2"}}}
	w.web.ActiveRelease, w.web.Resources.Scale = 2, 3
	return w
}

func TestOnlyTasksOfTheServingGenerationAreCounted(t *testing.T) {
	w := deployed()
	for _, status := range []setops.TaskStatus{
		setops.Provisioning, setops.Pending, setops.Activating, setops.Running, setops.Deactivating, setops.Stopping,
		setops.Deprovisioning, setops.Stopped,
	} {
		w.tasks = append(w.tasks,
			setops.Task{Generation: "g1", Status: status}, setops.Task{Generation: "g2", Status: status}, setops.Task{Status: status})
	}
	_, got, err := service(w).Status(t.Context(), stage, "web")
	if err != nil || got.Running != 1 || got.Pending != 3 || got.Desired != 3 {
		t.Errorf("%+v, %v", got, err)
	}
	// Listed are those of every generation that have not ended, and no one-off tasks.
	if len(got.Tasks) != 14 {
		t.Errorf("%d tasks are listed", len(got.Tasks))
	}
	for _, task := range got.Tasks {
		if task.OneOff() || task.Status == setops.Stopped {
			t.Errorf("listed: %+v", task)
		}
	}
}

func TestWithoutAnActiveReleaseNothingIsDesired(t *testing.T) {
	w := deployed()
	w.web.ActiveRelease, w.serving = 0, nil
	info, err := service(w).Info(t.Context(), stage, "web")
	if err != nil || info.Status.Desired != 0 || info.Env["A"] != "open" {
		t.Errorf("%+v, %v", info, err)
	}
}

func TestAnAppThatIsNotCommittedDoesNotExist(t *testing.T) {
	w := deployed()
	_, err := service(w).App(t.Context(), stage, "gone")
	if !setops.IsCode(err, setops.AppDoesNotExist) {
		t.Errorf("got %v", err)
	}
	if _, err := service(w).Info(t.Context(), stage, "gone"); !setops.IsCode(err, setops.AppDoesNotExist) {
		t.Errorf("got %v", err)
	}
	w.fault = errors.New("disk on fire")
	if _, _, err := service(w).Status(t.Context(), stage, "gone"); !errors.Is(err, w.fault) {
		t.Errorf("got %v", err)
	}
}
