package e2e

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// surface is every route of the API. A route that is added or taken away changes a promise: change it here too.
const surface = `
DELETE /v1/account/sessions/{id}
DELETE /v1/account/tokens/{id}
DELETE /v1/organizations/{organization}/projects/{project}
DELETE /v1/organizations/{organization}/projects/{project}/stages/{stage}
DELETE /v1/organizations/{organization}/projects/{project}/stages/{stage}/apps/{app}/tasks/{id}
DELETE /v1/organizations/{organization}/projects/{project}/stages/{stage}/changeset
DELETE /v1/organizations/{organization}/projects/{project}/stages/{stage}/changeset/commands/{number}
DELETE /v1/organizations/{organization}/projects/{project}/stages/{stage}/users/{email}
DELETE /v1/organizations/{organization}/projects/{project}/users/{email}
DELETE /v1/organizations/{organization}/service-users/{name}
DELETE /v1/sessions
GET /v1/account/sessions
GET /v1/account/tokens
GET /v1/organizations
GET /v1/organizations/{organization}/audit
GET /v1/organizations/{organization}/projects
GET /v1/organizations/{organization}/projects/{project}
GET /v1/organizations/{organization}/projects/{project}/audit
GET /v1/organizations/{organization}/projects/{project}/stages
GET /v1/organizations/{organization}/projects/{project}/stages/{stage}
GET /v1/organizations/{organization}/projects/{project}/stages/{stage}/apps
GET /v1/organizations/{organization}/projects/{project}/stages/{stage}/apps/{app}
GET /v1/organizations/{organization}/projects/{project}/stages/{stage}/apps/{app}/deploy
GET /v1/organizations/{organization}/projects/{project}/stages/{stage}/apps/{app}/domains
GET /v1/organizations/{organization}/projects/{project}/stages/{stage}/apps/{app}/log
GET /v1/organizations/{organization}/projects/{project}/stages/{stage}/apps/{app}/log/events
GET /v1/organizations/{organization}/projects/{project}/stages/{stage}/apps/{app}/releases
GET /v1/organizations/{organization}/projects/{project}/stages/{stage}/apps/{app}/schedules
GET /v1/organizations/{organization}/projects/{project}/stages/{stage}/apps/{app}/status
GET /v1/organizations/{organization}/projects/{project}/stages/{stage}/apps/{app}/tasks
GET /v1/organizations/{organization}/projects/{project}/stages/{stage}/apps/{app}/tasks/{id}
GET /v1/organizations/{organization}/projects/{project}/stages/{stage}/apps/{app}/tasks/{id}/attach
GET /v1/organizations/{organization}/projects/{project}/stages/{stage}/audit
GET /v1/organizations/{organization}/projects/{project}/stages/{stage}/changeset
GET /v1/organizations/{organization}/projects/{project}/stages/{stage}/changeset/diff
GET /v1/organizations/{organization}/projects/{project}/stages/{stage}/changeset/plan
GET /v1/organizations/{organization}/projects/{project}/stages/{stage}/commits
GET /v1/organizations/{organization}/projects/{project}/stages/{stage}/commits/{id}
GET /v1/organizations/{organization}/projects/{project}/stages/{stage}/commits/{id}/details
GET /v1/organizations/{organization}/projects/{project}/stages/{stage}/commits/{id}/events
GET /v1/organizations/{organization}/projects/{project}/stages/{stage}/definition
GET /v1/organizations/{organization}/projects/{project}/stages/{stage}/users
GET /v1/organizations/{organization}/projects/{project}/users
GET /v1/organizations/{organization}/service-users
GET /v1/sessions
GET /v1/version
POST /v1/account/tokens
POST /v1/invitations/accept
POST /v1/oauth/device
POST /v1/oauth/token
POST /v1/organizations/{organization}/projects
POST /v1/organizations/{organization}/projects/{project}/service-users
POST /v1/organizations/{organization}/projects/{project}/stages
POST /v1/organizations/{organization}/projects/{project}/stages/{stage}/apps/{app}/deploy
POST /v1/organizations/{organization}/projects/{project}/stages/{stage}/apps/{app}/tasks
POST /v1/organizations/{organization}/projects/{project}/stages/{stage}/changeset/commands
POST /v1/organizations/{organization}/projects/{project}/stages/{stage}/commits
POST /v1/organizations/{organization}/projects/{project}/stages/{stage}/commits/{id}/cancel
POST /v1/organizations/{organization}/projects/{project}/stages/{stage}/commits/{id}/revert
POST /v1/organizations/{organization}/projects/{project}/stages/{stage}/definition
POST /v1/organizations/{organization}/projects/{project}/stages/{stage}/service-users
POST /v1/organizations/{organization}/projects/{project}/stages/{stage}/users
POST /v1/organizations/{organization}/projects/{project}/users
POST /v1/organizations/{organization}/service-users/{name}/password
POST /v1/sessions
POST /v1/sessions/organization
`

