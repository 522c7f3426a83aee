package engine_test

import (
	"reflect"
	"testing"
	"time"

	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/setops"
)

func TestAOneOffTaskRunsWhatItsAppDoesButForWhatIsSaid(t *testing.T) {
	app := setops.NewApp("web")
	app.Container = setops.Container{Command: []string{"puma"}, Entrypoint: []string{"launch"}, StopTimeout: 90}
	stage := setops.StageRef{ID: "s", Organization: "demo", Project: "shop", Name: "production"}
	as := func(o engine.Override) engine.Container {
		got := engine.OneOffOf(stage, app, setops.Release{ID: 3, Digest: "sha256:x"}, "7a5c", map[string]string{"A": "b"}, o)
		if got.ID != "7a5c" || got.App != "web" || got.Release != 3 || got.StopTimeout != 90*time.Second || got.Limit != 24*time.Hour {
			t.Errorf("%+v", got)
		}
		return got.Container
	}
	plain := as(engine.Override{})
	if !reflect.DeepEqual(plain, engine.ContainerOf(stage, app, "sha256:x", map[string]string{"A": "b"})) {
		t.Errorf("%+v", plain)
	}
	arguments, entrypoint, both, sized := plain, plain, plain, plain
	arguments.Command = []string{"rake"}
	entrypoint.Entrypoint, entrypoint.Command = []string{"sh"}, nil
	both.Entrypoint, both.Command = []string{"sh"}, []string{"-c", "x"}
	sized.CPU, sized.Memory = 256, 512
	for name, test := range map[string]struct{ got, want engine.Container }{
		"arguments":  {as(engine.Override{Arguments: []string{"rake"}}), arguments},
		"entrypoint": {as(engine.Override{Entrypoint: []string{"sh"}}), entrypoint},
		"both":       {as(engine.Override{Entrypoint: []string{"sh"}, Arguments: []string{"-c", "x"}}), both},
		"size":       {as(engine.Override{CPU: 256, Memory: 512}), sized},
	} {
		if !reflect.DeepEqual(test.got, test.want) {
			t.Errorf("%s: %+v, not %+v", name, test.got, test.want)
		}
	}
}
