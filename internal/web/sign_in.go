package web

import (
	"cmp"
	"net/http"

	"github.com/setopsco/setops/internal/auth"
	"github.com/setopsco/setops/internal/setops"
)

func (p *Pages) showSignIn(w http.ResponseWriter, r *http.Request) {
	next := ownPage(r.Form.Get("next"))
	if _, ok, failed := p.who(w, r); ok || failed {
		if ok {
			http.Redirect(w, r, next, http.StatusSeeOther)
		}
		return
	}
	p.show(w, http.StatusOK, "sign_in", view{Title: "Sign in", Organization: p.Organization, Next: next})
}

func (p *Pages) signIn(w http.ResponseWriter, r *http.Request) {
	form := r.PostForm
	organization, email := form.Get("organization"), form.Get("email")
	g, err := p.Sessions.SignIn(r.Context(), organization, email, form.Get("password"), address(r), setops.BrowserSession, browserName(r))
	if status, sentence, ok := refusal(err); ok {
		p.show(w, status, "sign_in", view{
			Title: "Sign in", Error: sentence, Organization: organization, Email: email, Next: ownPage(form.Get("next")),
		})
		return
	}
	p.welcome(w, r, g, err, form.Get("next"))
}

// welcome gives the browser its session, in place of one that it had, and leads it on.
func (p *Pages) welcome(w http.ResponseWriter, r *http.Request, g auth.Grant, err error, next string) {
	if err != nil {
		p.fault(r.Context(), w, err)
		return
	}
	p.forgetBrowser(r)
	setCookie(w, r, sessionCookie, g.Token, g.ExpiresAt)
	http.Redirect(w, r, ownPage(next), http.StatusSeeOther)
}

// forgetBrowser ends the session that the browser has, if any.
func (p *Pages) forgetBrowser(r *http.Request) {
	if old := cookie(r, sessionCookie); old != "" {
		if err := p.Sessions.SignOut(r.Context(), old); err != nil {
			p.Logger.Warn("end a browser's session", "error", err) // it expires by itself
		}
	}
}

func (p *Pages) showSignOut(w http.ResponseWriter, r *http.Request) {
	s, ok, failed := p.who(w, r)
	switch {
	case failed:
	case ok:
		p.show(w, http.StatusOK, "sign_out", view{Title: "Sign out", Email: s.User.Email, Organization: s.User.Organization})
	default:
		p.show(w, http.StatusOK, "message", view{Title: "Signed out", Done: "This browser is signed out."})
	}
}

func (p *Pages) signOut(w http.ResponseWriter, r *http.Request) {
	if err := p.Sessions.SignOut(r.Context(), cookie(r, sessionCookie)); err != nil {
		p.fault(r.Context(), w, err)
		return
	}
	setCookie(w, r, sessionCookie, "", p.Sessions.Now())
	p.show(w, http.StatusOK, "message", view{Title: "Signed out", Done: "This browser is signed out."})
}

func (p *Pages) showAccount(w http.ResponseWriter, r *http.Request) {
	if s, ok := p.signedIn(w, r, home); ok {
		p.show(w, http.StatusOK, "account", view{
			Title: "You are signed in", Email: s.User.Email, Organization: s.User.Organization, Login: "setops login --url " + cmp.Or(p.PublicURL, base(r)),
		})
	}
}
