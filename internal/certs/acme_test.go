package certs

import (
	"bytes"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"
)

func TestCertificatesAreOrderedByEitherChallenge(t *testing.T) {
	for _, by := range []string{"HTTP-01", "TLS-ALPN-01"} {
		t.Run(by, func(t *testing.T) {
			s := newSite(t)
			httpPort, httpsPort := port(s.http), port(s.https)
			if by == "HTTP-01" {
				httpsPort = closed(t)
			} else {
				httpPort = closed(t)
			}
			p := newPebble(t, httpPort, httpsPort, 0)
			m := opened(t, p.use(config(t, database(t))), quick())
			s.manager.Store(m)
			m.Set("stage", []string{"shop.example.com"})
			eventually(t, "a certificate", isReady(m, "shop.example.com"))
			s.serves(t, "shop.example.com", p.roots)
		})
	}
}

// ordered gives a site whose manager has certificates of pebble's for the names.
func ordered(t *testing.T, file string, seconds uint64, names ...string) (*site, *pebble, *Manager) {
	t.Helper()
	s := newSite(t)
	p := newPebble(t, port(s.http), port(s.https), seconds)
	m := opened(t, p.use(config(t, file)), quick())
	s.manager.Store(m)
	m.Set("stage", names)
	for _, name := range names {
		eventually(t, "a certificate for "+name, isReady(m, name))
	}
	return s, p, m
}

func TestStoredCertificatesAreServedAtOnceWithoutTheDirectory(t *testing.T) {
	file := database(t)
	s, p, m := ordered(t, file, 0, "shop.example.com")
	before := s.serves(t, "shop.example.com", p.roots)
	must(t, m.Close())
	asked := p.requests.Load()

	m = opened(t, p.use(config(t, file)), quick())
	s.manager.Store(m)
	if m.Has("shop.example.com") {
		t.Error("a name is served that nobody has Set")
	}
	m.Set("stage", []string{"shop.example.com"})
	if !isReady(m, "shop.example.com")() {
		t.Error("the stored certificate is not there when Set returns")
	}
	if after := s.serves(t, "shop.example.com", p.roots); after.SerialNumber.Cmp(before.SerialNumber) != 0 {
		t.Error("another certificate was ordered")
	}
	if n := p.requests.Load() - asked; n != 0 {
		t.Errorf("the directory was asked %d times", n)
	}
}

func TestCertificatesAreRenewedWhileTheyAreServed(t *testing.T) {
	t.Parallel() // most of its time it waits
	s, p, _ := ordered(t, database(t), 15, "shop.example.com")
	first := s.serves(t, "shop.example.com", p.roots)
	eventually(t, "a renewed certificate", func() bool {
		return s.serves(t, "shop.example.com", p.roots).SerialNumber.Cmp(first.SerialNumber) != 0
	})
	if !time.Now().Before(first.NotAfter) {
		t.Error("it was renewed only when it had expired")
	}
}

func TestACertificateThatTheDirectoryWantsBackIsRenewedEarly(t *testing.T) {
	s := newSite(t)
	p := newPebble(t, port(s.http), port(s.https), 0)
	curious := quick()
	curious.advice = 100 * time.Millisecond
	m := opened(t, p.use(config(t, database(t))), curious)
	s.manager.Store(m)
	m.Set("stage", []string{"shop.example.com"})
	eventually(t, "a certificate", isReady(m, "shop.example.com"))
	first := s.serves(t, "shop.example.com", p.roots)
	asked := p.requests.Load()
	eventually(t, "questions that change nothing", func() bool { return p.requests.Load() > asked+4 })
	if now := s.serves(t, "shop.example.com", p.roots); !now.Equal(first) {
		t.Error("it was renewed although nobody wanted that")
	}
	p.wantBack(t, first)
	eventually(t, "another certificate", func() bool { return !s.serves(t, "shop.example.com", p.roots).Equal(first) })
}

func TestAServedCertificateThatCannotBeRenewedIsReadyAndSaysWhy(t *testing.T) {
	t.Parallel() // most of its time it waits
	s, p, m := ordered(t, database(t), 15, "shop.example.com")
	first := s.serves(t, "shop.example.com", p.roots)
	p.down.Store(true)
	eventually(t, "a failed renewal", func() bool { _, err := m.Status("shop.example.com"); return err != nil })
	if state, err := m.Status("shop.example.com"); state != Ready || !strings.Contains(err.Error(), "next attempt at") {
		t.Errorf("%s: %v", state, err)
	}
	s.serves(t, "shop.example.com", p.roots)
	eventually(t, "the end of the certificate", func() bool {
		state, err := m.Status("shop.example.com")
		return state == Failed && err != nil && time.Now().After(first.NotAfter)
	})
	p.down.Store(false)
	eventually(t, "the directory's return", isReady(m, "shop.example.com"))
	s.serves(t, "shop.example.com", p.roots)
}

func TestAFailingNameSaysWhyHindersNobodyAndRecovers(t *testing.T) {
	s := newSite(t)
	p := newPebble(t, port(s.http), port(s.https), 0)
	p.zone.missing.Store("gone.example.com", true)
	m := opened(t, p.use(config(t, database(t))), quick())
	s.manager.Store(m)
	m.Set("stage", []string{"gone.example.com", "shop.example.com", "*.example.org"})
	if state, err := m.Status("shop.example.com"); state != Ordering || err != nil {
		t.Errorf("at first: %s, %v", state, err)
	}
	eventually(t, "a certificate for the good name", isReady(m, "shop.example.com"))
	eventually(t, "the failure of the other", hasFailed(m, "gone.example.com"))
	_, err := m.Status("gone.example.com")
	for _, want := range []string{"did not certify gone.example.com: ", "next attempt at 20"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q lacks %q", err, want)
		}
	}
	if strings.ContainsRune(err.Error(), '\n') {
		t.Errorf("%q has several lines", err)
	}
	if _, err := m.Status("any.example.org"); err == nil || !strings.Contains(err.Error(), "needs an uploaded certificate") {
		t.Errorf("the wildcard: %v", err)
	}
	p.zone.missing.Delete("gone.example.com")
	eventually(t, "recovery", isReady(m, "gone.example.com"))
	s.serves(t, "gone.example.com", p.roots)
}

