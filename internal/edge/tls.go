package edge

import (
	"crypto/tls"
	"fmt"
	"net"
	"strings"

	"github.com/setopsco/setops/internal/edge/published"
)

// certificates are those of hosts, and of wildcards as *.example.com. They never change.
type certificates map[string]*tls.Certificate

// forHost gives the certificate of a host, or that of the wildcard that it matches; nil: there is none.
func (c *certificates) forHost(host string) *tls.Certificate {
	host = strings.TrimSuffix(strings.ToLower(host), ".")
	if own := (*c)[host]; own != nil {
		return own
	}
	_, parent, _ := strings.Cut(host, ".")
	return (*c)["*."+parent]
}

// followCertificate serves a name with its newest certificate. One that cannot be used leaves the one before it.
func (e *Edge) followCertificate(o published.Object, gone bool) error {
	host, chain, key := published.ReadCertificate(o)
	var pair *tls.Certificate
	if !gone {
		p, err := tls.X509KeyPair(chain, key)
		if err != nil {
			return fmt.Errorf("certificate of %s: %w", host, err)
		}
		pair = &p
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	next := certificates{}
	for name, c := range *e.certificates.Load() {
		next[name] = c
	}
	if next[host] = pair; gone {
		delete(next, host)
	}
	e.certificates.Store(&next)
	return nil
}

// encrypt speaks TLS with clients. A name without a certificate is refused with the alert unrecognized_name.
func (e *Edge) encrypt(l net.Listener) net.Listener {
	return tls.NewListener(l, &tls.Config{
		MinVersion: tls.VersionTLS12,
		NextProtos: []string{"h2", "http/1.1"},
		GetCertificate: func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
			return e.certificates.Load().forHost(hello.ServerName), nil
		},
	})
}
