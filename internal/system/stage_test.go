//go:build linux

package system

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/setopsco/setops/pkg/api"
	"github.com/setopsco/setops/pkg/client"
)

// patience is for what should take moments, on a machine that is busy.
const patience = time.Minute

// stage is one with apps that serve.
type stage struct {
	*server
	ref client.StageRef
}

// newStage makes a stage on which each of the apps is public, serves release 1 and answers 200 to its check.
func (s *server) newStage(t *testing.T, name string, apps ...string) *stage {
	t.Helper()
	st := &stage{server: s, ref: client.StageRef{ProjectRef: projectRef, Stage: name}}
	_, err := s.CreateStage(t.Context(), st.ref)
	must(t, err)
	var create []api.Arguments
	for _, app := range apps {
		create = append(create, api.AppCreate{Name: app}, api.NetworkSet{Name: app, Public: new(true), HealthCheckStatus: new("200")})
	}
	st.succeed(t, create...)
	image, err := appImage()
	must(t, err)
	var deploy []api.Arguments
	for _, app := range apps {
		deploy = append(deploy, st.release(t, app, image, 1)...)
	}
	st.succeed(t, deploy...)
	for _, app := range apps {
		st.serves(t, app)
	}
	return st
}

func (st *stage) app(name string) client.AppRef { return client.AppRef{StageRef: st.ref, App: name} }

// release pushes an image and gives the commands that make it the active release.
func (st *stage) release(t *testing.T, app string, image v1.Image, id int) []api.Arguments {
	t.Helper()
	digest := st.push(t, st.app(app), image)
	return []api.Arguments{api.ReleaseCreate{Name: app, Digest: digest}, api.ReleaseActivate{Name: app, ReleaseID: id}}
}

// commit stages and commits, and gives the id and the end of it.
func (st *stage) commit(t *testing.T, commands ...api.Arguments) (id string, end api.Progress) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*patience)
	defer cancel()
	_, err := st.StageCommands(ctx, st.ref, commands...)
	must(t, err)
	c, err := st.StartCommit(ctx, st.ref, api.StartCommit{})
	must(t, err)
	end, err = st.WatchCommit(ctx, st.ref, c.ID, func(api.Progress) {})
	must(t, err)
	return c.ID, end
}

func (st *stage) succeed(t *testing.T, commands ...api.Arguments) {
	t.Helper()
	if _, end := st.commit(t, commands...); end.State != "done" {
		t.Fatalf("stage %s: %+v", st.ref.Stage, end.Failure)
	}
}

// fail commits what must fail, and gives why: as data, and as it is on the screen.
func (st *stage) fail(t *testing.T, commands ...api.Arguments) (f api.Failure, screen string) {
	t.Helper()
	id, end := st.commit(t, commands...)
	if end.State != "failed" {
		t.Fatal("the commit has succeeded")
	}
	scope := []string{"-p", project, "-s", st.ref.Stage, "changeset:info", id}
	code, screen, stderr := st.setops(t, scope...)
	if code != 0 {
		t.Fatal(stderr)
	}
	code, text, stderr := st.setops(t, append(scope, "-o", "json")...)
	if code != 0 {
		t.Fatal(stderr)
	}
	var c api.Commit
	must(t, json.Unmarshal([]byte(text), &c))
	if c.Failure == nil {
		t.Fatalf("there is no failure in %s", text)
	}
	return *c.Failure, screen
}

// serves looks whether the app answers as its first release does.
func (st *stage) serves(t *testing.T, app string) {
	t.Helper()
	host := fmt.Sprintf("%s.%s.%s.localhost", app, st.ref.Stage, project)
	if status, body, err := st.visit(t.Context(), host, "/"); err != nil || status != 200 || body != "hello" {
		t.Errorf("app %s answers %d %q, %v", app, status, body, err)
	}
}

// isAsBefore looks whether nothing of a failed commit of n commands is left: the apps serve with one task each, every
// other task and its container is gone, and the changeset is there.
func (st *stage) isAsBefore(t *testing.T, n int, apps ...string) {
	t.Helper()
	for _, app := range apps {
		st.serves(t, app)
		tasks, err := st.Tasks(t.Context(), st.app(app))
		must(t, err)
		running := 0
		for _, task := range tasks {
			switch left := st.remains(t.Context(), task.ID); {
			case task.Status == "RUNNING":
				running++
			case task.Status != "STOPPED":
				t.Errorf("a task is left: %+v", task)
			case left != "":
				t.Errorf("of task %s is left: %s", task.ID, left)
			}
		}
		if running != 1 {
			t.Errorf("app %s has %d tasks", app, running)
		}
	}
	staged, err := st.Changeset(t.Context(), st.ref)
	if err != nil || len(staged.Commands) != n {
		t.Errorf("%d commands are staged, not %d, %v", len(staged.Commands), n, err)
	}
}
