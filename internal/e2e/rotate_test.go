package e2e

import (
	"bytes"
	"strings"
	"testing"

	"github.com/setopsco/setops/internal/daemon"
	"github.com/setopsco/setops/pkg/api"
	"github.com/setopsco/setops/pkg/client"
)

// rotate runs `setopsd rotate-key` for the installation of a world.
func (w *world) rotate() (code int, said string) {
	var out bytes.Buffer
	args := []string{"rotate-key", "--data-dir", w.config.DataDir, "--database", w.config.Database}
	code = daemon.Main(args, func(string) string { return "" }, &out, &out)
	return code, out.String()
}

// leave stops a server before its test ends.
func (s *second) leave(t *testing.T) {
	t.Helper()
	s.cancel()
	err := <-s.ended
	s.ended <- nil // for the end of the test
	must(t, err)
}

// TestTheKeyIsNotChangedUnderAServer has two servers: as long as one of them runs, the key stays, whichever of them it is.
func TestTheKeyIsNotChangedUnderAServer(t *testing.T) {
	onlyPostgres(t)
	t.Parallel()
	ctx := t.Context()
	w, token := withStage(t)
	standby, err := w.join(t, nil)
	must(t, err)
	standby.await(t, "standby")
	stage := client.StageRef{ProjectRef: client.ProjectRef{Organization: organization, Project: "shop"}, Stage: "production"}
	const value = "a value that is sealed"
	isReadable := func(url string) {
		t.Helper()
		app, err := client.New(url, token, client.Options{}).App(ctx, client.AppRef{StageRef: stage, App: "web"})
		if err != nil || len(app.Env) != 1 || app.Env[0].Value == nil || *app.Env[0].Value != value {
			t.Errorf("%+v, %v", app.Env, err)
		}
	}
	first := client.New(w.url(), token, client.Options{})
	_, err = first.StageCommands(ctx, stage, api.AppCreate{Name: "web"}, api.EnvSet{Name: "web", Key: "K", Value: value})
	must(t, err)
	commit, err := first.StartCommit(ctx, stage, api.StartCommit{})
	must(t, err)
	_, err = first.WatchCommit(ctx, stage, commit.ID, func(api.Progress) {})
	must(t, err)

	refused := func(which string) {
		t.Helper()
		if code, said := w.rotate(); code != 1 || !strings.Contains(said, "another setopsd uses the data directory") {
			t.Errorf("while %s: exit code %d: %s", which, code, said)
		}
	}
	refused("both run")
	isReadable(w.url())
	isReadable("http://" + standby.APIAddress())
	must(t, w.stop())
	refused("one runs, which may stand by or have taken over")
	standby.await(t, "router=http")
	refused("the other one keeps the tasks")
	isReadable("http://" + standby.APIAddress())

	standby.leave(t)
	if code, said := w.rotate(); code != 0 {
		t.Fatalf("exit code %d: %s", code, said)
	}
	must(t, w.start())
	standby, err = w.join(t, nil)
	must(t, err)
	standby.await(t, "standby")
	isReadable(w.url())
	isReadable("http://" + standby.APIAddress())
	must(t, w.stop())
	standby.await(t, "router=http")
	isReadable("http://" + standby.APIAddress())
}
