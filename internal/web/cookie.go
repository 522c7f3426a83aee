package web

import (
	"net/http"
	"net/url"
	"time"

	"github.com/setopsco/setops/internal/setops"
)

// sessionCookie is the cookie that a browser is known by.
const sessionCookie = "setops"

// cookieName marks a cookie under TLS as this very host's, so that no app on a name beside can set it.
func cookieName(r *http.Request, name string) string {
	if isSecure(r) {
		return "__Host-" + name
	}
	return name
}

// setCookie keeps a value in the browser, out of reach of scripts and of forms of other sites.
func setCookie(w http.ResponseWriter, r *http.Request, name, value string, expires time.Time) {
	c := &http.Cookie{
		Name: cookieName(r, name), Value: value, Path: "/", Expires: expires, HttpOnly: true, Secure: isSecure(r),
		SameSite: http.SameSiteLaxMode, // not strict: who comes back from a provider of identities comes from another site
	}
	if value == "" {
		c.MaxAge = -1
	}
	http.SetCookie(w, c)
}

func cookie(r *http.Request, name string) string {
	c, err := r.Cookie(cookieName(r, name))
	if err != nil {
		return ""
	}
	return c.Value
}

// who gives the session of the browser; ok is false where it has none. An error was shown already.
func (p *Pages) who(w http.ResponseWriter, r *http.Request) (s setops.Session, ok bool, failed bool) {
	s, err := p.Sessions.CheckBrowser(r.Context(), cookie(r, sessionCookie))
	switch {
	case err == nil:
		return s, true, false
	case setops.IsCode(err, setops.SessionInvalid):
		return s, false, false
	}
	p.fault(r.Context(), w, err)
	return s, false, true
}

// signedIn gives the session of the browser; where it has none, it is led to sign in and comes back. ok is false then.
func (p *Pages) signedIn(w http.ResponseWriter, r *http.Request, back string) (s setops.Session, ok bool) {
	s, ok, failed := p.who(w, r)
	if !ok && !failed {
		http.Redirect(w, r, "/login?next="+url.QueryEscape(back), http.StatusSeeOther)
	}
	return s, ok
}

// home is where signing in leads that was asked for by nobody.
const home = "/account"

// ownPage gives where signing in may lead: one of our pages, whatever a link says.
func ownPage(next string) string {
	u, err := url.Parse(next)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || u.Opaque != "" {
		return home
	}
	switch u.Path {
	case "/password":
		return u.Path
	case "/device":
		return devicePage(u.Query().Get("user_code"))
	}
	return home
}
