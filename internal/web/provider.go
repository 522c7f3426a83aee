package web

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"time"

	"github.com/setopsco/setops/internal/oidc"
)

// What a browser keeps while it is at the provider of identities, and for how long.
const (
	flowCookie = "setops-oidc"
	flowLife   = 10 * time.Minute
	callback   = "/login/oidc/callback"
)

type flow struct {
	oidc.Flow
	Next string `json:"next"`
}

func (p *Pages) leaveForProvider(w http.ResponseWriter, r *http.Request) {
	if p.Provider == nil {
		p.show(w, http.StatusNotFound, "message", view{Title: "Not here", Error: "Nobody but this server itself knows who its users are."})
		return
	}
	address, begun, err := p.Provider.Begin(r.Context(), base(r)+callback)
	if err != nil {
		p.failedProvider(w, err)
		return
	}
	text, err := json.Marshal(flow{begun, ownPage(r.Form.Get("next"))})
	if err != nil {
		p.fault(r.Context(), w, err)
		return
	}
	setCookie(w, r, flowCookie, base64.RawURLEncoding.EncodeToString(text), p.Sessions.Now().Add(flowLife))
	http.Redirect(w, r, address, http.StatusSeeOther)
}

func (p *Pages) returnFromProvider(w http.ResponseWriter, r *http.Request) {
	if p.Provider == nil {
		p.leaveForProvider(w, r)
		return
	}
	var begun flow
	text, err := base64.RawURLEncoding.DecodeString(cookie(r, flowCookie))
	if err != nil || json.Unmarshal(text, &begun) != nil || begun.State == "" {
		p.show(w, http.StatusBadRequest, "message", view{
			Title: "That took too long", Error: "This browser did not begin to sign in, or did so more than ten minutes ago. Begin anew.", Next: home,
		})
		return
	}
	setCookie(w, r, flowCookie, "", p.Sessions.Now())
	email, err := p.Provider.Finish(r.Context(), base(r)+callback, begun.Flow, r.Form)
	if err != nil {
		p.failedProvider(w, err)
		return
	}
	g, err := p.Invitations.SignInVerified(r.Context(), email, p.Organization, browserName(r))
	if status, sentence, known := refusal(err); known {
		p.show(w, status, "message", view{Title: "Not a user here", Error: sentence, Next: begun.Next})
		return
	}
	p.welcome(w, r, g, err, begun.Next)
}

// failedProvider shows what the provider did not do. The log knows more.
func (p *Pages) failedProvider(w http.ResponseWriter, err error) {
	p.Logger.Warn("sign-in by the provider of identities", "error", err)
	p.show(w, http.StatusBadGateway, "message", view{
		Title: "It did not sign you in", Error: oidc.Sentence(err), Next: home,
	})
}
