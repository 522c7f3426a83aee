package certs

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/setopsco/setops/internal/seal"
	"github.com/setopsco/setops/internal/store"
)

// patience bounds all that a test waits for.
const patience = 30 * time.Second

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func eventually(t *testing.T, what string, f func() bool) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for !f() {
		if time.Now().After(deadline) {
			t.Fatalf("not within %v: %s", patience, what)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// config gives what every manager of a test has: a real store in a file, a real box, no log.
func config(t *testing.T, file string) Config {
	t.Helper()
	s, err := store.Open(t.Context(), file)
	must(t, err)
	t.Cleanup(func() { must(t, s.Close()) })
	box, err := seal.New(bytes.Repeat([]byte{7}, seal.KeySize))
	must(t, err)
	return Config{Store: s, Box: box, Logger: slog.New(slog.DiscardHandler)}
}

func database(t *testing.T) string { return filepath.Join(t.TempDir(), "setops.db") }

// quick is usual for those who cannot wait.
func quick() pace {
	p := usual()
	p.pauses = []time.Duration{200 * time.Millisecond}
	return p
}

// opened gives a manager that ends with the test, or before by its Close.
func opened(t *testing.T, c Config, p pace) *Manager {
	t.Helper()
	m, err := open(t.Context(), c, p)
	must(t, err)
	t.Cleanup(func() {
		if m.ctx.Err() == nil {
			must(t, m.Close())
		}
	})
	return m
}

func local(t *testing.T, file string) *Manager {
	t.Helper()
	c := config(t, file)
	c.Local = true
	return opened(t, c, quick())
}

// site is a server that uses a manager as setopsd does, on two ports of loopback.
type site struct {
	manager atomic.Pointer[Manager]
	http    net.Listener
	https   net.Listener
}

func newSite(t *testing.T) *site {
	t.Helper()
	s := &site{http: listen(t), https: listen(t)}
	home := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, "home of "+r.Host) })
	plain := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.manager.Load().Challenges(home).ServeHTTP(w, r)
	})}
	secure := &http.Server{Handler: home, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)}
	secure.TLSConfig = &tls.Config{
		NextProtos: []string{"h2", "http/1.1"}, // net/http looks here for h2
		GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) {
			return s.manager.Load().TLSConfig(), nil
		},
	}
	done := make(chan error, 2)
	go func() { done <- plain.Serve(s.http) }()
	go func() { done <- secure.ServeTLS(s.https, "", "") }()
	t.Cleanup(func() {
		_ = plain.Close()
		_ = secure.Close()
		<-done
		<-done
	})
	return s
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	return l
}

func port(l net.Listener) int { return l.Addr().(*net.TCPAddr).Port }

// closed is a port where nobody listens.
func closed(t *testing.T) int {
	t.Helper()
	l := listen(t)
	must(t, l.Close())
	return port(l)
}

// handshake gives the certificate with which the site serves a host to somebody who trusts roots.
func (s *site) handshake(ctx context.Context, host string, roots *x509.CertPool) (*x509.Certificate, error) {
	d := tls.Dialer{Config: &tls.Config{ServerName: host, RootCAs: roots, NextProtos: []string{"h2", "http/1.1"}}}
	c, err := d.DialContext(ctx, "tcp", s.https.Addr().String())
	if err != nil {
		return nil, err
	}
	defer func() { _ = c.Close() }()
	return c.(*tls.Conn).ConnectionState().PeerCertificates[0], nil
}

func (s *site) serves(t *testing.T, host string, roots *x509.CertPool) *x509.Certificate {
	t.Helper()
	leaf, err := s.handshake(t.Context(), host, roots)
	if err != nil {
		t.Fatalf("%s is not served: %v", host, err)
	}
	return leaf
}

func isReady(m *Manager, host string) func() bool {
	return func() bool { state, err := m.Status(host); return state == Ready && err == nil && m.Has(host) }
}

func hasFailed(m *Manager, host string) func() bool {
	return func() bool { state, err := m.Status(host); return state == Failed && err != nil && !m.Has(host) }
}
