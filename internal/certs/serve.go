package certs

import (
	"crypto/tls"
	"net/http"
	"strings"
)

// acmeProtocol is what a directory asks for alone when it checks a name by TLS-ALPN-01 (RFC 8737).
const acmeProtocol = "acme-tls/1"

// TLSConfig is for listeners of HTTPS. A name that was not Set, or has no certificate yet, is refused with the alert
// unrecognized_name: no key is used for it, nothing is read and nobody is asked.
func (m *Manager) TLSConfig() *tls.Config {
	return &tls.Config{
		MinVersion:     tls.VersionTLS12,
		NextProtos:     []string{"h2", "http/1.1", acmeProtocol},
		GetCertificate: m.certificate,
	}
}

func (m *Manager) certificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	if m.acme != nil && len(hello.SupportedProtos) == 1 && hello.SupportedProtos[0] == acmeProtocol {
		return m.acme.proof(hello)
	}
	if k := m.names.forHost(hello.ServerName); k != nil {
		return k.leaf.Load(), nil
	}
	return nil, nil // crypto/tls makes unrecognized_name of it, of an error internal_error
}

// Has reports whether a host can be served by TLS now.
func (m *Manager) Has(host string) bool {
	k := m.names.forHost(host)
	return k != nil && k.leaf.Load() != nil
}

// The states of a name.
const (
	Ready    = "ready"    // there is a certificate
	Ordering = "ordering" // the first one is under way
	Failed   = "failed"   // there is none, or it has expired
)

// Status tells the state of a host and, in one sentence, what is wrong: why it failed, or, where it is ready, why it could
// not be renewed. The state of a host that nobody has Set is "".
func (m *Manager) Status(host string) (state string, err error) {
	k := m.names.forHost(host)
	if k == nil {
		return "", nil
	}
	return k.status()
}

// challenges is where a directory looks by HTTP-01 (RFC 8555).
const challenges = "/.well-known/acme-challenge/"

// IsChallenge reports a check by HTTP-01.
func IsChallenge(r *http.Request) bool { return strings.HasPrefix(r.URL.Path, challenges) }

// Challenges answers a directory's checks by HTTP-01, which come to port 80, and leaves all other requests to next. It
// stands before redirects to https.
func (m *Manager) Challenges(next http.Handler) http.Handler {
	if m.acme == nil {
		return next
	}
	return m.acme.challenges(next)
}