// unsigned are the routes that need no token. None of them is done once by a key: there is nobody whose key it would be.
var unsigned = map[string]bool{
	"GET /v1/version":   true,
	"POST /v1/sessions": true, "POST /v1/invitations/accept": true, "POST /v1/oauth/device": true, "POST /v1/oauth/token": true,
}

// unkeyed are those with a token that no key names either: their answers hold a secret, and are not kept to be given again.
var unkeyed = map[string]bool{"DELETE /v1/sessions": true, "POST /v1/account/tokens": true, "POST /v1/sessions/organization": true}

func TestTheServerSaysHowItIs(t *testing.T) {
	t.Parallel()
	w := openWorld(t)
	for path, want := range map[string]string{"/healthz": "ok\n", "/readyz": "ready\n"} {
		if a := w.do(t, request{method: "GET", path: path}); a.status != http.StatusOK || string(a.body) != want {
			t.Errorf("%s: %d %q", path, a.status, a.body)
		}
	}
}

func TestTheDescriptionListsEveryRoute(t *testing.T) {
	t.Parallel()
	w := openWorld(t)
	document := describe(t, w)
	var routes []string
	for path, item := range document.Paths {
		for method := range item {
			routes = append(routes, strings.ToUpper(method)+" "+path)
		}
	}
	slices.Sort(routes)
	if got := "\n" + strings.Join(routes, "\n") + "\n"; got != surface {
		t.Errorf("the description lists\n%s", got)
	}
	// What it lists is served: without a token every route asks for one, and none is unknown.
	fill := regexp.MustCompile(`{[a-z]+}`)
	for _, route := range routes {
		method, path, _ := strings.Cut(route, " ")
		body := ""
		if method == "POST" && !strings.HasSuffix(path, "/commits") {
			body = `{"name":"abc","commands":[{"name":"a","arguments":{}}],"organization":"x","email":"x","password":"x","token":"x"}`
		}
		a := w.do(t, request{method: method, path: fill.ReplaceAllString(path, "x"), body: body})
		if a.status == http.StatusNotFound {
			t.Errorf("%s: %d %s", route, a.status, a.body)
		}
		// Signing out twice is no error.
		if public := unsigned[route] || route == "DELETE /v1/sessions"; !public && a.status != http.StatusUnauthorized && a.status != http.StatusUnprocessableEntity {
			t.Errorf("%s without a token: %d %s", route, a.status, a.body)
		}
	}
}

// openAPI is as much of the document as is checked.
type openAPI struct {
	Version string `json:"openapi"`
	Info    struct{ Title, Version, Description string }
	Paths   map[string]map[string]struct {
		OperationID string
		Summary     string
		Parameters  []struct {
			Name, In string
			Required bool
			Schema   map[string]any
		}
		RequestBody *struct {
			Required bool
			Content  map[string]struct{ Schema map[string]any }
		}
		Responses map[string]struct {
			Description string
			Content     map[string]struct{ Schema map[string]any }
		}
		Security *[]map[string][]string
	}
	Components struct {
		Schemas         map[string]map[string]any
		SecuritySchemes map[string]map[string]any
	}
}