func TestACommitTriesAgainWhatFailedSomeTimeAgo(t *testing.T) {
	s := newSite(t)
	p := newPebble(t, port(s.http), port(s.https), 0)
	p.down.Store(true)
	slow := usual()
	slow.pauses, slow.again = []time.Duration{time.Hour}, 0
	m := opened(t, p.use(config(t, database(t))), slow)
	s.manager.Store(m)
	m.Set("stage", []string{"shop.example.com"})
	eventually(t, "a failure", hasFailed(m, "shop.example.com"))
	p.down.Store(false)
	m.Set("stage", []string{"shop.example.com"})
	eventually(t, "a certificate", isReady(m, "shop.example.com"))
}

func TestACommitDoesNotTryAgainWhatHasJustFailed(t *testing.T) {
	p := newPebble(t, closed(t), closed(t), 0)
	p.down.Store(true)
	m := opened(t, p.use(config(t, database(t))), usual())
	m.Set("stage", []string{"shop.example.com"})
	eventually(t, "a failure", hasFailed(m, "shop.example.com"))
	k := m.names.get("shop.example.com")
	before := k.wait()
	m.Set("stage", []string{"shop.example.com"})
	if after := k.wait(); after < before-time.Second || len(k.hurry) > 0 {
		t.Errorf("the next attempt was in %v and is in %v", before, after)
	}
}

func TestADirectoryThatIsAwayIsNamed(t *testing.T) {
	p := newPebble(t, closed(t), closed(t), 0)
	c := p.use(config(t, database(t)))
	p.server.Close()
	m := opened(t, c, quick())
	m.Set("stage", []string{"shop.example.com"})
	eventually(t, "a failure", hasFailed(m, "shop.example.com"))
	if _, err := m.Status("shop.example.com"); !strings.Contains(err.Error(), "127.0.0.1") || !strings.Contains(err.Error(), "cannot be reached: ") {
		t.Errorf("%v", err)
	}
}

func TestADirectoryThatIsNotTrustedIsNamed(t *testing.T) {
	p := newPebble(t, closed(t), closed(t), 0)
	c := p.use(config(t, database(t)))
	c.Roots = nil
	m := opened(t, c, quick())
	m.Set("stage", []string{"shop.example.com"})
	eventually(t, "a failure", hasFailed(m, "shop.example.com"))
	if _, err := m.Status("shop.example.com"); !strings.Contains(err.Error(), "certificate signed by unknown authority") {
		t.Errorf("%v", err)
	}
}

func TestNoPrivateKeyIsInTheDatabaseInClear(t *testing.T) {
	file := database(t)
	_, _, m := ordered(t, file, 0, "shop.example.com")
	must(t, m.Close())
	must(t, local(t, file).Close())
	keys, err := m.vault.store.CertificateKeys(t.Context(), "")
	if err != nil || len(keys) < 4 {
		t.Fatalf("nothing is in the store: %v, %v", keys, err)
	}
	for _, name := range []string{file, file + "-wal"} {
		text, err := os.ReadFile(name)
		must(t, err)
		for _, secret := range []string{"PRIVATE KEY", "BEGIN CERTIFICATE", "ops@example.com\""} {
			if bytes.Contains(text, []byte(secret)) {
				t.Errorf("%s contains %q", name, secret)
			}
		}
	}
}

func TestOrdersUnderWayAreGivenUpByClose(t *testing.T) {
	s := newSite(t)
	p := newPebble(t, port(s.http), port(s.https), 0)
	m := opened(t, p.use(config(t, database(t))), quick())
	s.manager.Store(m)
	m.Set("stage", []string{"one.example.com", "two.example.com"})
	eventually(t, "the first request", func() bool { return p.requests.Load() > 0 })
	began := time.Now()
	must(t, m.Close())
	if took := time.Since(began); took > patience/3 {
		t.Errorf("it took %v", took)
	}
	m.Set("stage", []string{"three.example.com"})
	if state, _ := m.Status("three.example.com"); state != "" {
		t.Errorf("a closed manager has begun an order: %s", state)
	}
}

func TestChallengesThatNobodyExpectsAreForTheApp(t *testing.T) {
	s, _, _ := ordered(t, database(t), 0, "shop.example.com")
	for _, path := range []string{"/", "/.well-known/acme-challenge/token", "/.well-known/acme-challenge/", "/.well-known/other"} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+s.http.Addr().String()+path, nil)
		must(t, err)
		r.Host = "shop.example.com"
		answer, err := http.DefaultClient.Do(r)
		must(t, err)
		body, err := io.ReadAll(answer.Body)
		must(t, err)
		must(t, answer.Body.Close())
		if string(body) != "home of shop.example.com" {
			t.Errorf("%s: %q", path, body)
		}
	}
}

func TestSettingsOfADirectoryAreChecked(t *testing.T) {
	for _, c := range []struct{ directory, roots, says string }{
		{"http://acme.example.com", "", "is no https URL"},
		{"acme.example.com", "", "is no https URL"},
		{"https://acme.example.com", "rubbish", "hold no certificate in PEM"},
	} {
		settings := config(t, database(t))
		settings.Directory, settings.Roots = c.directory, []byte(c.roots)
		if _, err := Open(t.Context(), settings); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%+v: %v", c, err)
		}
	}
}
