package certs

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/caddyserver/certmagic"
	"github.com/mholt/acmez/v3/acme"
	"go.uber.org/zap"
)

// directory orders certificates by ACME. Of certmagic it takes the account with the directory, the order and the answers to
// challenges; what is ordered when, kept and served is the keepers' business, as each has to tell how its name stands.
type directory struct {
	host   string // of the URL, as the user is told it
	issuer *certmagic.ACMEIssuer
	config *certmagic.Config
	cache  *certmagic.Cache // certmagic wants one; it stays empty
	guard  *guard
}

// openDirectory prepares orders. Nothing is sent before the first.
func openDirectory(c Config, v vault, timeout time.Duration) (*directory, error) {
	address := c.Directory
	if address == "" {
		address = certmagic.LetsEncryptProductionCA
	}
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" || u.Host == "" {
		return nil, fmt.Errorf("the ACME directory %q is no https URL", address)
	}
	roots, err := trusted(c.Roots)
	if err != nil {
		return nil, err
	}
	g, err := newGuard()
	if err != nil {
		return nil, fmt.Errorf("prepare challenges: %w", err)
	}
	d := &directory{host: u.Host, guard: g}
	quiet := zap.NewNop() // what matters comes back as an error
	d.cache = certmagic.NewCache(certmagic.CacheOptions{
		GetConfigForCert: func(certmagic.Certificate) (*certmagic.Config, error) { return d.config, nil },
		Logger:           quiet,
	})
	d.config = certmagic.New(d.cache, certmagic.Config{Storage: newShelf(v), Logger: quiet})
	d.issuer = certmagic.NewACMEIssuer(d.config, certmagic.ACMEIssuer{
		CA: address, Email: c.Email, Agreed: true, TrustedRoots: roots, CertObtainTimeout: timeout, Logger: quiet,
		DisableDistributedSolvers: true, // one process orders and answers
		ListenHost:                g.host, AltHTTPPort: g.port, AltTLSALPNPort: g.port,
	})
	return d, nil
}

// trusted adds authorities to the system's; nil where there are none to add.
func trusted(extra []byte) (*x509.CertPool, error) {
	if len(extra) == 0 {
		return nil, nil
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool() // a machine without any is no reason to refuse those that are given
	}
	if !pool.AppendCertsFromPEM(extra) {
		return nil, errors.New("the roots of the ACME directory hold no certificate in PEM")
	}
	return pool, nil
}

func (d *directory) id() string { return d.issuer.IssuerKey() }

func (d *directory) refuses(name string) error {
	if isWildcard(name) {
		return fmt.Errorf("the wildcard %s needs an uploaded certificate, as a certificate authority proves a wildcard by DNS only", name)
	}
	return nil
}

func (d *directory) issue(ctx context.Context, request *x509.CertificateRequest) ([]byte, error) {
	name := request.DNSNames[0]
	if err := d.issuer.PreCheck(ctx, request.DNSNames, false); err != nil {
		return nil, fmt.Errorf("%s certifies no such name: %w", d.host, err)
	}
	issued, err := d.issuer.Issue(ctx, request)
	if err != nil {
		return nil, d.explain(name, err)
	}
	return issued.Certificate, nil
}

// wantsBack gives when the directory would have a certificate replaced, where that is before the usual time; zero where it
// is not, or the directory gives no such advice (RFC 9773).
func (d *directory) wantsBack(ctx context.Context, leaf *tls.Certificate) (time.Time, error) {
	info, err := d.issuer.GetRenewalInfo(ctx, certmagic.Certificate{Certificate: *leaf})
	if errors.Is(err, acme.ErrUnsupported) {
		return time.Time{}, nil
	}
	if err != nil || !info.SuggestedWindow.End.Before(renewal(leaf.Leaf)) {
		return time.Time{}, err
	}
	return info.SelectedTime, nil
}

// explain makes one sentence of what came back.
func (d *directory) explain(name string, err error) error {
	var problem acme.Problem
	var network *url.Error
	switch {
	case errors.As(err, &problem) && problem.Type == acme.ProblemTypeRateLimited:
		return fmt.Errorf("%s gives no more certificates for now: %s", d.host, detail(problem))
	case errors.As(err, &problem):
		return fmt.Errorf("%s did not certify %s: %s", d.host, name, detail(problem))
	case errors.As(err, &network):
		return fmt.Errorf("%s cannot be reached: %w", d.host, network.Err)
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("%s has not finished the order of %s in time", d.host, name)
	}
	return fmt.Errorf("order certificate from %s: %w", d.host, err)
}

// detail is what a directory says, on one line.
func detail(p acme.Problem) string {
	said := []string{p.Detail}
	for _, sub := range p.Subproblems {
		said = append(said, sub.Detail)
	}
	text := strings.Join(strings.Fields(strings.Join(said, "; ")), " ")
	if text == "" {
		return strings.TrimPrefix(p.Type, acme.ProblemTypeNamespace)
	}
	return strings.TrimSuffix(text, ".")
}

// proof answers a check by TLS-ALPN-01. Where none is expected the handshake is refused before certmagic sees it.
func (d *directory) proof(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	if _, expected := certmagic.GetACMEChallenge(hello.ServerName); !expected {
		return nil, nil
	}
	return d.config.GetCertificate(hello)
}

// challenges answers checks by HTTP-01 that are expected. certmagic would answer others as well, with whatever token it is
// asked for.
func (d *directory) challenges(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if certmagic.LooksLikeHTTPChallenge(r) {
			if _, expected := certmagic.GetACMEChallenge(hostOf(r)); expected && d.issuer.HandleHTTPChallenge(w, r) {
				return
			}
		}
		next.ServeHTTP(w, r)
	})
}

func hostOf(r *http.Request) string {
	if host, _, err := net.SplitHostPort(r.Host); err == nil {
		return host
	}
	return r.Host
}

func (d *directory) close() error {
	d.cache.Stop()
	return d.guard.close()
}

var _ issuer = (*directory)(nil)
