package web

import (
	"net/http"

	"github.com/setopsco/setops/internal/setops"
)

func (p *Pages) showInvitation(w http.ResponseWriter, r *http.Request) {
	if i, ok := p.invitation(w, r); ok {
		p.show(w, http.StatusOK, "invitation", invitationView(r, i))
	}
}

// invitation finds what a link is about. ok is false where that is nothing, which was shown then.
func (p *Pages) invitation(w http.ResponseWriter, r *http.Request) (setops.Invitation, bool) {
	i, err := p.Invitations.Invitation(r.Context(), r.PathValue("token"))
	if err == nil {
		return i, true
	}
	if _, sentence, known := refusal(err); known {
		p.show(w, http.StatusNotFound, "message", view{Title: "No invitation", Error: sentence})
		return i, false
	}
	p.fault(r.Context(), w, err)
	return i, false
}

func invitationView(r *http.Request, i setops.Invitation) view {
	return view{Title: "You are invited", Invitation: &i, Token: r.PathValue("token"), Email: i.Email, Organization: i.Organization}
}

func (p *Pages) acceptInvitation(w http.ResponseWriter, r *http.Request) {
	i, ok := p.invitation(w, r)
	if !ok {
		return
	}
	v, form := invitationView(r, i), r.PostForm
	if !i.HasAccount && form.Get("password") != form.Get("repeated") {
		v.Error = notRepeated
		p.show(w, http.StatusUnprocessableEntity, "invitation", v)
		return
	}
	u, err := p.Invitations.Accept(r.Context(), r.PathValue("token"), form.Get("password"))
	if status, sentence, known := refusal(err); known {
		v.Error = sentence
		p.show(w, status, "invitation", v)
		return
	}
	if err != nil {
		p.fault(r.Context(), w, err)
		return
	}
	g, err := p.Sessions.SignInProven(r.Context(), u, browserName(r))
	p.welcome(w, r, g, err, home)
}
