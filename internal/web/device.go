package web

import (
	"net/http"
	"net/url"

	"github.com/setopsco/setops/internal/auth"
	"github.com/setopsco/setops/internal/setops"
)

func devicePage(code string) string {
	if code == "" {
		return "/device"
	}
	return "/device?user_code=" + url.QueryEscape(code)
}

const notShown = "No program shows this code, or its ten minutes are over. Look at your terminal, or run setops login again."

func (p *Pages) showDevice(w http.ResponseWriter, r *http.Request) {
	code := r.Form.Get("user_code")
	s, ok := p.signedIn(w, r, devicePage(code))
	if !ok {
		return
	}
	v := view{Title: "Allow a program", Email: s.User.Email, Organization: s.User.Organization}
	if code == "" {
		p.show(w, http.StatusOK, "device_code", v)
		return
	}
	d, found, err := p.Sessions.Device(r.Context(), s.User, code)
	if p.refusedDevice(w, r, v, found, err) {
		return
	}
	v.Code, v.Device, v.Address = auth.ShownCode(d.UserCode), d.Name, d.Address
	p.show(w, http.StatusOK, "device", v)
}

func (p *Pages) decideDevice(w http.ResponseWriter, r *http.Request) {
	code := r.PostForm.Get("user_code")
	s, ok := p.signedIn(w, r, devicePage(code))
	if !ok {
		return
	}
	v := view{Title: "Allow a program", Email: s.User.Email, Organization: s.User.Organization}
	allow := r.PostForm.Get("decision") == "allow"
	found, err := p.Sessions.Decide(r.Context(), s, code, allow)
	if p.refusedDevice(w, r, v, found, err) {
		return
	}
	v.Title, v.Done = "Denied", "The program was told that you do not sign it in. If you did not start it yourself, nothing more is to be done."
	if allow {
		v.Title, v.Done = "Done", "The program is signed in as "+s.User.Email+". You can close this page and go back to your terminal."
	}
	p.show(w, http.StatusOK, "message", v)
}

// refusedDevice shows why there is nothing to decide, if so.
func (p *Pages) refusedDevice(w http.ResponseWriter, r *http.Request, v view, found bool, err error) bool {
	status, sentence, known := refusal(err)
	switch {
	case err == nil && found:
		return false
	case err == nil:
		status, sentence = http.StatusNotFound, notShown
	case !known:
		p.fault(r.Context(), w, err)
		return true
	}
	v.Error = sentence
	p.show(w, status, "device_code", v)
	return true
}

func (p *Pages) showPassword(w http.ResponseWriter, r *http.Request) {
	s, ok := p.signedIn(w, r, "/password")
	if !ok {
		return
	}
	if v, ok := p.passwordView(w, r, s); ok {
		p.show(w, http.StatusOK, "password", v)
	}
}

// passwordView asks for the present password where there is one.
func (p *Pages) passwordView(w http.ResponseWriter, r *http.Request, s setops.Session) (v view, ok bool) {
	has, err := p.Sessions.HasPassword(r.Context(), s.User)
	if err != nil {
		p.fault(r.Context(), w, err)
		return v, false
	}
	v = view{Title: "Set a password", HasPassword: has, Email: s.User.Email, Organization: s.User.Organization}
	if has {
		v.Title = "Set a new password"
	}
	return v, true
}

func (p *Pages) changePassword(w http.ResponseWriter, r *http.Request) {
	s, ok := p.signedIn(w, r, "/password")
	if !ok {
		return
	}
	v, ok := p.passwordView(w, r, s)
	if !ok {
		return
	}
	form := r.PostForm
	if form.Get("password") != form.Get("repeated") {
		v.Error = notRepeated
		p.show(w, http.StatusUnprocessableEntity, "password", v)
		return
	}
	err := p.Sessions.ChangePassword(r.Context(), s, form.Get("present"), form.Get("password"), address(r))
	switch status, sentence, known := refusal(err); {
	case known:
		if setops.IsCode(err, setops.CredentialsInvalid) {
			sentence = "This is not your present password."
		}
		v.Error = sentence
		p.show(w, status, "password", v)
	case err != nil:
		p.fault(r.Context(), w, err)
	default:
		v.Title, v.Done = "Your password is changed", "You are signed out everywhere but here. API tokens hold on; setops token lists them."
		p.show(w, http.StatusOK, "message", v)
	}
}

const notRepeated = "The two new passwords are not the same."
