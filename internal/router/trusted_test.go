package router_test

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/setopsco/setops/internal/router"
)

func trusting(prefixes ...string) router.Config {
	var config router.Config
	for _, p := range prefixes {
		config.TrustedProxies = append(config.TrustedProxies, netip.MustParsePrefix(p))
	}
	return config
}

func TestATrustedProxyIsBelievedAndAddedToTheChain(t *testing.T) {
	for _, prefix := range []string{"127.0.0.0/8", "::ffff:127.0.0.1/128"} {
		f := newFront(t, trusting("10.0.0.0/8", prefix))
		requests := seen(t, f)
		req := f.request(t, testHost, "/", nil)
		said := map[string][]string{
			"X-Forwarded-For":   {"203.0.113.9, 10.1.1.1", "10.2.2.2"},
			"X-Forwarded-Proto": {"https"},
			"X-Forwarded-Host":  {"shop.example.com"},
			"X-Forwarded-Port":  {"443"},
			"X-Real-Ip":         {"203.0.113.9"},
			"X-Request-Id":      {"trace-1_2:3"},
			"Forwarded":         {"for=203.0.113.9;proto=https"},
			"Proxy":             {"http://evil.example.com"},
			"X_forwarded_for":   {"198.51.100.1"},
		}
		for name, values := range said {
			req.Header[name] = values
		}
		f.do(t, req)
		got := (<-requests).Header
		want := map[string]string{
			"X-Forwarded-For":   "203.0.113.9, 10.1.1.1, 10.2.2.2, 127.0.0.1",
			"X-Forwarded-Proto": "https",
			"X-Forwarded-Host":  "shop.example.com",
			"X-Forwarded-Port":  "443",
			"X-Real-Ip":         "203.0.113.9",
			"X-Request-Id":      "trace-1_2:3",
			"Forwarded":         "for=203.0.113.9;proto=https, for=127.0.0.1",
			"Proxy":             "",
			"X_forwarded_for":   "",
		}
		for name, value := range want {
			if all := strings.Join(got[name], "|"); all != value {
				t.Errorf("%s is %q, want %q", name, all, value)
			}
		}
	}
}

func TestATrustedProxyThatSaysNothingIsTheClient(t *testing.T) {
	f := newFront(t, trusting("127.0.0.1/32"))
	requests := seen(t, f)
	f.do(t, f.request(t, testHost, "/", nil))
	got := (<-requests).Header
	for name, want := range map[string]string{
		"X-Forwarded-For": "127.0.0.1", "X-Forwarded-Proto": "http", "X-Forwarded-Host": testHost, "Forwarded": "",
	} {
		if got.Get(name) != want {
			t.Errorf("%s is %q, want %q", name, got.Get(name), want)
		}
	}
}

func TestARequestIDThatCouldDoHarmIsReplaced(t *testing.T) {
	f := newFront(t, trusting("127.0.0.1/32"))
	requests := seen(t, f)
	for _, ids := range [][]string{
		{""}, {"two words"}, {"<script>"}, {strings.Repeat("x", 129)}, {"a", "b"}, {"---"}, {"é"}, {"a;b"},
	} {
		req := f.request(t, testHost, "/", nil)
		req.Header["X-Request-Id"] = ids
		f.do(t, req)
		if got := (<-requests).Header["X-Request-Id"]; len(got) != 1 || len(got[0]) != 32 {
			t.Errorf("%q became %q", ids, got)
		}
	}
}

func TestOthersThanTrustedProxiesAreNotBelieved(t *testing.T) {
	f := newFront(t, trusting("10.0.0.0/8", "::1/128"))
	requests := seen(t, f)
	req := f.request(t, testHost, "/", nil)
	for _, name := range []string{"Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-Ip", "X-Request-Id"} {
		req.Header.Set(name, "forged")
	}
	f.do(t, req)
	for name, values := range (<-requests).Header {
		if strings.Contains(strings.Join(values, " "), "forged") {
			t.Errorf("%s is %q", name, values)
		}
	}
}
