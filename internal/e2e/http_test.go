package e2e

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
)

// request is one request to the server, and what is in the answer.
type request struct {
	method, path, body string
	contentType        string // default: application/json where there is a body
	token              string
	key                string // Idempotency-Key
}

type answer struct {
	status int
	header http.Header
	body   []byte
}

func (w *world) do(t *testing.T, r request) answer {
	t.Helper()
	q, err := http.NewRequestWithContext(t.Context(), r.method, w.url()+r.path, strings.NewReader(r.body))
	if err != nil {
		t.Fatal(err)
	}
	if r.contentType == "" && r.body != "" {
		r.contentType = "application/json"
	}
	if r.contentType != "" {
		q.Header.Set("Content-Type", r.contentType)
	}
	if r.token != "" {
		q.Header.Set("Authorization", "Bearer "+r.token)
	}
	if r.key != "" {
		q.Header.Set("Idempotency-Key", r.key)
	}
	response, err := http.DefaultTransport.RoundTrip(q)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close() //nolint:errcheck // read to its end
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{status: response.StatusCode, header: response.Header, body: body}
}

// must does a request of the admin that has to succeed.
func (w *world) must(t *testing.T, token, method, path, body string) []byte {
	t.Helper()
	a := w.do(t, request{method: method, path: path, body: body, token: token})
	if a.status >= 300 {
		t.Fatalf("%s %s: %d %s", method, path, a.status, a.body)
	}
	return a.body
}

// withStage gives a server with project shop and stage production, and the admin's token.
func withStage(t *testing.T) (*world, string) {
	t.Helper()
	w := openWorld(t)
	token, err := w.signIn(t.Context(), admin)
	if err != nil {
		t.Fatal(err)
	}
	w.must(t, token, "POST", "/v1/organizations/demo/projects", `{"name":"shop"}`)
	w.must(t, token, "POST", shop+"/stages", `{"name":"production"}`)
	return w, token
}

const (
	shop       = "/v1/organizations/demo/projects/shop"
	production = shop + "/stages/production"
)

// refusal is the body of an error, as a client that knows only the documentation reads it.
type refusal struct {
	Type             *string             `json:"type"`
	Code             *string             `json:"code"`
	Message          string              `json:"message"`
	Temporary        *bool               `json:"temporary"`
	RequestID        *string             `json:"request_id"`
	ValidationErrors map[string][]string `json:"validation_errors"`

	// Of the OAuth endpoints, besides.
	Error       string `json:"error"`
	Description string `json:"error_description"`
}

// refused checks that an answer is an error as it is documented, in every detail, and gives it.
func refused(t *testing.T, a answer) refusal {
	t.Helper()
	var r refusal
	d := json.NewDecoder(strings.NewReader(string(a.body)))
	d.DisallowUnknownFields()
	if err := d.Decode(&r); err != nil {
		t.Fatalf("%d with the body %q: %v", a.status, a.body, err)
	}
	if r.Type == nil || r.Code == nil || r.Temporary == nil || r.RequestID == nil {
		t.Fatalf("%d with the body %s: a field is missing", a.status, a.body)
	}
	if got := a.header.Get("Content-Type"); got != "application/json" {
		t.Errorf("Content-Type %q", got)
	}
	if len(*r.RequestID) != 8 || a.header.Get("X-Request-Id") != *r.RequestID {
		t.Errorf("request id %q, header %q", *r.RequestID, a.header.Get("X-Request-Id"))
	}
	if (a.status == http.StatusUnprocessableEntity) != (r.ValidationErrors != nil) {
		t.Errorf("%d with validation_errors %v", a.status, r.ValidationErrors)
	}
	if !documented.types[*r.Type] || !documented.codes[*r.Code] {
		t.Errorf("type %s, code %s: not documented", *r.Type, *r.Code)
	}
	for field, validators := range r.ValidationErrors {
		for _, v := range validators {
			if !documented.validators[v] {
				t.Errorf("%s: validator %s is not documented", field, v)
			}
		}
	}
	return r
}

func set(words string) map[string]bool {
	m := map[string]bool{}
	for word := range strings.FieldsSeq(words) {
		m[word] = true
	}
	return m
}

// documented are the words that programs may compare.
var documented = struct{ types, codes, validators map[string]bool }{
	types: set("Fault AuthenticationError ValidationError StateError"),
	codes: set(`ServerFailure SessionInvalid CredentialsInvalid ValidationFailed CodeOrganizationDoesNotExist
		CodeOrganizationAlreadyExists ProjectDoesNotExist ProjectAlreadyExists ProjectNameInvalid StageDoesNotExist
		StageAlreadyExists StageNameInvalid AppDoesNotExist AppAlreadyExists AppNameInvalid AppHasNoActiveRelease
		ReleaseDoesNotExist ChangesetDoesNotExist ChangesetInvalid ChangesetLocked CommitFailed CommitAlreadyRunning
		CommitNotFound TaskDoesNotExist CodeReleaseDigestInvalid CodeInsufficientPrivileges CodeCurrentlyNotSupported Overload
		CodeOrganizationAlreadyExists CodePermissionAlreadyExist CodePermissionDoesNotExist CodeCantRemoveLastAdmin`),
	validators: set(`invalid invalid_format required too_short too_long length_invalid greater_than_threshold
		greater_than_or_equal_to_threshold less_than_threshold less_than_or_equal_to_threshold not_an_integer included
		not_included multiple_of_invalid not_an_email_address taken not_found stage_name_invalid app_name_invalid release_digest_invalid
		release_digest_does_not_exist`),
}
