package cli_test

import (
	"encoding/json"
	"net/http"
	"strings"

	"github.com/setopsco/setops/pkg/api"
)

const projectOf = "/v1/organizations/demo/projects/{project}"

// people are users, service users, organizations and the audit log. grace and rick are nobody yet, grace's invitation is mailed on
// stage staging and cannot be mailed on stage testing.
func (f *fake) people(mux *http.ServeMux) {
	for _, at := range []string{projectOf, stageOf} {
		mux.HandleFunc("GET "+at+"/users", func(w http.ResponseWriter, _ *http.Request) {
			answer(w, http.StatusOK, api.UserList{Users: []api.User{
				{Email: "ada@example.com", Role: "admin"},
				{Email: "deploy@demo", Role: "member", ServiceUser: true},
				{Email: "grace@example.com", Role: "member", Invited: true},
			}})
		})
		mux.HandleFunc("POST "+at+"/users", f.invite)
		mux.HandleFunc("DELETE "+at+"/users/{email}", removeUser)
		mux.HandleFunc("POST "+at+"/service-users", func(w http.ResponseWriter, _ *http.Request) {
			var u api.NewServiceUser
			f.read(&u)
			answer(w, http.StatusCreated, api.ServiceCredentials{Organization: "demo", Name: u.Name, Password: "generated", Role: u.Role})
		})
		mux.HandleFunc("GET "+at+"/audit", events)
	}
	mux.HandleFunc("GET /v1/organizations/demo/audit", events)
	mux.HandleFunc("GET /v1/organizations", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusOK, api.OrganizationList{Organizations: []api.Organization{{Name: "acme"}, {Name: "demo", Admin: true, Current: true}}})
	})
	mux.HandleFunc("POST "+api.SwitchPath, func(w http.ResponseWriter, _ *http.Request) {
		var to api.SwitchOrganization
		f.read(&to)
		if to.Organization == "nowhere" {
			refuse(w, http.StatusNotFound, "CodeOrganizationDoesNotExist", "there is no organization \"nowhere\" that you belong to")
			return
		}
		answer(w, http.StatusCreated, api.Session{
			Organization: to.Organization, Email: "ada@example.com", Token: token, ExpiresAt: at("2026-10-23T20:46:29Z"),
		})
	})
	mux.HandleFunc("GET /v1/organizations/demo/service-users", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusOK, api.ServiceUserList{ServiceUsers: []api.ServiceUser{
			{Name: "deploy", Email: "deploy@demo", CreatedAt: at("2026-10-23T16:46:29Z"), CreatedBy: "ada@example.com"},
		}})
	})
	mux.HandleFunc("POST /v1/organizations/demo/service-users/{name}/password", func(w http.ResponseWriter, r *http.Request) {
		answer(w, http.StatusOK, api.ServiceCredentials{Organization: "demo", Name: r.PathValue("name"), Password: "another"})
	})
	mux.HandleFunc("DELETE /v1/organizations/demo/service-users/{name}", func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusNoContent)
	})
}

// read decodes the body of the last request.
func (f *fake) read(into any) {
	sent := f.sent()
	_ = json.Unmarshal([]byte(sent[len(sent)-1].body), into)
}

func (f *fake) invite(w http.ResponseWriter, r *http.Request) {
	var u api.NewUser
	f.read(&u)
	done := api.Invited{Email: u.Email, Role: u.Role}
	switch {
	case !strings.Contains(u.Email, "@"):
		refuseField(w, "email", "not_an_email_address", "write an e-mail address, as grace@example.com")
		return
	case u.Email == "ada@example.com":
		refuse(w, http.StatusConflict, "CodePermissionAlreadyExist", "ada@example.com has the role admin already")
		return
	case strings.HasPrefix(u.Email, "grace") || strings.HasPrefix(u.Email, "rick"):
		done.Invited, done.ExpiresAt, done.Link = true, pointer(at("2026-10-30T16:46:29Z")), "https://setops.example.com/invitations/sopi_secret"
	}
	switch r.PathValue("stage") {
	case "staging":
		done.Mailed, done.Link = true, ""
	case "testing":
		done.MailError = "connection refused"
	}
	answer(w, http.StatusCreated, done)
}

func removeUser(w http.ResponseWriter, r *http.Request) {
	switch email := r.PathValue("email"); email {
	case "ada@example.com":
		refuse(w, http.StatusConflict, "CodeCantRemoveLastAdmin", "ada@example.com is the last admin here")
	case "nobody@example.com":
		refuse(w, http.StatusNotFound, "CodePermissionDoesNotExist", "nobody@example.com has no role here")
	default:
		answer(w, http.StatusOK, api.User{Email: email, Role: "member"})
	}
}

func events(w http.ResponseWriter, _ *http.Request) {
	answer(w, http.StatusOK, api.EventList{Events: []api.Event{
		{At: at("2026-10-23T16:46:29Z"), Who: "ada@example.com", Action: "sign in", What: "with password", Address: "192.0.2.1", Times: 1},
		{At: at("2026-10-23T16:47:00Z"), Who: "(unknown)", Action: "refused sign-in", Address: "192.0.2.9", Times: 12},
		{At: at("2026-10-23T16:48:00Z"), Who: "ada@example.com", Action: "create project", Project: "shop", Times: 1},
		{
			At: at("2026-10-23T16:49:00Z"), Who: "ada@example.com", Action: "stage commands", Project: "shop", Stage: "production", Times: 1,
			What: "app:create web, app:env:set web RACK_ENV, app:env:set web SECRET_KEY_BASE",
		},
	}})
}

func refuseField(w http.ResponseWriter, field, validator, message string) {
	answer(w, http.StatusUnprocessableEntity, api.ServiceError{
		Type: "ValidationError", Code: "ValidationFailed", Message: message, RequestID: "abcd1234",
		ValidationErrors: map[string][]string{field: {validator}},
	})
}
