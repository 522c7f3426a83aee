package e2e

import (
	"strings"
	"testing"
)

func TestLinksBeginWithThePublicURL(t *testing.T) {
	t.Parallel()
	w, _ := withStage(t)
	const public = "https://setops.example.net"
	w.config.PublicURL = public
	if err := w.stop(); err != nil {
		t.Fatal(err)
	}
	if err := w.start(); err != nil {
		t.Fatal(err)
	}
	token, err := w.signIn(t.Context(), admin)
	if err != nil {
		t.Fatal(err)
	}
	invited := string(w.must(t, token, "POST", shop+"/users", `{"email":"new@example.org"}`))
	if !strings.Contains(invited, `"link":"`+public+`/invitations/`) {
		t.Errorf("the invitation is %s", invited)
	}
	a := w.do(t, request{method: "POST", path: "/v1/oauth/device", body: "client_id=setops", contentType: "application/x-www-form-urlencoded"})
	if !strings.Contains(string(a.body), `"verification_uri":"`+public+`/device"`) || !strings.Contains(string(a.body), public+"/device?user_code=") {
		t.Errorf("the device's code is %s", a.body)
	}
}
