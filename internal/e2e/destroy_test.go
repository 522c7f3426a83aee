package e2e

import (
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/setopsco/setops/internal/engine/fake"
	"github.com/setopsco/setops/pkg/api"
	"github.com/setopsco/setops/pkg/client"
)

// A stage that is destroyed in the midst of a queue, twice at once, by people who cancel and watch meanwhile, leaves nothing;
// and a stage of the same name that is made at once has all that is its own.
func TestAStageThatIsDestroyedInTheMidstOfItsQueueLeavesNothing(t *testing.T) {
	t.Parallel()
	w, token := withStage(t)
	serveWeb(t, w, token)
	c := client.New(w.url(), token, client.Options{})
	digest, err := w.push(t.Context(), "demo/shop/production/web:v2", admin, passwordOf(admin))
	must(t, err)
	w.runtime.SetImage(digest, fake.Words("sleep", "3600"))
	queued := make([]string, 0, 100)
	for i := range 100 {
		if i == 3 { // it runs a task before the activation that takes an hour
			_, err = c.StageCommands(t.Context(), ref, api.ReleaseCreate{Name: "web", Digest: digest},
				api.ReleaseActivate{Name: "web", ReleaseID: 2, Before: []string{"sleep", "3600"}})
		} else {
			_, err = c.StageCommands(t.Context(), ref, api.EnvSet{Name: "web", Key: "N", Value: strings.Repeat("x", i+1)})
		}
		must(t, err)
		started, err := c.StartCommit(t.Context(), ref, api.StartCommit{})
		must(t, err)
		queued = append(queued, started.ID)
	}
	var all sync.WaitGroup
	for _, id := range queued {
		all.Go(func() {
			if rand.N(4) == 0 {
				_, _ = c.Cancel(t.Context(), ref, id) // it may be gone
			}
			_, _ = c.WatchCommit(t.Context(), ref, id, func(api.Progress) {}) // it ends, as the stage does
		})
	}
	for range 2 {
		all.Go(func() {
			if a := w.do(t, request{method: "DELETE", path: production, token: token}); a.status != http.StatusNoContent && a.status != http.StatusNotFound {
				t.Errorf("%d %s", a.status, a.body)
			}
		})
	}
	all.Go(func() { createSoon(t, w, token) })
	all.Wait()
	if w.do(t, request{method: "GET", path: production, token: token}).status == http.StatusNotFound {
		createSoon(t, w, token) // one of the two asked so late that it has destroyed the new stage
	}
	// What the first stage had is gone, and nobody takes the images of the second.
	serveWeb(t, w, token)
	if found, err := w.runtime.List(t.Context()); err != nil || len(found) != 1 {
		t.Errorf("%d containers, not the one of the new stage: %v", len(found), err)
	}
	if networks, err := w.runtime.Networks(t.Context()); err != nil || len(networks) != 1 {
		t.Errorf("networks %v, %v", networks, err)
	}
}

// createSoon makes stage production as soon as the one that there is is gone.
func createSoon(t *testing.T, w *world, token string) {
	t.Helper()
	for {
		a := w.do(t, request{method: "POST", path: shop + "/stages", token: token, body: `{"name":"production"}`})
		switch {
		case a.status == http.StatusCreated:
			return
		case a.status != http.StatusConflict || t.Context().Err() != nil:
			t.Errorf("%d %s", a.status, a.body)
			return
		}
	}
}
