package daemon

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"

	"github.com/setopsco/setops/internal/certs"
)

// apiOwner has the API's own name among those who need certificates. Stages' ids are never like it.
const apiOwner = "api"

// apiHost is where the API and the registry answer by TLS.
func (c *Config) apiHost() string { return "api." + c.Domain }

// listensByTLS says that --listen leads through networks that others may listen in.
func (c *Config) listensByTLS() bool {
	return c.HTTPSListen != "" && !c.Insecure && !isLoopback(c.Listen)
}

// openCertificates has certificates from now on, where the server speaks TLS. The front keeps serving with those that it has
// while the core is closed.
func (c *core) openCertificates(ctx context.Context) error {
	if c.Config.HTTPSListen == "" {
		return nil
	}
	local := c.Config.ACMEDirectory == localAuthority || isLocal(c.Config.Domain)
	config := certs.Config{Store: c.store, Box: c.box, Logger: c.Logger, Local: local, Uploaded: c.Config.Certificates, Changed: c.certificatesChanged}
	if !local {
		config.Directory, config.Email, config.Roots = c.Config.ACMEDirectory, c.Config.ACMEEmail, c.Config.settings.roots
	}
	var err error
	if c.certs, err = certs.Open(ctx, config); err != nil {
		return fmt.Errorf("open certificates: %w", err)
	}
	c.onClose(c.certs.Close)
	if err := c.publishAuthority(); err != nil {
		return fmt.Errorf("write certificate of the local authority: %w", err)
	}
	c.front.certify(c.certs)
	c.certs.Set(apiOwner, []string{c.Config.apiHost()})
	return nil
}

// publishAuthority puts what clients must trust where `setopsd authority` finds it.
func (c *core) publishAuthority() error {
	pem, path := c.certs.Authority(), c.dir.file(authorityFile)
	if there, err := os.ReadFile(path); err == nil && string(there) == string(pem) {
		return nil
	}
	if err := removeIfThere(path); err != nil || pem == nil {
		return err
	}
	return writeNew(path, pem)
}

var errNoCertificates = errors.New("the server is starting and has no certificates yet")

// tlsConfig serves with the certificates that the core has, or had last.
func (f *front) tlsConfig() *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12,
		GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) {
			if c := f.certified.Load(); c != nil {
				return c.tls, nil
			}
			return nil, errNoCertificates
		},
		NextProtos: []string{"h2", "http/1.1"},
	}
}

// certified is what the front needs of the certificates.
type certified struct {
	manager *certs.Manager
	tls     *tls.Config
	plain   http.Handler // answers challenges, and passes on the rest
	api     http.Handler // the same for those that routers beside this server have passed on
}

func (f *front) certify(m *certs.Manager) {
	f.certified.Store(&certified{manager: m, tls: m.TLSConfig(), plain: m.Challenges(http.HandlerFunc(f.servePlain)), api: m.Challenges(f.gate)})
}

// hasCertificate tells the router which hosts to redirect.
func (f *front) hasCertificate(host string) bool {
	c := f.certified.Load()
	return c != nil && c.manager.Has(host)
}

// serveHTTP answers on --http-listen.
func (f *front) serveHTTP(w http.ResponseWriter, r *http.Request) {
	if c := f.certified.Load(); c != nil {
		c.plain.ServeHTTP(w, r)
		return
	}
	f.router.ServeHTTP(w, r)
}

// serveAPI answers on --listen.
func (f *front) serveAPI(w http.ResponseWriter, r *http.Request) {
	if c := f.certified.Load(); c != nil && certs.IsChallenge(r) {
		c.api.ServeHTTP(w, r)
		return
	}
	f.gate.ServeHTTP(w, r)
}

// servePlain sends whoever asks for the API to TLS: passwords must not travel in clear.
func (f *front) servePlain(w http.ResponseWriter, r *http.Request) {
	if f.isAPI(r.Host) {
		_, port, _ := net.SplitHostPort(f.https.bound)
		http.Redirect(w, r, "https://"+net.JoinHostPort(f.apiHost, port)+r.URL.RequestURI(), http.StatusPermanentRedirect)
		return
	}
	f.router.ServeHTTP(w, r)
}

// serveHTTPS answers on --https-listen.
func (f *front) serveHTTPS(w http.ResponseWriter, r *http.Request) {
	if f.isAPI(r.Host) {
		defer f.https.server.Aside(r)()
		f.gate.ServeHTTP(w, r)
		return
	}
	f.router.ServeHTTP(w, r)
}

func (f *front) isAPI(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	return strings.EqualFold(strings.TrimSuffix(host, "."), f.apiHost)
}
