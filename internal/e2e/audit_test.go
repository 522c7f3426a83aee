package e2e

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/setopsco/setops/internal/store"
)

// besides are the operations that change something and are not sent again by a key; each with what the audit log calls it.
var besides = map[string]string{
	"sign-in": "sign in", "sign-out": "sign out", "accept-invitation": "accept invitation", "create-token": "create token",
	"switch-organization": "sign in", "trade-token": "sign in",
	"begin-device": "", // nobody is signed in by it: that is when somebody allows it
}

// TestEveryOperationThatChangesSomethingIsInTheAuditLog goes by the key of requests: all that take one come through the place that records them.
func TestEveryOperationThatChangesSomethingIsInTheAuditLog(t *testing.T) {
	t.Parallel()
	w, token := withStage(t)
	var api struct {
		Paths map[string]map[string]struct {
			OperationID string
			Parameters  []struct{ Name string }
		}
	}
	if err := json.Unmarshal(w.must(t, token, "GET", "/openapi.json", ""), &api); err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for _, item := range api.Paths {
		for method, op := range item {
			known[op.OperationID] = true
			_, other := besides[op.OperationID]
			keyed := slices.ContainsFunc(op.Parameters, func(p struct{ Name string }) bool { return p.Name == "Idempotency-Key" })
			if method != "get" && keyed == other {
				t.Errorf("%s changes something: register it by change, or say in this test what the audit log calls it", op.OperationID)
			}
		}
	}
	for id := range besides {
		if !known[id] {
			t.Errorf("%q is no operation", id)
		}
	}
}

func TestAnEventIsThereAsSoonAsTheChangeIs(t *testing.T) {
	t.Parallel()
	w, token := withStage(t)
	w.must(t, token, "POST", production+"/changeset/commands", `{"commands":[{"name":"app:create","arguments":{"name":"web"}}]}`)
	w.must(t, token, "DELETE", production+"/changeset", "")
	w.commitOnce(t, token, production, "web")
	w.must(t, token, "POST", shop+"/users", `{"email":"new@example.org"}`)
	w.must(t, token, "DELETE", shop+"/users/new@example.org", "")
	var now struct{ Text string }
	if err := json.Unmarshal(w.must(t, token, "GET", production+"/definition", ""), &now); err != nil {
		t.Fatal(err)
	}
	same, err := json.Marshal(map[string]string{"definition": now.Text})
	if err != nil {
		t.Fatal(err)
	}
	w.must(t, token, "POST", production+"/definition", string(same))
	w.must(t, token, "POST", "/v1/account/tokens", `{"name":"ci"}`)
	text := string(w.must(t, token, "GET", "/v1/organizations/demo/audit", ""))
	for _, action := range []string{
		"sign in", "create project", "create stage", "stage commands", "discard changeset", "commit changeset", "invite project user",
		"remove project user", "create token",
	} {
		if !strings.Contains(text, `"action":"`+action+`"`) {
			t.Errorf("%q is not in the log", action)
		}
	}
	if strings.Contains(text, "apply definition") {
		t.Error("a definition that changes nothing is in the log")
	}
	of := string(w.must(t, token, "GET", production+"/audit", ""))
	if !strings.Contains(of, "create stage") || strings.Contains(of, "create project") {
		t.Errorf("the stage's log is %s", of)
	}
}

func TestSigningInByADeviceIsInTheAuditLogOnce(t *testing.T) {
	t.Parallel()
	w, token := withStage(t)
	for _, allow := range []bool{true, false} {
		var d struct {
			DeviceCode string `json:"device_code"`
			UserCode   string `json:"user_code"`
		}
		const form = "application/x-www-form-urlencoded"
		a := w.do(t, request{method: "POST", path: "/v1/oauth/device", body: "client_id=setops&device_name=desk", contentType: form})
		if err := json.Unmarshal(a.body, &d); err != nil {
			t.Fatalf("%s: %v", a.body, err)
		}
		code := strings.ReplaceAll(d.UserCode, "-", "")
		err := w.inStore(func(s *store.Store) error {
			u, _, _, err := s.Login(t.Context(), organization, admin)
			if err != nil {
				return err
			}
			_, err = s.DecideDevice(t.Context(), code, u, allow, time.Now())
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		for range 2 { // its answer got lost
			w.do(t, request{
				method: "POST", path: "/v1/oauth/token", contentType: form,
				body: "grant_type=urn:ietf:params:oauth:grant-type:device_code&device_code=" + d.DeviceCode,
			})
		}
	}
	text := string(w.must(t, token, "GET", "/v1/organizations/demo/audit", ""))
	if n := strings.Count(text, "setops on desk"); n != 1 {
		t.Errorf("%d sign-ins by the device: %s", n, text)
	}
}
