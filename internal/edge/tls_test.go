package edge_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"log/slog"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/setopsco/setops/internal/edge"
	"github.com/setopsco/setops/internal/edge/edgetest"
	"github.com/setopsco/setops/internal/edge/publish"
	"github.com/setopsco/setops/internal/edge/published"
)

// certify makes a certificate that certifies itself.
func certify(t *testing.T, host string) publish.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), DNSNames: []string{host}, NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	must(t, err)
	text, err := x509.MarshalPKCS8PrivateKey(key)
	must(t, err)
	return publish.Certificate{
		Chain: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		Key:   pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: text}),
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// getTLS gives an answer by TLS, whose certificate must be the one of the host.
func (r *replica) getTLS(host string, c publish.Certificate) (body string, err error) {
	r.t.Helper()
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(c.Chain)
	transport := &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{RootCAs: pool, ServerName: host}}
	req, err := http.NewRequestWithContext(r.t.Context(), http.MethodGet, "https://"+r.https+"/", nil)
	must(r.t, err)
	req.Host = host
	answer, err := (&http.Client{Transport: transport}).Do(req)
	if err != nil {
		return "", err
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(answer.Body)
	return string(text), err
}

func encrypted(t *testing.T) with {
	return func(c *edge.Config) { c.HTTPS, c.HTTPSPort = listen(t), 8443 }
}

func TestARouterServesTheCertificatesThatArePublished(t *testing.T) {
	n := &edgetest.Namespace{}
	r := start(t, n, encrypted(t))
	p := publisher(t, n, podsOf(r))
	first, wild := certify(t, "web.example.net"), certify(t, "*.wild.example.net")
	p.Set("s1", apps(app("web", task(t, "web-1")), app("a.wild", task(t, "wild-1")), app("plain", task(t, "plain-1"))))
	p.SetCertificates(map[string]publish.Certificate{"web.example.net": first, "*.wild.example.net": wild})
	p.Complete()
	until(t, "ready", func() bool { return r.status("/readyz") == http.StatusNoContent })
	for host, c := range map[string]publish.Certificate{"web.example.net": first, "a.wild.example.net": wild} {
		if got, err := r.getTLS(host, c); err != nil || !strings.HasSuffix(got, "-1") {
			t.Errorf("%s: %q, %v", host, got, err)
		}
	}
	if got := r.get("web.example.net"); got != "→ https://web.example.net:8443/" {
		t.Errorf("in clear: %s", got)
	}
	if got := r.get("plain.example.net"); got != "plain-1" {
		t.Errorf("a host without a certificate: %s", got)
	}
	if _, err := r.getTLS("plain.example.net", first); err == nil || !strings.Contains(err.Error(), "unrecognized name") {
		t.Errorf("a host without a certificate: %v", err)
	}
	second := certify(t, "web.example.net")
	p.SetCertificates(map[string]publish.Certificate{"web.example.net": second})
	until(t, "the renewed one is served", func() bool { got, err := r.getTLS("web.example.net", second); return err == nil && got == "web-1" })
	until(t, "the other one is gone", func() bool { return r.get("a.wild.example.net") == "wild-1" })
}

// api is setopsd as a router sees it: it says what it was asked for.
func api(t *testing.T) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, r.Host+r.URL.Path+" for "+r.Header.Get("X-Forwarded-For")+" by "+r.Header.Get("X-Forwarded-Proto"))
	}))
	t.Cleanup(s.Close)
	return s
}

func TestTheAPIAndChallengesArePassedOn(t *testing.T) {
	n := &edgetest.Namespace{}
	server := api(t)
	r := start(t, n, encrypted(t), func(c *edge.Config) { c.Server = parse(t, server.URL) })
	p := publisher(t, n, podsOf(r))
	c := certify(t, "api.example.net")
	p.SetCertificates(map[string]publish.Certificate{"api.example.net": c})
	p.Complete()
	until(t, "ready", func() bool { return r.status("/readyz") == http.StatusNoContent })
	if got, err := r.getTLS("api.example.net", c); err != nil || got != "api.example.net/ for 127.0.0.1 by https" {
		t.Errorf("%q, %v", got, err)
	}
	if got := r.get("api.example.net"); got != "→ https://api.example.net:8443/" {
		t.Errorf("the API in clear: %s", got)
	}
	if got := r.ask("new.example.com", "/.well-known/acme-challenge/token"); got != "new.example.com/.well-known/acme-challenge/token for 127.0.0.1 by http" {
		t.Errorf("a challenge: %s", got)
	}
	server.Close()
	if got := r.ask("new.example.com", "/.well-known/acme-challenge/token"); got != "503" {
		t.Errorf("a challenge without a server: %s", got)
	}
}

func TestAServerThatIsCalledByTLSMustHaveTheCertificateOfTheAPI(t *testing.T) {
	own, other := certify(t, "api.example.net"), certify(t, "api.example.net")
	for trusted, want := range map[string]string{string(own.Chain): "api.example.net/x", string(other.Chain): "503"} {
		n := &edgetest.Namespace{}
		pair, err := tls.X509KeyPair(own.Chain, own.Key)
		must(t, err)
		server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(w, r.Host+"/x")
		}))
		server.TLS = &tls.Config{Certificates: []tls.Certificate{pair}}
		server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelInfo)
		server.StartTLS()
		t.Cleanup(server.Close)
		r := start(t, n, encrypted(t), func(c *edge.Config) { c.Server = parse(t, server.URL) })
		i, err := published.Index{Installation: "0123abcd", Complete: true, APIHost: "api.example.net", Authorities: trusted}.Object(published.Version{Term: 1})
		must(t, err)
		_, err = n.Create(t.Context(), i)
		must(t, err)
		_, err = n.Create(t.Context(), published.Certificate("api.example.net", own.Chain, own.Key, published.Version{Term: 1}))
		must(t, err)
		until(t, "ready", func() bool { return r.status("/readyz") == http.StatusNoContent })
		got := ""
		until(t, "the certificate is there", func() bool { got, err = r.getTLS("api.example.net", own); return err == nil })
		if !strings.HasPrefix(got, want) && !(want == "503" && strings.Contains(got, "does not answer")) {
			t.Errorf("%s", got)
		}
	}
}

func TestOnlyTrustedProxiesSayForWhomTheyAskTheAPI(t *testing.T) {
	for trusted, want := range map[string]string{"127.0.0.0/8": "198.51.100.7, 127.0.0.1", "192.0.2.0/24": "127.0.0.1"} {
		n := &edgetest.Namespace{}
		r := start(t, n, encrypted(t), func(c *edge.Config) {
			c.Server, c.TrustedProxies = parse(t, api(t).URL), []netip.Prefix{netip.MustParsePrefix(trusted)}
		})
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+r.http+"/.well-known/acme-challenge/x", nil)
		must(t, err)
		req.Host = "new.example.com"
		req.Header.Set("X-Forwarded-For", "198.51.100.7")
		answer, err := r.client.Do(req)
		must(t, err)
		text, err := io.ReadAll(answer.Body)
		must(t, err)
		contains(t, string(text), "for "+want+" by")
	}
}
