package router_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/setopsco/setops/internal/router"
)

func TestHostIsMatchedInAnySpelling(t *testing.T) {
	f := newFront(t, router.Config{})
	f.Set("stage", append(route("Web.Test.Shop.localhost.", named(t, "a")), route("[::1]", named(t, "v6"))...))
	tests := map[string]string{
		"web.test.shop.localhost":       "a",
		"WEB.test.Shop.LocalHost":       "a",
		"web.test.shop.localhost:8080":  "a",
		"web.test.shop.localhost.":      "a",
		"Web.test.shop.localhost.:8080": "a",
		"[::1]:8080":                    "v6",
		"[::1]":                         "v6",
	}
	for host, want := range tests {
		if code, body := f.get(t, host); code != http.StatusOK || body != want {
			t.Errorf("%s answered %d %q, want %q", host, code, body, want)
		}
	}
}

func TestUnknownHostGetsAPlainPage(t *testing.T) {
	f := newFront(t, router.Config{})
	f.Set("stage", route(testHost, named(t, "a")))
	for _, host := range []string{"other.localhost", "localhost", "x" + testHost, testHost + "..", strings.Repeat("x", 5000)} {
		res, body := f.do(t, f.request(t, host, "/", nil))
		if res.StatusCode != http.StatusNotFound || body != "No app answers at this host.\n" {
			t.Errorf("%.40s answered %d %q", host, res.StatusCode, body)
		}
		if kind := res.Header.Get("Content-Type"); kind != "text/plain; charset=utf-8" {
			t.Errorf("content type is %q", kind)
		}
	}
}

func TestPrivateHostsAreUnknownToThePublic(t *testing.T) {
	f := newFront(t, router.Config{})
	private := "web.test.shop.localhost.internal"
	f.Set("stage", route(private, named(t, "a")))
	for _, host := range []string{private, strings.ToUpper(private) + ".:80"} {
		if code, _ := f.get(t, host); code != http.StatusNotFound {
			t.Errorf("%s answered %d", host, code)
		}
	}
}

func TestOwnersKeepApart(t *testing.T) {
	f := newFront(t, router.Config{})
	f.Set("one", route("one.localhost", named(t, "a")))
	f.Set("two", append(route("two.localhost", named(t, "b")), route("three.localhost", named(t, "c"))...))
	f.Set("two", route("two.localhost", named(t, "d")))
	expect := func(host string, code int, body string) {
		t.Helper()
		if gotCode, got := f.get(t, host); gotCode != code || (body != "" && got != body) {
			t.Errorf("%s answered %d %q, want %d %q", host, gotCode, got, code, body)
		}
	}
	expect("one.localhost", 200, "a")
	expect("two.localhost", 200, "d")
	expect("three.localhost", 404, "")

	f.Set("one", nil)
	expect("one.localhost", 404, "")
	expect("two.localhost", 200, "d")
}

func TestAHostThatMovedStaysWithItsNewOwner(t *testing.T) {
	f := newFront(t, router.Config{})
	f.Set("old", route(testHost, named(t, "a")))
	f.Set("new", route(testHost, named(t, "b")))
	f.Set("old", nil)
	if code, body := f.get(t, testHost); code != http.StatusOK || body != "b" {
		t.Errorf("answered %d %q", code, body)
	}
}
