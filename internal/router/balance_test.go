package router_test

import (
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/setopsco/setops/internal/router"
)

func TestRequestsGoToTheLeastBusyUpstream(t *testing.T) {
	f := newFront(t, router.Config{})
	release := make(chan struct{})
	slow, _ := backend(t, "slow", func(http.ResponseWriter, *http.Request) { <-release })
	f.Set("stage", route(testHost, slow))
	answered := f.inBackground(f.request(t, testHost, "/", nil))
	eventually(t, "a request waits at the slow upstream", func() bool { return f.InFlight("slow") == 1 })

	f.Set("stage", route(testHost, slow, named(t, "quick")))
	for range 50 {
		if code, body := f.get(t, testHost); code != http.StatusOK || body != "quick" {
			t.Fatalf("answered %d %q", code, body)
		}
	}
	close(release)
	if err := <-answered; err != nil {
		t.Error(err)
	}
	eventually(t, "nothing is in flight", func() bool { return f.InFlight("slow")+f.InFlight("quick") == 0 })
}

func TestEqualUpstreamsTakeTurns(t *testing.T) {
	f := newFront(t, router.Config{})
	f.Set("stage", route(testHost, named(t, "a"), named(t, "b"), named(t, "c")))
	counts := map[string]int{}
	for range 30 {
		_, body := f.get(t, testHost)
		counts[body]++
		eventually(t, "nothing is in flight", func() bool { return f.InFlight("a")+f.InFlight("b")+f.InFlight("c") == 0 })
	}
	if counts["a"] != 10 || counts["b"] != 10 || counts["c"] != 10 {
		t.Errorf("30 requests were spread as %v", counts)
	}
}

func TestADeadUpstreamCostsNoRequestWhateverTheMethod(t *testing.T) {
	f := newFront(t, router.Config{})
	alive, _ := backend(t, "alive", echo(1))
	f.Set("stage", route(testHost, dead(t, "dead-1"), alive, dead(t, "dead-2")))
	for i := range 30 {
		payload := strings.Repeat("x", i*1000)
		res, body := f.do(t, f.request(t, testHost, "/", io.MultiReader(strings.NewReader(payload))))
		if res.StatusCode != http.StatusOK || body != payload {
			t.Fatalf("POST %d got %s with %d of %d bytes", i, res.Status, len(body), len(payload))
		}
	}
}

func TestAppThatRefusesEveryConnectionIsABadGateway(t *testing.T) {
	f := newFront(t, router.Config{})
	f.Set("stage", route(testHost, dead(t, "a"), dead(t, "b")))
	for range 2 {
		if code, body := f.get(t, testHost); code != http.StatusBadGateway || body != "The app gave no answer.\n" {
			t.Errorf("answered %d %q", code, body)
		}
	}
}

func TestARequestThatWasSentIsNeverSentTwice(t *testing.T) {
	f := newFront(t, router.Config{})
	var seen atomic.Int64
	cut := func(w http.ResponseWriter, _ *http.Request) {
		seen.Add(1)
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		_ = conn.Close()
	}
	a, _ := backend(t, "a", cut)
	b, _ := backend(t, "b", cut)
	f.Set("stage", route(testHost, a, b))
	if code, _ := f.get(t, testHost); code != http.StatusBadGateway {
		t.Errorf("answered %d", code)
	}
	if seen.Load() != 1 {
		t.Errorf("the apps saw the request %d times", seen.Load())
	}
}

func TestAppWithoutTasksIsUnavailable(t *testing.T) {
	f := newFront(t, router.Config{})
	f.Set("stage", route(testHost))
	res, body := f.do(t, f.request(t, testHost, "/", nil))
	if res.StatusCode != http.StatusServiceUnavailable || body != "The app has no healthy task at the moment.\n" {
		t.Errorf("answered %d %q", res.StatusCode, body)
	}
	if retry := res.Header.Get("Retry-After"); retry != "10" {
		t.Errorf("Retry-After is %q", retry)
	}
}
