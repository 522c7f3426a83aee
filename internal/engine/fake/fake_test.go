package fake_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/engine/fake"
	"github.com/setopsco/setops/internal/setops"
)

var stage = setops.StageRef{ID: "s1", Organization: "demo", Project: "shop", Name: "staging"}

func newEngine(t *testing.T, cfg fake.Config) *fake.Engine {
	t.Helper()
	e, err := fake.New(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return e
}

func generation(id string, scale int) engine.Generation {
	return engine.Generation{
		ID: id, Stage: stage, App: "web", Release: 1, Scale: scale,
		Container: engine.Container{
			Image: engine.Image{Repository: "demo/shop/staging/web", Digest: "sha256:" + id},
			Env:   []string{"PORT=5000", "GREETING=hello"}, Memory: 128, Port: 5000,
		},
		NetworkCheck: &setops.NetworkCheck{Protocol: setops.HTTP, Path: "/", Status: "200-499"},
		StartTimeout: time.Minute, StopTimeout: time.Minute,
	}
}

func TestADeployTakesAFewMilliseconds(t *testing.T) {
	e := newEngine(t, fake.Config{})
	ctx := t.Context()
	begin := time.Now()
	if err := e.Ensure(ctx, generation("g1", 2)); err != nil {
		t.Fatal(err)
	}
	if err := e.Await(ctx, "g1"); err != nil {
		t.Fatal(err)
	}
	t.Log("ready after", time.Since(begin))
	tasks, err := e.List(ctx, "s1", "web")
	if err != nil || len(tasks) != 2 {
		t.Fatalf("%v, %v", tasks, err)
	}
	for _, task := range tasks {
		if got := get(t, "http://"+task.Address+"/env/GREETING"); got != "hello" {
			t.Errorf("got %q", got)
		}
	}
	if err := e.Remove(ctx, "g1", 0); err != nil {
		t.Fatal(err)
	}
	t.Log("gone after", time.Since(begin))
}

func get(t *testing.T, url string) string {
	t.Helper()
	response, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close() //nolint:errcheck // a test's
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

func TestAHandlerCanBeAnApp(t *testing.T) {
	e := newEngine(t, fake.Config{})
	e.SetImage("sha256:g1", fake.Handle(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, "mine")
	})))
	if err := e.Ensure(t.Context(), generation("g1", 1)); err != nil {
		t.Fatal(err)
	}
	if err := e.Await(t.Context(), "g1"); err != nil {
		t.Fatal(err)
	}
	tasks, _ := e.List(t.Context(), "s1", "web")
	if got := get(t, "http://"+tasks[0].Address); got != "mine" {
		t.Errorf("got %q", got)
	}
	if err := e.Remove(context.Background(), "g1", 0); err != nil {
		t.Fatal(err)
	}
}
