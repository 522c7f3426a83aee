package certs

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	crand "crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"math/big"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/setopsco/setops/internal/setops"
)

func trusting(t *testing.T, m *Manager) *x509.CertPool {
	t.Helper()
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(m.Authority()) {
		t.Fatal("the authority is no certificate")
	}
	return pool
}

// get asks the site for https://HOST/ as a client that trusts roots.
func (s *site) get(t *testing.T, host string, roots *x509.CertPool) (*http.Response, string) {
	t.Helper()
	transport := &http.Transport{
		TLSClientConfig:   &tls.Config{RootCAs: roots},
		ForceAttemptHTTP2: true,
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, s.https.Addr().String())
		},
	}
	defer transport.CloseIdleConnections()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+host+"/", nil)
	must(t, err)
	answer, err := transport.RoundTrip(r)
	must(t, err)
	defer func() { must(t, answer.Body.Close()) }()
	body, err := io.ReadAll(answer.Body)
	must(t, err)
	return answer, string(body)
}

func TestTheLocalAuthorityCertifiesWhateverIsSetAtOnce(t *testing.T) {
	s, m := newSite(t), local(t, database(t))
	s.manager.Store(m)
	m.Set("stage", []string{"Web.Production.Shop.Localhost.", "*.apps.localhost"})
	for _, host := range []string{"web.production.shop.localhost", "any.apps.localhost", "other.apps.localhost"} {
		if !isReady(m, host)() {
			t.Errorf("%s is not ready when Set returns", host)
		}
		answer, body := s.get(t, host, trusting(t, m))
		if body != "home of "+host || answer.ProtoMajor != 2 {
			t.Errorf("%s: %s, %q", host, answer.Proto, body)
		}
	}
	leaf := s.serves(t, "any.apps.localhost", trusting(t, m))
	if life := time.Until(leaf.NotAfter); life < 89*24*time.Hour || life > 90*24*time.Hour {
		t.Errorf("it is valid for %v", life)
	}
	if _, err := s.handshake(t.Context(), "any.apps.localhost", x509.NewCertPool()); err == nil {
		t.Error("somebody who does not trust the authority trusts its certificate")
	}
}

func TestTheLocalAuthorityAndItsCertificatesSurviveARestart(t *testing.T) {
	file := database(t)
	s, m := newSite(t), local(t, file)
	s.manager.Store(m)
	m.Set("stage", []string{"web.localhost"})
	roots, first := m.Authority(), s.serves(t, "web.localhost", trusting(t, m))
	must(t, m.Close())
	m = local(t, file)
	s.manager.Store(m)
	m.Set("stage", []string{"web.localhost"})
	if !bytes.Equal(m.Authority(), roots) {
		t.Error("there is another authority")
	}
	if again := s.serves(t, "web.localhost", trusting(t, m)); again.SerialNumber.Cmp(first.SerialNumber) != 0 {
		t.Error("there is another certificate")
	}
}

func TestTheAuthorityIsAnAuthorityOnly(t *testing.T) {
	m := local(t, database(t))
	cert := m.local.cert
	if !cert.IsCA || !cert.MaxPathLenZero || cert.KeyUsage != x509.KeyUsageCertSign|x509.KeyUsageCRLSign {
		t.Errorf("authority %v, path %d, usage %b", cert.IsCA, cert.MaxPathLen, cert.KeyUsage)
	}
	if years := time.Until(cert.NotAfter).Hours() / 24 / 365; years < 9.9 || years > 10.1 {
		t.Errorf("it is valid for %.1f years", years)
	}
	if other := local(t, database(t)); other.local.cert.Subject.CommonName == cert.Subject.CommonName {
		t.Errorf("two authorities have one name, %s", cert.Subject.CommonName)
	}
	if bytes.Contains(m.Authority(), []byte("PRIVATE")) {
		t.Error("its key is given away")
	}
}

func TestAnAuthorityWhoseTimeIsOverIsReplacedWithItsCertificates(t *testing.T) {
	c := config(t, database(t))
	v := vault{c.Store, c.Box}
	old, err := openAuthority(t.Context(), v, time.Now().AddDate(-authorityYears, 0, -1))
	must(t, err)
	fresh, err := openAuthority(t.Context(), v, time.Now())
	must(t, err)
	if old.id() == fresh.id() || time.Until(fresh.cert.NotAfter) < 0 {
		t.Errorf("the authority is valid until %v", fresh.cert.NotAfter)
	}
}

func TestADueCertificateIsRenewedWhenTheServerStarts(t *testing.T) {
	file := database(t)
	m := local(t, file)
	must(t, m.Close())
	key := leaves + m.local.id() + "/web.localhost"
	must(t, m.vault.keep(t.Context(), key, leafOf(t, m.local, "web.localhost", -61*24*time.Hour, 29*24*time.Hour)))

	s, m := newSite(t), local(t, file)
	s.manager.Store(m)
	m.Set("stage", []string{"web.localhost"})
	leaf := s.serves(t, "web.localhost", trusting(t, m))
	if left := time.Until(leaf.NotAfter); left < 30*24*time.Hour {
		t.Errorf("the certificate that is served is valid for %v more", left)
	}
	if kept, err := m.vault.leaf(t.Context(), key); err != nil || !kept.Leaf.Equal(leaf) {
		t.Errorf("another one is in the store: %v", err)
	}
}

