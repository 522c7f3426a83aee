package router_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/setopsco/setops/internal/router"
)

// echo answers with the generation that it belongs to and the body it was sent.
func echo(generation int) http.HandlerFunc {
	return func(w http.ResponseWriter, req *http.Request) {
		body, err := io.ReadAll(req.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Generation", fmt.Sprint(generation))
		_, _ = w.Write(body)
	}
}

// generation is two tasks for each of two hosts, and one that is dead.
func generation(t *testing.T, n int) (routes []router.Route, ids []string, closeAll func()) {
	var servers []*httptest.Server
	for _, host := range []string{"web." + testHost, "api." + testHost} {
		r := router.Route{Host: host, Upstreams: []router.Upstream{dead(t, fmt.Sprintf("dead-%s-%d", host, n))}}
		for task := range 2 {
			up, server := backend(t, fmt.Sprintf("%s-%d-%d", host, n, task), echo(n))
			r.Upstreams = append(r.Upstreams, up)
			servers = append(servers, server)
			ids = append(ids, up.ID)
		}
		routes = append(routes, r)
	}
	return routes, ids, func() {
		for _, server := range servers {
			server.Close()
		}
	}
}

func TestTwentySwapsUnderLoadLoseNoRequest(t *testing.T) {
	f := newFront(t, router.Config{})
	routes, ids, closeServers := generation(t, 0)
	f.Set("stage", routes)

	load := startLoad(t, f, 24)
	for n := 1; n <= 20; n++ {
		load.awaitRequests(200)
		next, nextIDs, closeNext := generation(t, n)
		f.Set("stage", next)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		for _, id := range ids {
			if err := f.Drain(ctx, id); err != nil {
				t.Error(err)
			}
		}
		cancel()
		closeServers()
		ids, closeServers = nextIDs, closeNext
	}
	load.stop()
	if load.requests.Load() < 20*200 {
		t.Errorf("only %d requests were made", load.requests.Load())
	}
}

// load is clients, each on one connection that must never end, that alternate GET and POST and the two hosts.
type load struct {
	t        *testing.T
	front    *front
	newest   atomic.Int64 // the newest generation that gave an answer
	requests atomic.Int64
	done     chan struct{}
	clients  sync.WaitGroup
}

func startLoad(t *testing.T, f *front, clients int) *load {
	l := &load{t: t, front: f, done: make(chan struct{})}
	for range clients {
		conn := newKeptConn(t, f.addr)
		l.clients.Go(func() { l.client(conn) })
	}
	return l
}

func (l *load) stop() {
	close(l.done)
	l.clients.Wait()
}

func (l *load) awaitRequests(n int64) {
	l.t.Helper()
	target := l.requests.Load() + n
	eventually(l.t, "more requests are answered", func() bool { return l.requests.Load() >= target })
}

func (l *load) client(conn *keptConn) {
	for i := 0; ; i++ {
		select {
		case <-l.done:
			return
		default:
			if !l.ask(conn, i) {
				return
			}
		}
	}
}

func (l *load) ask(conn *keptConn, i int) bool {
	host, payload := "web."+testHost, ""
	if i%3 == 0 {
		host = "api." + testHost
	}
	var body io.Reader
	if i%2 == 0 {
		payload = strings.Repeat("payload ", 100+i%1000)
		body = strings.NewReader(payload)
	}
	if i%4 == 0 {
		body = io.MultiReader(body) // of no known length
	}
	newest := l.newest.Load()
	res, got, err := conn.do(l.front.request(l.t, host, "/", body))
	if err != nil || res.Close || res.StatusCode != http.StatusOK || got != payload {
		l.t.Errorf("request %d got %+v with %d of %d bytes, %v: %.60q", i, res, len(got), len(payload), err, got)
		return false
	}
	l.requests.Add(1)
	l.checkGeneration(res.Header.Get("Generation"), newest)
	return true
}

// checkGeneration fails when a request begun after an answer of a newer generation met an older one.
func (l *load) checkGeneration(answered string, newest int64) {
	var n int64
	if _, err := fmt.Sscan(answered, &n); err != nil || n < newest {
		l.t.Errorf("generation %q answered after generation %d had", answered, newest)
	}
	for seen := l.newest.Load(); n > seen && !l.newest.CompareAndSwap(seen, n); seen = l.newest.Load() {
	}
}
