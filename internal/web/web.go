// Package web is what people meet in a browser: pages to sign in, to allow a program that waits (RFC 8628), to set a password,
// to accept an invitation and to sign out. It has no state of its own: a session is a cookie whose hash the store knows, so
// that any server on one database answers any page. It decides nothing: auth does.
//
// The pages need no script and load nothing. Start with Handler.
package web

import (
	"context"
	"log/slog"
	"net"
	"net/http"

	"github.com/setopsco/setops/internal/auth"
	"github.com/setopsco/setops/internal/oidc"
)

// Pages holds the use cases that the pages ask.
type Pages struct {
	Sessions     *auth.Sessions
	Invitations  *auth.Invitations
	Organization string         // what the sign-in page proposes
	Provider     *oidc.Provider // of identities elsewhere; nil: there is none
	PublicURL    string         // where users reach the server; empty: where the one who asks does
	Logger       *slog.Logger
}

// largestForm is more than any form here has.
const largestForm = 64 << 10

// Handler serves the pages, and all else by next.
func (p *Pages) Handler(next http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/", next)
	for pattern, page := range map[string]func(http.ResponseWriter, *http.Request){
		"GET /login":               p.showSignIn,
		"POST /login":              p.signIn,
		"GET /login/oidc":          p.leaveForProvider,
		"GET /login/oidc/callback": p.returnFromProvider,
		"GET /logout":              p.showSignOut,
		"POST /logout":             p.signOut,
		"GET /account":             p.showAccount,
		"GET /device":              p.showDevice,
		"POST /device":             p.decideDevice,
		"GET /password":            p.showPassword,
		"POST /password":           p.changePassword,
		"GET /invitations/{token}": p.showInvitation, "POST /invitations/{token}": p.acceptInvitation,
	} {
		mux.Handle(pattern, p.guarded(page))
	}
	return mux
}

// guarded refuses forms that another site has sent, and says to the browser what a page may not do: nothing but show itself
// and send its forms home.
func (p *Pages) guarded(page http.HandlerFunc) http.Handler {
	protection := http.NewCrossOriginProtection()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy())
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "same-origin") // with no-referrer, forms would have no origin to check
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		if err := protection.Check(r); err != nil {
			p.show(w, http.StatusForbidden, "message", view{
				Title: "That did not come from here", Error: "The form was sent by another site. Nothing was done.",
			})
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, largestForm)
		if err := r.ParseForm(); err != nil {
			p.show(w, http.StatusBadRequest, "message", view{Title: "That is no form", Error: "The form could not be read. Nothing was done."})
			return
		}
		page(w, r)
	})
}

// address is from where a request comes, without its port.
func address(r *http.Request) string {
	if host, _, err := net.SplitHostPort(r.RemoteAddr); err == nil {
		return host
	}
	return r.RemoteAddr
}

// browserName says in the list of sessions from where one was begun.
func browserName(r *http.Request) string { return "a browser at " + address(r) }

// isSecure says whether the browser speaks TLS, to this server or to a proxy that is trusted.
func isSecure(r *http.Request) bool { return r.TLS != nil || r.URL.Scheme == "https" }

// base is this server as the browser knows it.
func base(r *http.Request) string {
	if isSecure(r) {
		return "https://" + r.Host
	}
	return "http://" + r.Host
}

// fault shows that something went wrong here, and logs what.
func (p *Pages) fault(ctx context.Context, w http.ResponseWriter, err error) {
	if ctx.Err() == nil {
		p.Logger.Error("page failed", "request", w.Header().Get("X-Request-Id"), "error", err)
	}
	p.show(w, http.StatusInternalServerError, "message", view{
		Title: "Something went wrong", Error: "The server could not do this. Try again in a moment; its log knows more, as request " + w.Header().Get("X-Request-Id") + ".",
	})
}
