package router_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/setopsco/setops/internal/router"
)

const privateHost = testHost + ".internal"

// inside is a listener in the owner's own network.
func (f *front) inside(t *testing.T, owner string) *front {
	t.Helper()
	server := httptest.NewUnstartedServer(nil)
	server.Config = router.NewServer(f.Private(owner), slog.New(slog.DiscardHandler))
	server.Start()
	t.Cleanup(server.Close)
	return &front{Router: f.Router, addr: server.Listener.Addr().String(), client: f.client}
}

func privateRoute(host string, upstreams ...router.Upstream) router.Route {
	return router.Route{Host: host, Upstreams: upstreams, Private: true}
}

func TestAnOwnerSeesItsPrivateRoutesAndNothingElse(t *testing.T) {
	secure := func(string) bool { return true }
	f := newFront(t, router.Config{Secure: secure})
	f.Set("one", append(route(testHost, named(t, "public")), privateRoute(privateHost, named(t, "private"))))
	f.Set("two", []router.Route{
		privateRoute(privateHost, named(t, "same name, other owner")),
		privateRoute("*.wild.internal", named(t, "star")),
	})
	one, two := f.inside(t, "one"), f.inside(t, "two")
	tests := []struct {
		front *front
		host  string
		code  int
		body  string
	}{
		{one, privateHost, 200, "private"},
		{one, "WEB.test.shop.localhost.internal.:80", 200, "private"},
		{two, privateHost, 200, "same name, other owner"},
		{two, "a.wild.internal", 200, "star"},
		{one, "a.wild.internal", 404, ""},
		{one, testHost, 404, ""},
		{f, privateHost, 404, ""},
		{f, "a.wild.internal", 404, ""},
		{f.inside(t, "nobody"), privateHost, 404, ""},
		{f.inside(t, ""), testHost, 404, ""},
	}
	for _, test := range tests {
		code, body := test.front.get(t, test.host)
		if code != test.code || test.body != "" && body != test.body {
			t.Errorf("%s answered %d %q, want %d %q", test.host, code, body, test.code, test.body)
		}
	}
	f.Set("one", nil)
	if code, _ := one.get(t, privateHost); code != http.StatusNotFound {
		t.Errorf("a private host answered %d after its owner was removed", code)
	}
	if _, body := two.get(t, privateHost); body != "same name, other owner" {
		t.Errorf("the other owner's host answered %q", body)
	}
}

func TestAPrivateRouteWithAPublicNameStaysPrivate(t *testing.T) {
	f := newFront(t, router.Config{})
	f.Set("one", []router.Route{privateRoute(testHost, named(t, "a"))})
	if code, _ := f.get(t, testHost); code != http.StatusNotFound {
		t.Errorf("the public was answered %d", code)
	}
}
