package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// domainRequest stages a command about a domain of app web.
func domainRequest(token, verb, domain string) request {
	return request{
		method: "POST", path: production + "/changeset/commands", token: token,
		body: fmt.Sprintf(`{"commands":[{"name":"app:domain:%s","arguments":{"name":"web","domain":%q}}]}`, verb, domain),
	}
}

func TestEveryErrorHasTheDocumentedBody(t *testing.T) {
	t.Parallel()
	w, token := withStage(t)
	commands := production + "/changeset/commands"
	digest := `"sha256:` + strings.Repeat("0", 64) + `"`
	w.must(t, token, "POST", commands, `{"commands":[{"name":"app:create","arguments":{"name":"web"}}]}`)
	for name, test := range map[string]struct {
		request
		status int
		kind   string
		code   string
		fields string // field=validator of each validation error, in any order
	}{
		"an unknown route":            {request{method: "GET", path: "/v1/nothing"}, 404, "StateError", "", ""},
		"a route outside the API":     {request{method: "GET", path: "/favicon.ico"}, 404, "StateError", "", ""},
		"a method that is not there":  {request{method: "PATCH", path: "/v1/sessions"}, 405, "StateError", "", ""},
		"a method of the description": {request{method: "POST", path: "/openapi.json"}, 404, "StateError", "", ""},
		"no token":                    {request{method: "GET", path: shop}, 401, "AuthenticationError", "SessionInvalid", ""},
		"an unknown token":            {request{method: "GET", path: shop, token: "sops_x"}, 401, "AuthenticationError", "SessionInvalid", ""},
		"a wrong password": {
			request{method: "POST", path: "/v1/sessions", body: `{"organization":"demo","email":"ada@example.com","password":"x"}`},
			401, "AuthenticationError", "CredentialsInvalid", "",
		},
		"malformed JSON": {request{method: "POST", path: shop + "/stages", token: token, body: `{"name":`}, 400, "ValidationError", "ValidationFailed", ""},
		"no body":        {request{method: "POST", path: shop + "/stages", token: token}, 400, "ValidationError", "ValidationFailed", ""},
		"another content type": {
			request{method: "POST", path: shop + "/stages", token: token, body: `name: x`, contentType: "text/yaml"},
			415, "ValidationError", "ValidationFailed", "",
		},
		"a body that is too large": {
			request{method: "POST", path: shop + "/stages", token: token, body: `{"name":"` + strings.Repeat("x", 2<<20) + `"}`},
			413, "ValidationError", "ValidationFailed", "",
		},
		"a list of commands that is too large": {
			request{method: "POST", path: commands, token: token, body: `{"commands":[],"x":"` + strings.Repeat("x", 33<<20) + `"}`},
			413, "ValidationError", "ValidationFailed", "",
		},
		"a field that is missing":  {request{method: "POST", path: shop + "/stages", token: token, body: `{}`}, 422, "ValidationError", "ValidationFailed", "name=required"},
		"a field that is unknown":  {request{method: "POST", path: shop + "/stages", token: token, body: `{"name":"abc","x":1}`}, 422, "ValidationError", "ValidationFailed", "x=not_included"},
		"a field of another type":  {request{method: "POST", path: shop + "/stages", token: token, body: `{"name":1}`}, 422, "ValidationError", "ValidationFailed", "name=invalid_format"},
		"a parameter that is none": {request{method: "GET", path: production + "/apps/web/log?limit=x", token: token}, 422, "ValidationError", "ValidationFailed", "limit=not_an_integer"},
		"another organization":     {request{method: "GET", path: "/v1/organizations/other/projects", token: token}, 404, "StateError", "CodeOrganizationDoesNotExist", ""},
		"an unknown project":       {request{method: "GET", path: "/v1/organizations/demo/projects/other", token: token}, 404, "StateError", "ProjectDoesNotExist", ""},
		"an unknown stage":         {request{method: "GET", path: shop + "/stages/other", token: token}, 404, "StateError", "StageDoesNotExist", ""},
		"an app that is only staged": {
			request{method: "GET", path: production + "/apps/web", token: token}, 404, "StateError", "AppDoesNotExist", "",
		},
		"an unknown commit":          {request{method: "GET", path: production + "/commits/1", token: token}, 404, "StateError", "CommitNotFound", ""},
		"an unknown commit's events": {request{method: "GET", path: production + "/commits/1/events", token: token}, 404, "StateError", "CommitNotFound", ""},
		"a project twice":            {request{method: "POST", path: "/v1/organizations/demo/projects", token: token, body: `{"name":"shop"}`}, 409, "StateError", "ProjectAlreadyExists", ""},
		"a stage twice":              {request{method: "POST", path: shop + "/stages", token: token, body: `{"name":"production"}`}, 409, "StateError", "StageAlreadyExists", ""},
		"an app twice": {
			request{method: "POST", path: commands, token: token, body: `{"commands":[{"name":"app:create","arguments":{"name":"web"}}]}`},
			409, "StateError", "AppAlreadyExists", "",
		},
		"no commands": {request{method: "POST", path: commands, token: token, body: `{"commands":[]}`}, 422, "ValidationError", "ValidationFailed", "commands=too_short"},
		"an unknown command": {
			request{method: "POST", path: commands, token: token, body: `{"commands":[{"name":"app:explode","arguments":{}}]}`},
			422, "ValidationError", "ValidationFailed", "name=not_included",
		},
		"an argument that is unknown": {
			request{method: "POST", path: commands, token: token, body: `{"commands":[{"name":"app:create","arguments":{"name":"new","colour":"red"}}]}`},
			422, "ValidationError", "ValidationFailed", "colour=not_included",
		},
		"an argument that is no number": {
			request{method: "POST", path: commands, token: token, body: `{"commands":[{"name":"app:resource:set","arguments":{"name":"web","scale":"many"}}]}`},
			422, "ValidationError", "ValidationFailed", "scale=not_an_integer",
		},
		"the second of two commands": {
			request{method: "POST", path: commands, token: token, body: `{"commands":[{"name":"app:create","arguments":{"name":"new"}},{"name":"app:create","arguments":{"name":"no"}}]}`},
			422, "ValidationError", "AppNameInvalid", "commands[1].name=too_short",
		},
		"a digest that is none": {
			request{method: "POST", path: commands, token: token, body: `{"commands":[{"name":"app:release:create","arguments":{"name":"web","release_digest":"latest"}}]}`},
			422, "ValidationError", "CodeReleaseDigestInvalid", "release_digest=release_digest_invalid",
		},
		"a digest that is not there": {
			request{method: "POST", path: commands, token: token, body: `{"commands":[{"name":"app:release:create","arguments":{"name":"web","release_digest":` + digest + `}}]}`},
			422, "ValidationError", "ValidationFailed", "release_digest=release_digest_does_not_exist",
		},
		"a domain that is none":         {domainRequest(token, "create", "com"), 422, "ValidationError", "ValidationFailed", "domain=invalid_format"},
		"a domain that is an address":   {domainRequest(token, "create", "192.0.2.1"), 422, "ValidationError", "ValidationFailed", "domain=invalid_format"},
		"a domain that is too long":     {domainRequest(token, "create", strings.Repeat("a.", 127)+"com"), 422, "ValidationError", "ValidationFailed", "domain=too_long"},
		"a domain of the server":        {domainRequest(token, "create", "web.production.shop.localhost"), 422, "ValidationError", "ValidationFailed", "domain=not_included"},
		"no domain":                     {domainRequest(token, "create", ""), 422, "ValidationError", "ValidationFailed", "domain=required"},
		"a domain that the app has not": {domainRequest(token, "validate", "www.example.com"), 422, "ValidationError", "ValidationFailed", "domain=not_found"},
	} {
		t.Run(name, func(t *testing.T) {
			a := w.do(t, test.request)
			if a.status != test.status {
				t.Fatalf("%d, not %d: %.300s", a.status, test.status, a.body)
			}
			r := refused(t, a)
			if *r.Type != test.kind || (test.code != "" && *r.Code != test.code) {
				t.Errorf("%s %s, not %s %s", *r.Type, *r.Code, test.kind, test.code)
			}
			var fields []string
			for field, validators := range r.ValidationErrors {
				for _, v := range validators {
					fields = append(fields, field+"="+v)
				}
			}
			if got := strings.Join(fields, " "); got != test.fields {
				t.Errorf("validation_errors %q, not %q; %s", got, test.fields, r.Message)
			}
			if r.Message == "" {
				t.Error("there is no sentence for people")
			}
		})
	}
}

