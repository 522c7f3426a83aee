//go:build linux

package system

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/setopsco/setops/pkg/api"
)

func TestOneIllAppOfACommitLeavesEveryAppAsItWas(t *testing.T) {
	t.Parallel()
	onEachEngine(t, func(t *testing.T, engine string) {
		s := openServer(t, engine, nil)
		st := s.newStage(t, "pair", "web", "api")
		watching := st.watch(t, "web", "api")
		f, screen := st.fail(t,
			api.ContainerSet{Name: "web", Command: []string{"body=new", "serve"}},
			api.ContainerSet{Name: "api", Command: []string{"status=503", "serve"}, StartTimeout: new(shortTimeout)},
		)
		watching()
		if f.App != "api" || f.Check != network || f.LastAnswer == nil || f.LastAnswer.Status != 503 {
			t.Errorf("got %+v", f)
		}
		if len(f.Others) > 0 || !strings.Contains(screen, "app api did not get ready") {
			t.Errorf("the screen is %s", screen)
		}
		st.isAsBefore(t, 2, "web", "api")
	})
}

func TestAppsThatFailForTheSameReasonAreAllNamed(t *testing.T) {
	t.Parallel()
	onEachEngine(t, func(t *testing.T, engine string) {
		s := openServer(t, engine, nil)
		st := s.newStage(t, "pair", "web", "api")
		f, screen := st.fail(t,
			api.ContainerSet{Name: "web", Command: []string{"print=no database", "exit=1"}},
			api.ContainerSet{Name: "api", Command: []string{"print=no database", "exit=1"}},
		)
		if len(f.Others) != 1 || f.Others[0].App == f.App || !strings.Contains(f.Others[0].Message, "exited with code 1") {
			t.Errorf("got %+v", f)
		} else if !strings.Contains(screen, "App "+f.Others[0].App+":") {
			t.Errorf("the screen is %s", screen)
		}
		st.isAsBefore(t, 2, "web", "api")
	})
}

func TestValuesOfTheEnvironmentAreNotInAFailure(t *testing.T) {
	t.Parallel()
	onEachEngine(t, func(t *testing.T, engine string) {
		const secret = "correct-horse-battery"
		s := openServer(t, engine, nil)
		st := s.newStage(t, "secret", "web")
		f, screen := st.fail(t,
			api.EnvSet{Name: "web", Key: "PASSWORD", Value: secret},
			api.ContainerSet{
				Name: "web", Command: []string{"print=with $PASSWORD", "status=500", "body=not $PASSWORD", "serve"},
				StartTimeout: new(shortTimeout),
			},
		)
		if f.LastAnswer == nil || f.LastAnswer.Body != "not ${PASSWORD}" || strings.Join(f.Log, "\n") != "with ${PASSWORD}" {
			t.Errorf("got %+v, %+v", f, f.LastAnswer)
		}
		if strings.Contains(fmt.Sprintf("%+v %+v %s", f, f.LastAnswer, screen), secret) {
			t.Errorf("the screen is %s", screen)
		}
		st.isAsBefore(t, 2, "web")
	})
}

func TestAnImageForAnotherMachineNamesBoth(t *testing.T) {
	t.Parallel()
	onEachEngine(t, func(t *testing.T, engine string) {
		s := openServer(t, engine, nil)
		st := s.newStage(t, "foreign", "web")
		layer, err := layerOf(map[string]file{"app": {0o755, []byte("#!/bin/sh\n")}})
		must(t, err)
		other := "arm64"
		if runtime.GOARCH == other {
			other = "amd64"
		}
		image, err := imageOf(other, layer)
		must(t, err)
		f, screen := st.fail(t, st.release(t, "web", image, 2)...)
		if f.Code != "CommitFailed" || f.Check != "image" || f.App != "web" || f.Release != 2 || !strings.Contains(screen, f.Message) {
			t.Errorf("got %+v", f)
		}
		for _, part := range []string{"the image of app web cannot run here", other, runtime.GOARCH} {
			if !strings.Contains(f.Message, part) {
				t.Errorf("%q lacks %q", f.Message, part)
			}
		}
		st.isAsBefore(t, 2, "web")
	})
}

// TestAReleaseTakesOverWithoutALostRequest is a failover under load: every request is answered, and once the new release has
// answered the old one never does again.
func TestAReleaseTakesOverWithoutALostRequest(t *testing.T) {
	t.Parallel()
	onEachEngine(t, func(t *testing.T, engine string) {
		s := openServer(t, engine, nil)
		st := s.newStage(t, "failover", "web")
		count := st.visitWhile(t, func() {
			st.succeed(t, api.ContainerSet{Name: "web", Command: []string{"body=new", "serve"}})
		})
		if count["hello"] == 0 || count["new"] == 0 {
			t.Errorf("answers: %v", count)
		}
	})
}

// visitWhile visits web until do is done and the new command has answered for a while. It gives how often each answer came.
func (st *stage) visitWhile(t *testing.T, do func()) map[string]int {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended, count := make(chan struct{}), map[string]int{}
	host := fmt.Sprintf("web.%s.%s.localhost", st.ref.Stage, project)
	const enough = 200
	go func() {
		defer close(ended)
		for ctx.Err() == nil || count["new"] < enough {
			status, body, err := st.visit(context.WithoutCancel(ctx), host, "/")
			if count[body]++; err != nil || status != 200 || body != "new" && count["new"] > 0 {
				t.Errorf("after %v: %d %q, %v", count, status, body, err)
				return
			}
		}
	}()
	do()
	cancel()
	<-ended
	return count
}

// watch visits the apps until the function that it gives is called: every answer must be that of release 1.
func (st *stage) watch(t *testing.T, apps ...string) (stop func()) {
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for n := 0; ctx.Err() == nil; n++ {
			app := apps[n%len(apps)]
			status, body, err := st.visit(ctx, fmt.Sprintf("%s.%s.%s.localhost", app, st.ref.Stage, project), "/")
			if ctx.Err() == nil && (err != nil || status != 200 || body != "hello") {
				t.Errorf("visit %d: app %s answers %d %q, %v", n, app, status, body, err)
				return
			}
		}
	}()
	return func() { cancel(); <-ended }
}