func describe(t *testing.T, w *world) openAPI {
	t.Helper()
	a := w.do(t, request{method: "GET", path: "/openapi.json"})
	if a.status != http.StatusOK {
		t.Fatalf("%d %s", a.status, a.body)
	}
	var document openAPI
	if err := json.Unmarshal(a.body, &document); err != nil {
		t.Fatal(err)
	}
	return document
}

func TestTheDescriptionIsValidOpenAPI(t *testing.T) {
	t.Parallel()
	w := openWorld(t)
	document := describe(t, w)
	if !strings.HasPrefix(document.Version, "3.1.") || document.Info.Title == "" || document.Info.Version == "" {
		t.Errorf("openapi %q, info %+v", document.Version, document.Info)
	}
	var everything any
	if err := json.Unmarshal(w.do(t, request{method: "GET", path: "/openapi.json"}).body, &everything); err != nil {
		t.Fatal(err)
	}
	for _, ref := range references(everything) {
		if document.Components.Schemas[strings.TrimPrefix(ref, "#/components/schemas/")] == nil {
			t.Errorf("%s leads nowhere", ref)
		}
	}
	inPath := regexp.MustCompile(`{([a-z]+)}`)
	seen := map[string]bool{}
	for path, item := range document.Paths {
		for method, op := range item {
			route := method + " " + path
			if op.OperationID == "" || seen[op.OperationID] || op.Summary == "" {
				t.Errorf("%s: operation id %q is empty or taken, or there is no summary", route, op.OperationID)
			}
			seen[op.OperationID] = true
			declared := map[string]bool{}
			for _, p := range op.Parameters {
				declared[p.In+" "+p.Name] = true
				if p.In == "path" && !p.Required {
					t.Errorf("%s: path parameter %s must be required", route, p.Name)
				}
				if p.Schema == nil {
					t.Errorf("%s: parameter %s has no schema", route, p.Name)
				}
			}
			for _, m := range inPath.FindAllStringSubmatch(path, -1) {
				if !declared["path "+m[1]] {
					t.Errorf("%s: path parameter %s is not declared", route, m[1])
				}
			}
			route = strings.ToUpper(method) + " " + path
			if changes := method != "get" && !unkeyed[route] && !unsigned[route]; changes != declared["header Idempotency-Key"] {
				t.Errorf("%s: takes an Idempotency-Key: %v", route, declared["header Idempotency-Key"])
			}
			if err := checkResponses(op.Responses); err != "" {
				t.Errorf("%s: %s", route, err)
			}
			if open := op.Security != nil && len(*op.Security) == 0; open != unsigned[route] {
				t.Errorf("%s: open to everybody: %v", route, open)
			}
		}
	}
	if document.Components.SecuritySchemes["token"]["scheme"] != "bearer" {
		t.Errorf("security schemes %v", document.Components.SecuritySchemes)
	}
	body := document.Components.Schemas["ServiceError"]
	properties, _ := body["properties"].(map[string]any)
	if got := slices.Sorted(maps.Keys(properties)); !slices.Equal(got, []string{"code", "message", "request_id", "temporary", "type", "validation_errors"}) {
		t.Errorf("the body of an error has %v", got)
	}
}

// checkResponses wants a success with a description, and errors in the form of ServiceError.
func checkResponses(responses map[string]struct {
	Description string
	Content     map[string]struct{ Schema map[string]any }
},
) string {
	success := false
	for status, r := range responses {
		switch {
		case r.Description == "":
			return status + " has no description"
		case status[0] == '2', status == "101":
			success = true
		default:
			if got := fmt.Sprint(r.Content["application/json"].Schema["$ref"]); got != "#/components/schemas/ServiceError" {
				return status + " has the body " + got
			}
		}
	}
	if !success {
		return "no success is described"
	}
	return ""
}

func references(v any) []string {
	var all []string
	switch v := v.(type) {
	case map[string]any:
		for key, value := range v {
			if ref, ok := value.(string); ok && key == "$ref" {
				all = append(all, ref)
				continue
			}
			all = append(all, references(value)...)
		}
	case []any:
		for _, value := range v {
			all = append(all, references(value)...)
		}
	}
	return all
}