func TestNothingIsStagedByARefusedList(t *testing.T) {
	t.Parallel()
	w, token := withStage(t)
	a := w.do(t, request{
		method: "POST", path: production + "/changeset/commands", token: token,
		body: `{"commands":[{"name":"app:create","arguments":{"name":"web"}},{"name":"app:create","arguments":{"name":"web"}}]}`,
	})
	if r := refused(t, a); *r.Code != "AppAlreadyExists" || !strings.HasPrefix(r.Message, "command 2: ") {
		t.Errorf("%s: %s", *r.Code, r.Message)
	}
	a = w.do(t, request{method: "GET", path: production + "/changeset", token: token})
	if a.status != http.StatusNotFound || *refused(t, a).Code != "ChangesetDoesNotExist" {
		t.Errorf("%d %s", a.status, a.body)
	}
}

func TestManyWrongPasswordsHaveToWait(t *testing.T) {
	t.Parallel()
	w := openWorld(t)
	wrong := request{method: "POST", path: "/v1/sessions", body: `{"organization":"demo","email":"Ada@example.com ","password":"guess"}`}
	for range 5 {
		if a := w.do(t, wrong); a.status != http.StatusUnauthorized {
			t.Fatalf("%d %s", a.status, a.body)
		}
	}
	right := request{method: "POST", path: "/v1/sessions", body: `{"organization":"demo","email":"ada@example.com","password":"` + passwordOf(admin) + `"}`}
	a := w.do(t, right)
	if a.status != http.StatusTooManyRequests {
		t.Fatalf("%d %s", a.status, a.body)
	}
	if r := refused(t, a); *r.Code != "Overload" {
		t.Errorf("code %s", *r.Code)
	}
	// Somebody else is not held up.
	if err := w.addUser(t.Context(), "grace@example.com"); err != nil {
		t.Fatal(err)
	}
	if _, err := w.signIn(t.Context(), "grace@example.com"); err != nil {
		t.Error(err)
	}
}