func TestExpiredCertificatesLeaveTheStore(t *testing.T) {
	file := database(t)
	m := local(t, file)
	must(t, m.Close())
	for name, left := range map[string]time.Duration{"gone.localhost": -time.Hour, "here.localhost": time.Hour} {
		must(t, m.vault.keep(t.Context(), leaves+"elsewhere/"+name, leafOf(t, m.local, name, -48*time.Hour, left)))
	}
	m = local(t, file)
	eventually(t, "the end of the expired one", func() bool {
		keys, err := m.vault.store.CertificateKeys(t.Context(), leaves)
		must(t, err)
		return len(keys) == 1 && strings.HasSuffix(keys[0], "/here.localhost")
	})
}

// leafOf gives a certificate and its key, for no name where that is "", valid from and to times that are counted from now.
func leafOf(t *testing.T, a *authority, name string, from, to time.Duration) []byte {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), crand.Reader)
	must(t, err)
	names := slices.DeleteFunc([]string{name}, func(n string) bool { return n == "" })
	der, err := x509.CreateCertificate(crand.Reader, &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: names, NotBefore: time.Now().Add(from), NotAfter: time.Now().Add(to),
	}, a.cert, key.Public(), a.key)
	must(t, err)
	text, err := encodeKey(key)
	must(t, err)
	return append(text, encodeCertificate(der)...)
}

func TestUnknownNamesAreRefusedCheaplyAndClearly(t *testing.T) {
	counted := &counting{}
	c := config(t, database(t))
	counted.Storage, c.Store, c.Local = c.Store, counted, true
	s, m := newSite(t), opened(t, c, quick())
	s.manager.Store(m)
	eventually(t, "the beginning of the sweep, which finds nothing to read", func() bool { return counted.lists.Load() > 0 })
	m.Set("stage", []string{"web.localhost", "*.apps.localhost"})
	before := counted.reads.Load()
	for _, host := range []string{"other.localhost", "a.b.apps.localhost", "apps.localhost", "localhost", "web.localhost.evil.com", ""} {
		_, err := s.handshake(t.Context(), host, trusting(t, m))
		if host == "" {
			host = "no name"
		}
		if err == nil || host != "no name" && !strings.Contains(err.Error(), "unrecognized name") {
			t.Errorf("%s: %v", host, err)
		}
		if m.Has(host) {
			t.Errorf("%s is there", host)
		}
	}
	if n := counted.reads.Load() - before; n > 0 {
		t.Errorf("strangers made the store be asked %d times", n)
	}
}

// counting counts what the store is asked.
type counting struct {
	Storage
	reads, lists atomic.Int64
}

func (c *counting) Certificate(ctx context.Context, key string) (setops.Sealed, time.Time, bool, error) {
	c.reads.Add(1)
	return c.Storage.Certificate(ctx, key)
}

func (c *counting) CertificateKeys(ctx context.Context, prefix string) ([]string, error) {
	c.lists.Add(1)
	return c.Storage.CertificateKeys(ctx, prefix)
}

func TestOldProtocolsAreRefused(t *testing.T) {
	s, m := newSite(t), local(t, database(t))
	s.manager.Store(m)
	m.Set("stage", []string{"web.localhost"})
	for version, accepted := range map[uint16]bool{tls.VersionTLS11: false, tls.VersionTLS12: true, tls.VersionTLS13: true} {
		c, err := tls.Dial("tcp", s.https.Addr().String(), &tls.Config{
			ServerName: "web.localhost", RootCAs: trusting(t, m), MinVersion: version, MaxVersion: version,
		})
		if (err == nil) != accepted {
			t.Errorf("%s: %v", tls.VersionName(version), err)
		}
		if c != nil {
			must(t, c.Close())
		}
	}
}

func TestNamesMayBeSetAndServedByManyAtOnce(t *testing.T) {
	s, m := newSite(t), local(t, database(t))
	s.manager.Store(m)
	m.Set("always", []string{"always.localhost"})
	roots := trusting(t, m)
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			for range 15 {
				name := fmt.Sprintf("n%d.localhost", rand.IntN(6))
				m.Set(fmt.Sprintf("owner %d", w%4), []string{name, "*.wild.localhost"})
				m.Has(name)
				_, _ = m.Status(name)
				if _, err := s.handshake(t.Context(), "always.localhost", roots); err != nil {
					t.Error(err)
				}
				if w%2 == 0 {
					m.Set(fmt.Sprintf("owner %d", w%4), nil)
				}
			}
		})
	}
	wg.Wait()
	for w := range 4 {
		m.Set(fmt.Sprintf("owner %d", w), nil)
	}
	left := 0
	m.names.each(func(*keeper) { left++ })
	if left != 1 || !m.Has("always.localhost") {
		t.Errorf("%d names are left", left)
	}
}
