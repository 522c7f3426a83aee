package edge_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/setopsco/setops/internal/edge/edgetest"
	"github.com/setopsco/setops/internal/edge/published"
	"github.com/setopsco/setops/internal/routing"
)

func TestARouterIsReadyOnceItHasAllThatWasPublished(t *testing.T) {
	n := &edgetest.Namespace{}
	r := start(t, n)
	until(t, "alive", func() bool { return r.status("/livez") == http.StatusNoContent })
	p := publisher(t, n, podsOf(r))
	p.Set("s1", apps(app("web", task(t, "web-1"))))
	if got := r.status("/readyz"); got != http.StatusServiceUnavailable {
		t.Errorf("ready before anything is published: %d", got)
	}
	p.Complete()
	until(t, "ready", func() bool { return r.status("/readyz") == http.StatusNoContent })
	if got := r.get("web.example.net"); got != "web-1" {
		t.Errorf("answer of a ready router: %s", got)
	}
}

func TestARouterThatStartsWhileNoServerRunsServes(t *testing.T) {
	n := &edgetest.Namespace{}
	first := start(t, n)
	p := publisher(t, n, podsOf(first))
	p.Set("s1", apps(app("web", task(t, "web-1"))))
	p.Complete()
	until(t, "ready", func() bool { return first.status("/readyz") == http.StatusNoContent })
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	second := start(t, n)
	until(t, "ready", func() bool { return second.status("/readyz") == http.StatusNoContent })
	for _, r := range []*replica{first, second} {
		if got := r.get("web.example.net"); got != "web-1" {
			t.Errorf("without a server: %s", got)
		}
	}
}

func TestOlderRoutesDoNotReplaceNewerOnes(t *testing.T) {
	n := &edgetest.Namespace{}
	r := start(t, n)
	p := publisher(t, n, podsOf(r))
	p.Set("s1", apps(app("web", task(t, "new"))))
	p.Complete()
	until(t, "the new one answers", func() bool { return r.get("web.example.net") == "new" })
	o, err := n.Get(t.Context(), published.KindStage, published.StageName("s1"))
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	stale, err := published.Stage{ID: "s1", Routes: apps(app("web", task(t, "old")))}.Object(published.Version{Term: o.Version.Term})
	if err != nil {
		t.Fatal(err)
	}
	stale.Resource = o.Resource
	if stale, err = n.Update(t.Context(), stale); err != nil {
		t.Fatal(err)
	}
	// What comes behind it has been followed: so has it.
	behind, err := published.Stage{ID: "s2", Routes: apps(app("other", task(t, "other")))}.Object(published.Version{Term: 1})
	if err != nil {
		t.Fatal(err)
	}
	if _, err = n.Create(t.Context(), behind); err != nil {
		t.Fatal(err)
	}
	until(t, "the other stage answers", func() bool { return r.get("other.example.net") == "other" })
	if got := r.get("web.example.net"); got != "new" {
		t.Errorf("%s answers", got)
	}
}

func TestADrainWaitsForEveryRouter(t *testing.T) {
	n := &edgetest.Namespace{}
	one, two := start(t, n), start(t, n)
	p := publisher(t, n, podsOf(one, two))
	old, entered, goOn := slowTask(t, "old")
	next := task(t, "next")
	p.Set("s1", apps(app("web", old)))
	p.Complete()
	if err := p.Drain(t.Context(), "s1", "never"); err != nil {
		t.Errorf("drain a task that was never routed: %v", err)
	}
	until(t, "ready", func() bool { return two.status("/readyz") == http.StatusNoContent })
	slow := make(chan string, 1)
	go func() { slow <- two.ask("web.example.net", "/slow") }() // ends with the answer
	<-entered
	p.Set("s1", apps(app("web", next)))
	var drained atomic.Bool
	done := make(chan error, 1)
	go func() { // ends with the drain
		err := p.Drain(t.Context(), "s1", "old")
		drained.Store(true)
		done <- err
	}()
	until(t, "both have switched", func() bool {
		return one.get("web.example.net") == "next" && two.get("web.example.net") == "next"
	})
	if drained.Load() {
		t.Error("drained while a request is in flight")
	}
	close(goOn)
	if err := <-done; err != nil {
		t.Error(err)
	}
	if got := <-slow; got != "old" {
		t.Errorf("the slow request got %s", got)
	}
}

func TestADrainLeavesARouterOutThatDies(t *testing.T) {
	n := &edgetest.Namespace{}
	one, two := start(t, n), start(t, n)
	there := podsOf(one, two)
	p := publisher(t, n, there)
	p.Set("s1", apps(app("web", task(t, "old"))))
	p.Complete()
	until(t, "ready", func() bool { return two.status("/readyz") == http.StatusNoContent })
	two.end()
	<-two.ended
	p.Set("s1", apps(app("web", task(t, "next"))))
	done := make(chan error, 1)
	go func() { done <- p.Drain(t.Context(), "s1", "old") }() // ends with the drain
	until(t, "the other one has switched", func() bool { return one.get("web.example.net") == "next" })
	select {
	case err := <-done:
		t.Fatalf("drained while a router may run that does not answer: %v", err)
	default:
	}
	there.die(two)
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestADrainEndsInTime(t *testing.T) {
	n := &edgetest.Namespace{}
	r := start(t, n)
	there := podsOf(r)
	p := publisher(t, n, there)
	p.Set("s1", apps(app("web", task(t, "old"))))
	p.Complete()
	until(t, "ready", func() bool { return r.status("/readyz") == http.StatusNoContent })
	r.end()
	<-r.ended
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := p.Drain(ctx, "s1", "old"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
}

func TestAStageThatIsRemovedIsReached(t *testing.T) {
	n := &edgetest.Namespace{}
	r := start(t, n)
	p := publisher(t, n, podsOf(r))
	p.Set("s1", apps(app("web", task(t, "web-1"))))
	p.Complete()
	until(t, "it answers", func() bool { return r.get("web.example.net") == "web-1" })
	p.Set("s1", routing.Routes{})
	if err := p.Drain(t.Context(), "s1", "web-1"); err != nil {
		t.Error(err)
	}
	if got := r.get("web.example.net"); got != "404" {
		t.Errorf("a host of a stage that is gone: %s", got)
	}
}

func TestNobodyDrainsWithoutTheKey(t *testing.T) {
	n := &edgetest.Namespace{}
	r := start(t, n)
	p := publisher(t, n, podsOf(r))
	p.Complete()
	until(t, "ready", func() bool { return r.status("/readyz") == http.StatusNoContent })
	body, err := json.Marshal(published.Drain{Stage: "s1", Removed: true, Within: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	for given, want := range map[string]int{
		"": http.StatusUnauthorized, "Bearer ": http.StatusUnauthorized, "Bearer " + key + "0": http.StatusUnauthorized, key: http.StatusUnauthorized,
		"Bearer " + key: http.StatusNoContent,
	} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+r.admin+published.DrainPath, bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		if given != "" {
			req.Header.Set("Authorization", given)
		}
		answer, err := r.client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = answer.Body.Close()
		if answer.StatusCode != want {
			t.Errorf("with %q: %d", given, answer.StatusCode)
		}
	}
}
