package router

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
)

// These know the inside: what happens between the choice of a pool and the choice of an upstream is too narrow a time to
// be met from outside.

func askWithOldPool(t *testing.T, next ...Route) *httptest.ResponseRecorder {
	t.Helper()
	r := New(Config{})
	t.Cleanup(r.Close)
	at := place{kind: public, name: "shop.localhost"}
	r.Set("stage", Routes{HTTP: []Route{{Host: at.name, Upstreams: []Upstream{{ID: "old", Addr: "127.0.0.1:1"}}}}})
	old := r.table.Load().find(at)
	r.Set("stage", Routes{HTTP: next})
	w := httptest.NewRecorder()
	r.forward(w, httptest.NewRequest(http.MethodGet, "http://shop.localhost/path?x", nil), at, old)
	return w
}

func TestARequestWhosePoolHasGoneIsAnsweredByTheNewTable(t *testing.T) {
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) }))
	defer app.Close()
	w := askWithOldPool(t, Route{Host: "shop.localhost", Upstreams: []Upstream{{ID: "new", Addr: app.Listener.Addr().String()}}})
	if w.Code != http.StatusTeapot {
		t.Errorf("answered %d", w.Code)
	}
}

func TestARequestWhoseHostHasMovedMeanwhileIsSentOn(t *testing.T) {
	w := askWithOldPool(t, Route{Host: "shop.localhost", Redirect: "new.localhost"})
	if location := w.Header().Get("Location"); w.Code != http.StatusPermanentRedirect || location != "http://new.localhost/path?x" {
		t.Errorf("answered %d %q", w.Code, location)
	}
}

func TestARequestWhoseHostHasGoneMeanwhileFindsNone(t *testing.T) {
	if w := askWithOldPool(t); w.Code != http.StatusNotFound {
		t.Errorf("answered %d", w.Code)
	}
}

func TestAnUpstreamThatComesBackBeginsSlowly(t *testing.T) {
	r := New(Config{})
	defer r.Close()
	u := newUpstream("a")
	u.proven.Store(true)
	m := &monitor{router: r, upstream: u}
	u.monitor = m
	m.judge(nil)
	if u.warmAt.Load() != 0 {
		t.Error("a check that passes as ever made it cold")
	}
	for range DefaultFailuresToRemove {
		m.judge(errors.New("sick"))
	}
	if m.judge(nil); u.warmAt.Load() == 0 || !u.healthy.Load() {
		t.Error("it is back with its full share at once")
	}
}
