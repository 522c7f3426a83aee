package edge

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"net/http/httputil"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// errBehind is what setopsd is told that asks too early.
var errBehind = errors.New("this router does not have these routes yet")

// challenges is where a certificate authority looks whether a name is ours (RFC 8555); setopsd has the answers.
const challenges = "/.well-known/acme-challenge/"

// servePlain answers on --http-listen.
func (e *Edge) servePlain(w http.ResponseWriter, r *http.Request) {
	switch {
	case e.server == nil:
	case strings.HasPrefix(r.URL.Path, challenges) && e.cfg.HTTPS != nil:
		e.server.proxy.ServeHTTP(w, r)
		return
	case e.isAPI(r.Host) && e.cfg.HTTPS != nil: // passwords must not travel in clear
		host, _, _ := net.SplitHostPort(net.JoinHostPort(e.index.Load().APIHost, "0"))
		if e.cfg.HTTPSPort != 0 && e.cfg.HTTPSPort != 443 {
			host = net.JoinHostPort(host, strconv.Itoa(e.cfg.HTTPSPort))
		}
		http.Redirect(w, r, "https://"+host+r.URL.RequestURI(), http.StatusPermanentRedirect)
		return
	}
	e.router.ServeHTTP(w, r)
}

// serveEncrypted answers on --https-listen.
func (e *Edge) serveEncrypted(w http.ResponseWriter, r *http.Request) {
	if e.server != nil && e.isAPI(r.Host) {
		e.server.proxy.ServeHTTP(w, r)
		return
	}
	e.router.ServeHTTP(w, r)
}

// isAPI reports a request for the API and the registry.
func (e *Edge) isAPI(host string) bool {
	i := e.index.Load()
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	return i != nil && i.APIHost != "" && strings.EqualFold(strings.TrimSuffix(host, "."), i.APIHost)
}

// relay passes requests on to setopsd.
type relay struct{ proxy *httputil.ReverseProxy }

func newRelay(e *Edge, to *url.URL) *relay {
	transport := &http.Transport{
		DialContext: (&net.Dialer{Timeout: 5 * time.Second, KeepAlive: 15 * time.Second}).DialContext,
		DialTLSContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			return e.dialServer(ctx, network, addr)
		},
		DisableCompression:  true,
		MaxIdleConnsPerHost: 32,
		IdleConnTimeout:     time.Minute,
	}
	return &relay{proxy: &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.Out.URL.Scheme, r.Out.URL.Host, r.Out.Host = to.Scheme, to.Host, r.In.Host
			if trusts(e.cfg.TrustedProxies, r.In.RemoteAddr) {
				r.Out.Header["X-Forwarded-For"] = r.In.Header["X-Forwarded-For"]
			}
			r.SetXForwarded()
		},
		Transport: transport, FlushInterval: -1,
		ErrorHandler: func(w http.ResponseWriter, r *http.Request, err error) {
			e.log.Warn("setopsd does not answer", "at", to.Host, "error", err)
			http.Error(w, "the server does not answer just now; try again in a moment", http.StatusServiceUnavailable)
		},
	}}
}

// dialServer makes sure that it is setopsd that answers: by the name of the API, which it has a certificate for.
func (e *Edge) dialServer(ctx context.Context, network, addr string) (net.Conn, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if i := e.index.Load(); i != nil {
		config.ServerName = i.APIHost
		if i.Authorities != "" {
			pool, err := x509.SystemCertPool()
			if err != nil {
				pool = x509.NewCertPool()
			}
			pool.AppendCertsFromPEM([]byte(i.Authorities))
			config.RootCAs = pool
		}
	}
	d := tls.Dialer{NetDialer: &net.Dialer{Timeout: 5 * time.Second}, Config: config}
	return d.DialContext(ctx, network, addr)
}

// trusts reports a client that may say for whom it asks.
func trusts(proxies []netip.Prefix, remote string) bool {
	addr, err := netip.ParseAddrPort(remote)
	if err != nil {
		return false
	}
	for _, p := range proxies {
		if p.Contains(addr.Addr().Unmap()) {
			return true
		}
	}
	return false
}
