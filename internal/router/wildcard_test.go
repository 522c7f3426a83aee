package router_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/setopsco/setops/internal/router"
)

func TestAWildcardAnswersAnyOneLabel(t *testing.T) {
	f := newFront(t, router.Config{})
	f.Set("stage", route("*.Example.com.", named(t, "star")))
	f.Set("other", route("exact.example.com", named(t, "exact")))
	f.Set("deeper", route("*.deep.example.com", named(t, "deep")))
	tests := map[string]string{
		"a.example.com":                          "star",
		"A-1_b.EXAMPLE.com.:8080":                "star",
		"exact.example.com":                      "exact",
		"deep.example.com":                       "star",
		"x.deep.example.com":                     "deep",
		"example.com":                            "",
		".example.com":                           "",
		"*.example.com":                          "",
		"a.b.example.com":                        "",
		"a%2f.example.com":                       "",
		"(a).example.com":                        "",
		strings.Repeat("x", 64) + ".example.com": "",
		strings.Repeat("x", 63) + ".example.com": "star",
		"example.com.":                           "",
		"a.example.com.evil.localhost":           "",
		"[::1].example.com":                      "",
		"a.example.com.internal":                 "",
	}
	for host, want := range tests {
		code, body := f.get(t, host)
		if want == "" && code != http.StatusNotFound || want != "" && body != want {
			t.Errorf("%s answered %d %q, want %q", host, code, body, want)
		}
	}
	f.Set("other", nil)
	if _, body := f.get(t, "exact.example.com"); body != "star" {
		t.Errorf("without its own route the host answered %q", body)
	}
	f.Set("stage", nil)
	if code, _ := f.get(t, "a.example.com"); code != http.StatusNotFound {
		t.Errorf("without the wildcard its host answered %d", code)
	}
}

func TestAnExactHostWithoutTasksDoesNotFallToTheWildcard(t *testing.T) {
	f := newFront(t, router.Config{})
	f.Set("stage", append(route("*.example.com", named(t, "star")), route("a.example.com")...))
	if code, _ := f.get(t, "a.example.com"); code != http.StatusServiceUnavailable {
		t.Errorf("answered %d", code)
	}
}
