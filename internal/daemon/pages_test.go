package daemon

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"
)

func TestWhoAsksIsBelievedOfTrustedProxiesAlone(t *testing.T) {
	proxies := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("2001:db8::1/128")}
	for _, test := range []struct {
		peer, proto, hops string
		address, scheme   string
	}{
		{"10.0.0.1:4000", "https", "192.0.2.7", "192.0.2.7:0", "https"},
		{"10.0.0.1:4000", "http", "192.0.2.7", "192.0.2.7:0", ""},
		{"[::ffff:10.0.0.1]:4000", "HTTPS", "192.0.2.7, 10.0.0.9", "192.0.2.7:0", "https"},
		{"[2001:db8::1]:4000", "https", "203.0.113.5, 192.0.2.7", "192.0.2.7:0", "https"}, // what is before the last may be made up
		{"10.0.0.1:4000", "https", "nonsense", "10.0.0.1:4000", "https"},
		{"10.0.0.1:4000", "https", "", "10.0.0.1:4000", "https"},
		{"192.0.2.9:4000", "https", "203.0.113.5", "192.0.2.9:4000", ""},
	} {
		r := httptest.NewRequest(http.MethodGet, "/login", nil)
		r.RemoteAddr = test.peer
		r.Header.Set("X-Forwarded-Proto", test.proto)
		r.Header.Set("X-Forwarded-For", test.hops)
		var address, scheme string
		believing(proxies, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			address, scheme = r.RemoteAddr, r.URL.Scheme
		})).ServeHTTP(httptest.NewRecorder(), r)
		if address != test.address || scheme != test.scheme {
			t.Errorf("%+v: asked by %s, scheme %q", test, address, scheme)
		}
	}
}

func TestAProviderOfIdentitiesIsSetWholly(t *testing.T) {
	for name, test := range map[string]struct {
		c    Config
		want bool // whether it is right
	}{
		"none":             {Config{}, true},
		"whole":            {Config{OIDCIssuer: "https://id.example.com", OIDCClientID: "a", OIDCSecretFile: "b", OIDCDomains: "example.com, Example.ORG"}, true},
		"on this machine":  {Config{OIDCIssuer: "http://127.0.0.1:9000", OIDCClientID: "a", OIDCSecretFile: "b"}, true},
		"in clear":         {Config{OIDCIssuer: "http://id.example.com", OIDCClientID: "a", OIDCSecretFile: "b"}, false},
		"no URL":           {Config{OIDCIssuer: "id.example.com", OIDCClientID: "a", OIDCSecretFile: "b"}, false},
		"no client":        {Config{OIDCIssuer: "https://id.example.com", OIDCSecretFile: "b"}, false},
		"no secret":        {Config{OIDCIssuer: "https://id.example.com", OIDCClientID: "a"}, false},
		"no issuer":        {Config{OIDCDomains: "example.com"}, false},
		"no domain's name": {Config{OIDCIssuer: "https://id.example.com", OIDCClientID: "a", OIDCSecretFile: "b", OIDCDomains: "@example.com"}, false},
	} {
		var r refusals
		test.c.checkOIDC(&r)
		if (len(r) == 0) != test.want {
			t.Errorf("%s: %v", name, r)
		}
	}
}
