package router_test

import (
	"context"
	"errors"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/setopsco/setops/internal/probe"
	"github.com/setopsco/setops/internal/router"
)

var errSick = errors.New("sick")

// patient is asked by a check that waits for the test to say how it feels, so that no check is missed.
type patient struct {
	asked chan error
	route router.Route
}

func newPatient(up router.Upstream) *patient {
	p := &patient{asked: make(chan error)}
	p.route = router.Route{Host: testHost, Upstreams: []router.Upstream{up}, Check: p.check, CheckKey: "1"}
	return p
}

func (p *patient) check(ctx context.Context, _ string) error {
	select {
	case err := <-p.asked:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func quick() router.Config {
	return router.Config{ProbeInterval: time.Millisecond, ProbeTimeout: time.Minute}
}

func TestThreeFailuresTakeAnUpstreamOutAndOneSuccessPutsItBack(t *testing.T) {
	f := newFront(t, quick())
	p := newPatient(named(t, "a"))
	f.Set("stage", []router.Route{p.route})
	code := func() int { code, _ := f.get(t, testHost); return code }

	for _, verdict := range []error{errSick, errSick, nil, errSick, errSick} {
		p.asked <- verdict
	}
	eventually(t, "two failures are counted", func() bool { return f.Health()["a"].Failures == 2 })
	if code() != http.StatusOK {
		t.Error("it went out before three failures in a row")
	}
	p.asked <- errSick
	eventually(t, "the upstream is out", func() bool { return !f.Health()["a"].Healthy })
	if code() != http.StatusServiceUnavailable {
		t.Error("it is out, yet answers")
	}
	if h := f.Health()["a"]; h.Failures != 3 || !errors.Is(h.LastFailure, errSick) {
		t.Errorf("health is %+v", h)
	}
	p.asked <- nil
	eventually(t, "the upstream is back", func() bool { return f.Health()["a"].Healthy })
	if code() != http.StatusOK {
		t.Error("it is back, yet does not answer")
	}
}

func TestVerdictsOutliveASwap(t *testing.T) {
	f := newFront(t, quick())
	p := newPatient(named(t, "a"))
	f.Set("stage", []router.Route{p.route})
	for range 3 {
		p.asked <- errSick
	}
	eventually(t, "the upstream is out", func() bool { return !f.Health()["a"].Healthy })

	f.Set("stage", append(route("other.localhost", named(t, "b")), p.route))
	if code, _ := f.get(t, testHost); code != http.StatusServiceUnavailable {
		t.Errorf("the swap put it back: answered %d", code)
	}
	p.asked <- nil
	eventually(t, "the upstream is back", func() bool { return f.Health()["a"].Healthy })
}

func TestANewCheckTakesOver(t *testing.T) {
	f := newFront(t, quick())
	old := newPatient(named(t, "a"))
	f.Set("stage", []router.Route{old.route})
	for range 3 {
		old.asked <- errSick
	}
	eventually(t, "the upstream is out", func() bool { return !f.Health()["a"].Healthy })

	mended := old.route
	mended.CheckKey = "2"
	mended.Check = func(context.Context, string) error { return nil }
	f.Set("stage", []router.Route{mended})
	eventually(t, "the upstream is back", func() bool { return f.Health()["a"].Healthy })
	select {
	case old.asked <- errSick:
		t.Error("the old check is still asked")
	default:
	}
}

func TestWithoutACheckAnUpstreamIsHealthy(t *testing.T) {
	f := newFront(t, quick())
	p := newPatient(named(t, "a"))
	f.Set("stage", []router.Route{p.route})
	for range 3 {
		p.asked <- errSick
	}
	eventually(t, "the upstream is out", func() bool { return !f.Health()["a"].Healthy })

	p.route.Check = nil
	f.Set("stage", []router.Route{p.route})
	if code, _ := f.get(t, testHost); code != http.StatusOK {
		t.Errorf("answered %d", code)
	}
}

func TestACheckThatTakesTooLongIsAFailure(t *testing.T) {
	f := newFront(t, router.Config{ProbeInterval: time.Millisecond, ProbeTimeout: 5 * time.Millisecond})
	p := newPatient(named(t, "a"))
	f.Set("stage", []router.Route{p.route})
	eventually(t, "the upstream is out", func() bool { return !f.Health()["a"].Healthy })
	if err := f.Health()["a"].LastFailure; !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("last failure is %v", err)
	}
}

func TestASickTaskGetsNoRequestsWhileTheOtherAnswers(t *testing.T) {
	f := newFront(t, quick())
	var sick atomic.Bool
	up, _ := backend(t, "a", func(w http.ResponseWriter, _ *http.Request) {
		if sick.Load() {
			w.WriteHeader(http.StatusInternalServerError)
		}
	})
	accepted, err := probe.ParseStatus("200-499")
	if err != nil {
		t.Fatal(err)
	}
	check := probe.HTTP{Path: "/", Status: accepted}
	r := router.Route{Host: testHost, Upstreams: []router.Upstream{up, named(t, "b")}, Check: check.Probe}
	f.Set("stage", []router.Route{r})

	sick.Store(true)
	eventually(t, "the sick one is out", func() bool { return !f.Health()["a"].Healthy })
	for range 20 {
		if code, body := f.get(t, testHost); code != http.StatusOK || body != "b" {
			t.Fatalf("answered %d %q", code, body)
		}
	}
	sick.Store(false)
	eventually(t, "it is back", func() bool { return f.Health()["a"].Healthy })
}

func TestDepartedUpstreamsAreNeitherAskedNorRemembered(t *testing.T) {
	f := newFront(t, quick())
	p := newPatient(named(t, "a"))
	f.Set("stage", []router.Route{p.route})
	p.asked <- nil
	f.Set("stage", nil)
	if health := f.Health(); len(health) != 0 {
		t.Errorf("health is %v", health)
	}
}

func TestCloseWaitsForRunningChecks(t *testing.T) {
	r := router.New(quick())
	started := make(chan struct{}, 100)
	var active atomic.Int64
	check := func(ctx context.Context, _ string) error {
		active.Add(1)
		defer active.Add(-1)
		started <- struct{}{}
		<-ctx.Done()
		return ctx.Err()
	}
	r.Set("stage", router.Routes{HTTP: []router.Route{{Host: testHost, Upstreams: []router.Upstream{{ID: "a"}, {ID: "b"}}, Check: check}}})
	<-started
	<-started
	r.Close()
	if active.Load() != 0 {
		t.Errorf("%d checks run on", active.Load())
	}
}

func TestAnUnprovenUpstreamStandsBackUntilACheckHasPassed(t *testing.T) {
	f := newFront(t, quick())
	fresh := newPatient(named(t, "fresh"))
	fresh.route.Unproven = true
	f.Set("stage", []router.Route{fresh.route})
	if _, body := f.get(t, testHost); body != "fresh" {
		t.Errorf("where there is no other, %q answered", body)
	}

	fresh.route.Upstreams = append(fresh.route.Upstreams, dead(t, "dead"))
	fresh.route.Upstreams = append(fresh.route.Upstreams, router.Upstream{ID: "fresh", Addr: fresh.route.Upstreams[0].Addr})
	f.Set("stage", []router.Route{fresh.route})
	if f.Health()["fresh"].Proven || f.Health()["dead"].Proven {
		t.Error("somebody is proven without a check")
	}
}

func TestAProvenUpstreamGoesBeforeUnprovenOnes(t *testing.T) {
	f := newFront(t, quick())
	fresh := newPatient(named(t, "fresh"))
	old := named(t, "old")
	fresh.route.Upstreams = append(fresh.route.Upstreams, old)
	proven := router.Route{Host: "old.localhost", Upstreams: []router.Upstream{old}}
	fresh.route.Unproven = true
	f.Set("stage", []router.Route{proven, fresh.route})
	for range 20 {
		if _, body := f.get(t, testHost); body != "old" {
			t.Fatalf("%q answered", body)
		}
	}
	for !f.Health()["fresh"].Proven {
		select {
		case fresh.asked <- nil: // the check of either
		case <-t.Context().Done():
			t.Fatal("no check proves it")
		}
	}
	eventually(t, "the fresh one is chosen", func() bool {
		_, body := f.get(t, testHost)
		return body == "fresh"
	})
}

func TestProofOutlivesASwap(t *testing.T) {
	f := newFront(t, quick())
	p := newPatient(named(t, "a"))
	p.route.Unproven = true
	f.Set("stage", []router.Route{p.route})
	p.asked <- nil
	eventually(t, "it is proven", func() bool { return f.Health()["a"].Proven })
	f.Set("stage", append(route("other.localhost", named(t, "b")), p.route))
	if !f.Health()["a"].Proven {
		t.Error("the proof was forgotten")
	}
}

func TestAnUnprovenUpstreamIsAskedAgainSoon(t *testing.T) {
	f := newFront(t, router.Config{ProbeInterval: time.Hour})
	var asked atomic.Int64
	check := func(context.Context, string) error {
		if asked.Add(1) < 5 {
			return errSick
		}
		return nil
	}
	f.Set("stage", []router.Route{{
		Host: testHost, Upstreams: []router.Upstream{named(t, "a")}, Check: check, CheckKey: "1", Unproven: true,
	}})
	eventually(t, "it is proven though the interval is an hour", func() bool { return f.Health()["a"].Proven })
	if h := f.Health()["a"]; !h.Healthy || h.Failures != 0 {
		t.Errorf("health is %+v", h)
	}
}
