package certs

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const days = 24 * time.Hour

// writePair writes a pair as an operator does, and gives its certificate.
func writePair(t *testing.T, dir, name string, a *authority, host string, from, to time.Duration) {
	t.Helper()
	text := string(leafOf(t, a, host, from, to))
	key, cert, _ := strings.Cut(text, "-----BEGIN CERTIFICATE")
	must(t, os.WriteFile(filepath.Join(dir, name+".crt"), []byte("-----BEGIN CERTIFICATE"+cert), 0o600))
	must(t, os.WriteFile(filepath.Join(dir, name+".key"), []byte(key), 0o600))
}

// elsewhere is an authority that is not the server's.
func elsewhere(t *testing.T) *Manager {
	t.Helper()
	return local(t, database(t))
}

func TestUploadedCertificatesWinAndNothingIsOrderedForTheirNames(t *testing.T) {
	other, dir := elsewhere(t), t.TempDir()
	writePair(t, dir, "wild", other.local, "*.example.com", -days, 10*days)
	writePair(t, dir, "short", other.local, "*.example.com", -days, 5*days)
	writePair(t, dir, "exact", other.local, "Shop.Example.com", -days, 5*days)
	must(t, os.WriteFile(filepath.Join(dir, "README"), []byte("bought at …"), 0o600))
	s := newSite(t)
	p := newPebble(t, port(s.http), port(s.https), 0)
	c := p.use(config(t, database(t)))
	c.Uploaded = dir
	m := opened(t, c, quick())
	s.manager.Store(m)
	m.Set("stage", []string{"shop.example.com", "blog.example.com", "*.example.com"})
	for host, until := range map[string]time.Duration{"shop.example.com": 5 * days, "blog.example.com": 10 * days, "any.example.com": 10 * days} {
		if !isReady(m, host)() {
			t.Fatalf("%s is not ready", host)
		}
		leaf := s.serves(t, host, trusting(t, other))
		if off := time.Until(leaf.NotAfter) - until; off.Abs() > time.Hour {
			t.Errorf("%s has one until %v", host, leaf.NotAfter)
		}
	}
	if n := p.requests.Load(); n > 0 {
		t.Errorf("the directory was asked %d times", n)
	}
}

func TestAnUploadedCertificateIsServedOnlyForNamesThatAreSet(t *testing.T) {
	other, dir := elsewhere(t), t.TempDir()
	writePair(t, dir, "wild", other.local, "*.example.com", -days, 10*days)
	c := config(t, database(t))
	c.Local, c.Uploaded = true, dir
	s, m := newSite(t), opened(t, c, quick())
	s.manager.Store(m)
	m.Set("stage", []string{"shop.example.com", "shop.example.org"})
	s.serves(t, "shop.example.com", trusting(t, other))
	s.serves(t, "shop.example.org", trusting(t, m)) // not covered: made
	if _, err := s.handshake(t.Context(), "blog.example.com", trusting(t, other)); err == nil || m.Has("blog.example.com") {
		t.Errorf("a name that nobody has is served: %v", err)
	}
}

func TestAnExpiredUploadIsNotUsedAndDoesNotHinderTheServer(t *testing.T) {
	other, dir := elsewhere(t), t.TempDir()
	writePair(t, dir, "old", other.local, "*.example.com", -20*days, -days)
	writePair(t, dir, "early", other.local, "*.example.org", days, 20*days)
	s := newSite(t)
	p := newPebble(t, port(s.http), port(s.https), 0)
	c := p.use(config(t, database(t)))
	c.Uploaded = dir
	m := opened(t, c, quick())
	s.manager.Store(m)
	m.Set("stage", []string{"*.example.com", "*.example.org", "shop.example.com"})
	for host, want := range map[string]string{"a.example.com": "old.crt expired on ", "a.example.org": "early.crt is not valid before "} {
		if state, err := m.Status(host); state != Failed || err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %s, %v", host, state, err)
		}
	}
	eventually(t, "a certificate that is ordered instead", isReady(m, "shop.example.com"))
}

func TestAnUploadThatExpiresWhileItIsServedHasFailed(t *testing.T) {
	t.Parallel() // most of its time it waits
	other, dir := elsewhere(t), t.TempDir()
	c := config(t, database(t))
	c.Local, c.Uploaded = true, dir
	writePair(t, dir, "short", other.local, "shop.example.com", -days, 4*time.Second)
	m := opened(t, c, quick())
	m.Set("stage", []string{"shop.example.com"})
	if state, err := m.Status("shop.example.com"); state != Ready || err != nil {
		t.Errorf("at first: %s, %v", state, err)
	}
	eventually(t, "its end", func() bool { state, _ := m.Status("shop.example.com"); return state == Failed })
	if _, err := m.Status("shop.example.com"); !strings.Contains(err.Error(), "expired on ") {
		t.Errorf("%v", err)
	}
}

func TestUploadsThatCannotWorkAreRefusedAllAtOnce(t *testing.T) {
	other, dir := elsewhere(t), t.TempDir()
	writePair(t, dir, "one", other.local, "one.example.com", -days, days)
	writePair(t, dir, "two", other.local, "two.example.com", -days, days)
	writePair(t, dir, "three", other.local, "three.example.com", -days, days)
	writePair(t, dir, "four", other.local, "four.example.com", -days, days)
	writePair(t, dir, "nameless", other.local, "", -days, days)
	must(t, os.Rename(filepath.Join(dir, "one.key"), filepath.Join(dir, "two.key")))
	must(t, os.Remove(filepath.Join(dir, "three.crt")))
	must(t, os.WriteFile(filepath.Join(dir, "four.crt"), []byte("rubbish"), 0o600))
	c := config(t, database(t))
	c.Local, c.Uploaded = true, dir
	_, err := Open(t.Context(), c)
	if err == nil {
		t.Fatal("all were taken")
	}
	for _, want := range []string{
		"one.crt has no key; it belongs beside it as ", "two.crt and ", "private key does not match public key",
		"three.key has no certificate", "four.crt and ", "nameless.crt is for no host",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%v\nlacks %q", err, want)
		}
	}
	c.Uploaded = filepath.Join(dir, "nowhere")
	if _, err := Open(t.Context(), c); err == nil || !strings.Contains(err.Error(), "read uploaded certificates: ") {
		t.Errorf("%v", err)
	}
}
