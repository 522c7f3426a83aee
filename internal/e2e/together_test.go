package e2e

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/setopsco/setops/pkg/api"
	"github.com/setopsco/setops/pkg/client"
)

// ref is the stage of withStage.
var ref = client.StageRef{ProjectRef: client.ProjectRef{Organization: organization, Project: "shop"}, Stage: "production"}

// TestUsersWhoCommitAtOnceLoseNothing lets three users stage and commit on one stage as fast as they can. Each commit
// either goes through or is told to wait; in the end all that anybody committed is there.
func TestUsersWhoCommitAtOnceLoseNothing(t *testing.T) {
	t.Parallel()
	const users, commits = 3, 6
	w, token := withStage(t)
	w.must(t, token, "POST", production+"/changeset/commands", `{"commands":[{"name":"app:create","arguments":{"name":"web"}}]}`)
	boss := client.New(w.url(), token, client.Options{})
	if err := commitAll(t.Context(), boss); err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for u := range users {
		email := fmt.Sprintf("user%d@example.com", u)
		if err := errors.Join(w.addUser(t.Context(), email), w.grant(t.Context(), email, "shop", "member")); err != nil {
			t.Fatal(err)
		}
		token, err := w.signIn(t.Context(), email)
		if err != nil {
			t.Fatal(err)
		}
		c := client.New(w.url(), token, client.Options{})
		all.Go(func() {
			for i := range commits {
				_, err := c.StageCommands(t.Context(), ref, api.EnvSet{Name: "web", Key: fmt.Sprintf("U%d_%d", u, i), Value: "x"})
				if err == nil {
					err = commitAll(t.Context(), c)
				}
				if err != nil {
					t.Errorf("%s, commit %d: %v", email, i, err)
					return
				}
			}
		})
	}
	all.Wait()
	app, err := boss.App(t.Context(), client.AppRef{StageRef: ref, App: "web"})
	if err != nil || len(app.Env) != users*commits {
		t.Errorf("%d variables are there, not %d; %v", len(app.Env), users*commits, err)
	}
}

// commitAll commits what is staged, as often as it is told that another commit runs.
func commitAll(ctx context.Context, c *client.Client) error {
	for deadline := time.Now().Add(patience); ; {
		commit, err := c.StartCommit(ctx, ref, api.StartCommit{})
		var refused *api.ServiceError
		switch {
		case err == nil:
			return watch(ctx, c, commit.ID)
		case !errors.As(err, &refused) || !refused.HasCode("CommitAlreadyRunning") || time.Now().After(deadline):
			return err
		}
	}
}

func watch(ctx context.Context, c *client.Client, id string) error {
	end, err := c.WatchCommit(ctx, ref, id, func(api.Progress) {})
	if err == nil && end.State != "done" {
		err = fmt.Errorf("the commit ended as %s: %+v", end.State, end.Failure)
	}
	return err
}

// TestNoRequestIsLostByADeploy asks the app all the time while it is deployed anew, scaled, changed, and fails to be.
func TestNoRequestIsLostByADeploy(t *testing.T) {
	t.Parallel()
	w, token := withStage(t)
	c := client.New(w.url(), token, client.Options{})
	commit := func(commands ...api.Arguments) error {
		if _, err := c.StageCommands(t.Context(), ref, commands...); err != nil {
			return err
		}
		return commitAll(t.Context(), c)
	}
	release := func(n int) error {
		digest, err := w.push(t.Context(), "demo/shop/production/web:v1", admin, passwordOf(admin))
		if err != nil {
			return err
		}
		if n < 0 {
			n = -n
			image, err := w.behaviour([]string{"exit", "1"})
			if err != nil {
				return err
			}
			w.runtime.SetImage(digest, image)
		}
		return commit(api.ReleaseCreate{Name: "web", Digest: digest}, api.ReleaseActivate{Name: "web", ReleaseID: n})
	}
	scale := func(n int) error { return commit(api.ResourceSet{Name: "web", Scale: &n}) }
	public := true
	err := commit(api.AppCreate{Name: "web"}, api.NetworkSet{Name: "web", Public: &public})
	if err = errors.Join(err, release(1)); err != nil {
		t.Fatal(err)
	}

	ctx, stop := context.WithCancel(t.Context())
	var askers sync.WaitGroup
	var answered atomic.Int64
	for range 4 {
		askers.Go(func() { answered.Add(w.askUntil(ctx, t, "web.production.shop.localhost")) })
	}
	err = errors.Join(release(2), scale(3), release(3), scale(1),
		commit(api.EnvSet{Name: "web", Key: "A", Value: "x"}), scale(2))
	if err != nil {
		t.Error(err)
	}
	if err := release(-4); err == nil {
		t.Error("an app that ends at once was deployed")
	}
	stop()
	askers.Wait()
	if answered.Load() < 20 {
		t.Errorf("only %d requests were answered", answered.Load())
	}
}

// askUntil asks the router for a host, one request after the other, and counts the answers. Every one has to be 200.
func (w *world) askUntil(ctx context.Context, t *testing.T, host string) (answered int64) {
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	for ctx.Err() == nil {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+w.config.HTTPListen+"/", nil)
		if err != nil {
			t.Error(err)
			return answered
		}
		r.Host = host
		response, err := transport.RoundTrip(r)
		if err != nil {
			t.Errorf("request %d: %v", answered, err)
			return answered
		}
		_, err = io.Copy(io.Discard, response.Body)
		if err = errors.Join(err, response.Body.Close()); err != nil || response.StatusCode != http.StatusOK {
			t.Errorf("request %d: %s, %v", answered, response.Status, err)
			return answered
		}
		answered++
	}
	return answered
}
