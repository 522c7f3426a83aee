package certs

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/letsencrypt/pebble/v2/ca"
	"github.com/letsencrypt/pebble/v2/db"
	"github.com/letsencrypt/pebble/v2/va"
	"github.com/letsencrypt/pebble/v2/wfe"
	"github.com/miekg/dns"
)

func TestMain(m *testing.M) {
	// Pebble is told by the environment that nobody has to learn patience here.
	for key, value := range map[string]string{"PEBBLE_VA_NOSLEEP": "1", "PEBBLE_WFE_NONCEREJECT": "5"} {
		if err := os.Setenv(key, value); err != nil {
			panic(err)
		}
	}
	os.Exit(m.Run())
}

// pebble is a directory of ACME with real checks: it resolves names by a DNS server of the test and comes to two ports.
type pebble struct {
	server   *httptest.Server
	admin    http.Handler
	roots    *x509.CertPool // what its certificates are trusted by
	zone     *zone
	down     atomic.Bool
	requests atomic.Int64
}

// newPebble starts one whose certificates are valid for some seconds; 0 is months.
func newPebble(t *testing.T, httpPort, httpsPort int, seconds uint64) *pebble {
	t.Helper()
	p := &pebble{zone: newZone(t), roots: x509.NewCertPool()}
	quiet := log.New(io.Discard, "", 0)
	memory := db.NewMemoryStore()
	authority := ca.New(quiet, memory, "", "ecdsa", 0, 1, map[string]ca.Profile{"default": {ValidityPeriod: seconds}})
	p.roots.AddCert(authority.GetRootCert(0).Cert)
	front := wfe.New(quiet, memory, va.New(quiet, httpPort, httpsPort, true, p.zone.address, memory), authority,
		[]string{"pebble.test"}, true, false, 0, 0)
	handler := front.Handler()
	p.admin = front.ManagementHandler()
	p.server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.requests.Add(1)
		if p.down.Load() {
			http.Error(w, "down for maintenance", http.StatusServiceUnavailable)
			return
		}
		handler.ServeHTTP(w, r)
	}))
	p.server.Config.ErrorLog = quiet
	p.server.StartTLS()
	t.Cleanup(p.server.Close)
	return p
}

// use makes a configuration one for this directory.
func (p *pebble) use(c Config) Config {
	c.Directory = p.server.URL + wfe.DirectoryPath
	c.Roots = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: p.server.Certificate().Raw})
	c.Email = "ops@example.com"
	return c
}

// wantBack makes it advise, from now on, to renew a certificate at a time that is over.
func (p *pebble) wantBack(t *testing.T, cert *x509.Certificate) {
	t.Helper()
	window := `{"suggestedWindow":{"start":"2020-01-01T00:00:00Z","end":"2020-01-02T00:00:00Z"}}`
	body, err := json.Marshal(map[string]string{"Certificate": string(encodeCertificate(cert.Raw)), "ARIResponse": window})
	must(t, err)
	answer, r := httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/set-renewal-info/", bytes.NewReader(body))
	r.Header.Set("User-Agent", "test")
	p.admin.ServeHTTP(answer, r)
	if answer.Code != http.StatusOK {
		t.Fatalf("%d %s", answer.Code, answer.Body)
	}
}

// zone is a DNS server that gives every name loopback's address, unless it is missing.
type zone struct {
	address string
	missing sync.Map
}

func newZone(t *testing.T) *zone {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	z := &zone{address: l.Addr().String()}
	server := &dns.Server{Listener: l, Handler: z}
	started, done := make(chan struct{}), make(chan error, 1)
	server.NotifyStartedFunc = func() { close(started) }
	go func() { done <- server.ActivateAndServe() }()
	<-started
	t.Cleanup(func() {
		must(t, server.ShutdownContext(context.Background()))
		must(t, <-done)
	})
	return z
}

func (z *zone) ServeDNS(w dns.ResponseWriter, q *dns.Msg) {
	answer := new(dns.Msg)
	answer.SetReply(q)
	name := q.Question[0].Name
	_, missing := z.missing.Load(strings.TrimSuffix(name, "."))
	switch {
	case missing:
		answer.Rcode = dns.RcodeNameError
	case q.Question[0].Qtype == dns.TypeA:
		answer.Answer = []dns.RR{&dns.A{
			Hdr: dns.RR_Header{Name: name, Rrtype: dns.TypeA, Class: dns.ClassINET, Ttl: 1}, A: net.IPv4(127, 0, 0, 1),
		}}
	}
	_ = w.WriteMsg(answer)
}
