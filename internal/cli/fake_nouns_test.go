package cli_test

import (
	"encoding/json"
	"net/http"
	"strings"

	"github.com/setopsco/setops/pkg/api"
)

func (f *fake) sessions(mux *http.ServeMux) {
	session := api.Session{Organization: "demo", Email: "ada@example.com", ExpiresAt: at("2026-10-23T20:46:29Z")}
	mux.HandleFunc("POST /v1/sessions", func(w http.ResponseWriter, _ *http.Request) {
		var c api.Credentials
		sent := f.sent()
		_ = json.Unmarshal([]byte(sent[len(sent)-1].body), &c)
		if c.Password != "correct horse " {
			refuse(w, http.StatusUnauthorized, "CredentialsInvalid", "organization, e-mail address or password is wrong")
			return
		}
		issued := session
		issued.Token = token
		answer(w, http.StatusCreated, issued)
	})
	mux.HandleFunc("GET "+api.VersionPath, func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusOK, api.ServerVersion{Version: "0.7.1", API: api.Version})
	})
	mux.HandleFunc("GET /v1/sessions", func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusOK, session) })
	mux.HandleFunc("DELETE /v1/sessions", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	f.oauth(mux)
	f.account(mux)
}

func (f *fake) projects(mux *http.ServeMux) {
	shop := api.Project{Name: "shop", CreatedAt: at("2026-10-23T16:46:29Z"), CreatedBy: "ada@example.com"}
	production := api.Stage{Name: "production", CreatedAt: shop.CreatedAt, CreatedBy: shop.CreatedBy}
	list := func(name string, value any) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusOK, map[string]any{name: value}) }
	}
	show := func(value any) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusOK, value) }
	}
	create := func(code, taken string, value any) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			sent := f.sent()
			if strings.Contains(sent[len(sent)-1].body, taken) {
				refuse(w, http.StatusConflict, code, taken+" exists already")
				return
			}
			answer(w, http.StatusCreated, value)
		}
	}
	gone := func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }

	mux.HandleFunc("GET /v1/organizations/demo/projects", list("projects", []api.Project{shop, {Name: "website"}}))
	mux.HandleFunc("POST /v1/organizations/demo/projects", create("ProjectAlreadyExists", "website", shop))
	mux.HandleFunc("GET /v1/organizations/demo/projects/{project}", show(shop))
	mux.HandleFunc("DELETE /v1/organizations/demo/projects/{project}", gone)
	mux.HandleFunc("GET /v1/organizations/demo/projects/{project}/stages", func(w http.ResponseWriter, r *http.Request) {
		stages := []api.Stage{production}
		if r.PathValue("project") == "empty" {
			stages = nil
		}
		answer(w, http.StatusOK, map[string]any{"stages": stages})
	})
	mux.HandleFunc("POST /v1/organizations/demo/projects/{project}/stages", create("StageAlreadyExists", "staging", production))
	shown := production
	shown.LogRetention = 14
	mux.HandleFunc("GET "+stageOf, show(shown))
	mux.HandleFunc("DELETE "+stageOf, gone)
}
