package router_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/setopsco/setops/internal/router"
)

func TestTenThousandHostsChangeAtOnceForEveryReader(t *testing.T) {
	const hosts = 10_000
	r := router.New(router.Config{})
	defer r.Close()
	full := make([]router.Route, hosts)
	for i := range full {
		full[i] = router.Route{Host: fmt.Sprintf("app%d.localhost", i)}
	}
	code := func(host string) int {
		recorder := httptest.NewRecorder()
		req := httptest.NewRequest(http.MethodGet, "/", nil)
		req.Host = host
		r.ServeHTTP(recorder, req)
		return recorder.Code
	}
	first, last := full[0].Host, full[hosts-1].Host
	done := make(chan struct{})
	var readers sync.WaitGroup
	for range 4 {
		readers.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				// Removed together: whoever misses the first must miss the last.
				if code(first) == http.StatusNotFound && code(last) != http.StatusNotFound && code(first) == http.StatusNotFound {
					t.Error("half of a change was seen")
				}
			}
		})
	}
	r.Set("stage", router.Routes{HTTP: full})
	for i := range hosts {
		if code(full[i].Host) != http.StatusServiceUnavailable {
			t.Fatalf("%s is missing", full[i].Host)
		}
	}
	r.Set("stage", router.Routes{HTTP: full[1 : hosts-1]})
	close(done)
	readers.Wait()
	for i, route := range full {
		known := code(route.Host) == http.StatusServiceUnavailable
		if want := i != 0 && i != hosts-1; known != want {
			t.Errorf("%s is known: %t, want %t", route.Host, known, want)
		}
	}
}

func BenchmarkSwapOfOneRouteAmongTenThousand(b *testing.B) {
	r := router.New(router.Config{})
	defer r.Close()
	for i := range 10_000 {
		r.Set(fmt.Sprint(i), router.Routes{HTTP: oneRoute(i, 0)})
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		owner := i % 10_000
		r.Set(fmt.Sprint(owner), router.Routes{HTTP: oneRoute(owner, i)})
	}
}

func BenchmarkThousandNewOwners(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		r := router.New(router.Config{})
		for i := range 1000 {
			r.Set(fmt.Sprint(i), router.Routes{HTTP: oneRoute(i, 0)})
		}
		r.Close()
	}
}

func BenchmarkThousandRoutesOfOneOwner(b *testing.B) {
	var routes []router.Route
	for i := range 1000 {
		routes = append(routes, oneRoute(i, 0)...)
	}
	b.ReportAllocs()
	for b.Loop() {
		r := router.New(router.Config{})
		r.Set("stage", router.Routes{HTTP: routes})
		r.Close()
	}
}

func oneRoute(host, generation int) []router.Route {
	return []router.Route{{
		Host: fmt.Sprintf("web.stage.project%d.localhost", host),
		Upstreams: []router.Upstream{
			{ID: fmt.Sprintf("%d-%d-a", host, generation), Addr: "10.88.0.1:5000"},
			{ID: fmt.Sprintf("%d-%d-b", host, generation), Addr: "10.88.0.2:5000"},
		},
	}}
}

func TestASwapAmongTenThousandRoutesTakesLessThanAMillisecond(t *testing.T) {
	r := router.New(router.Config{})
	defer r.Close()
	for i := range 10_000 {
		r.Set(fmt.Sprint(i), router.Routes{HTTP: oneRoute(i, 0)})
	}
	var took []time.Duration
	for i := range 101 {
		begun := time.Now()
		r.Set(fmt.Sprint(i), router.Routes{HTTP: oneRoute(i, 1)})
		took = append(took, time.Since(begun))
	}
	slices.Sort(took)
	if median := took[50]; median > time.Millisecond {
		t.Errorf("half of the swaps took longer than %s", median)
	}
}
