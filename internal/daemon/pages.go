package daemon

import (
	"net/http"
	"net/netip"
	"strings"

	"github.com/setopsco/setops/internal/auth"
	"github.com/setopsco/setops/internal/oidc"
	"github.com/setopsco/setops/internal/web"
)

// pages serves what people meet in a browser, and all else by next.
func (c *core) pages(invitations *auth.Invitations, next http.Handler) http.Handler {
	p := &web.Pages{
		Sessions: c.sessions, Invitations: invitations, Organization: c.Config.Organization,
		PublicURL: c.Config.PublicURL, Logger: c.Logger,
	}
	if c.Config.OIDCIssuer != "" {
		p.Provider = oidc.New(oidc.Config{
			Issuer: c.Config.OIDCIssuer, ClientID: c.Config.OIDCClientID, ClientSecret: c.Config.settings.oidcSecret,
			Domains: c.Config.settings.oidcDomains,
		})
	}
	return p.Handler(next)
}

// believing tells those behind it who asks, and whether by TLS, where a proxy says so that is trusted. Of the addresses in
// X-Forwarded-For it takes the last one that is no such proxy's: what is before it may be made up.
func believing(proxies []netip.Prefix, next http.Handler) http.Handler {
	if len(proxies) == 0 {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		peer, err := netip.ParseAddrPort(r.RemoteAddr)
		if err != nil || !isOneOf(proxies, peer.Addr()) {
			next.ServeHTTP(w, r)
			return
		}
		said := r.Clone(r.Context())
		if strings.EqualFold(r.Header.Get("X-Forwarded-Proto"), "https") {
			said.URL.Scheme = "https"
		}
		for _, hop := range backwards(r.Header.Values("X-Forwarded-For")) {
			client, err := netip.ParseAddr(hop)
			if err != nil {
				break
			}
			said.RemoteAddr = netip.AddrPortFrom(client.Unmap(), 0).String()
			if !isOneOf(proxies, client) {
				break
			}
		}
		next.ServeHTTP(w, said)
	})
}

func isOneOf(networks []netip.Prefix, a netip.Addr) bool {
	a = a.Unmap().WithZone("")
	for _, n := range networks {
		if n.Contains(a) {
			return true
		}
	}
	return false
}

// backwards gives the elements of a header that is a list, last first.
func backwards(values []string) []string {
	all := list(strings.Join(values, ","))
	for i, j := 0, len(all)-1; i < j; i, j = i+1, j-1 {
		all[i], all[j] = all[j], all[i]
	}
	return all
}
