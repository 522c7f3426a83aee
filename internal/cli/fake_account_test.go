package cli_test

import (
	"net/http"
	"time"

	"github.com/setopsco/setops/pkg/api"
)

// oauth lets a person in after as many questions as answers says.
func (f *fake) oauth(mux *http.ServeMux) {
	mux.HandleFunc("POST /v1/oauth/device", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusOK, api.DeviceCode{
			DeviceCode: "device", UserCode: "BCDF-GHJK", VerificationURI: "http://behind.proxy/device", ExpiresIn: 3600, Interval: f.interval,
		})
	})
	mux.HandleFunc("POST /v1/oauth/token", func(w http.ResponseWriter, _ *http.Request) {
		f.mu.Lock()
		reason := ""
		if len(f.answers) > 0 {
			reason, f.answers = f.answers[0], f.answers[1:]
		}
		f.mu.Unlock()
		if reason != "" {
			answer(w, http.StatusBadRequest, map[string]any{
				"error": reason, "type": "AuthenticationError", "code": "SessionInvalid", "message": "no tokens: " + reason, "request_id": "abcd1234",
			})
			return
		}
		answer(w, http.StatusOK, api.OAuthToken{
			AccessToken: token, TokenType: "Bearer", ExpiresIn: 3600, RefreshToken: "sops_next", Organization: "demo", Email: "ada@example.com",
			SessionExpiresIn: int64(30 * 24 * time.Hour / time.Second),
		})
	})
}

// account has two sessions and one API token.
func (f *fake) account(mux *http.ServeMux) {
	created, used := at("2026-10-23T16:46:29Z"), at("2026-10-24T08:00:00Z")
	mux.HandleFunc("GET /v1/account/sessions", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusOK, map[string]any{"sessions": []api.SessionInfo{
			{ID: "0a1b2c3d4e5f", Kind: "browser", Name: "a browser at 192.0.2.1", CreatedAt: created, ExpiresAt: created.Add(12 * time.Hour)},
			{ID: "3f1a90c2b7de", Kind: "person", Name: "setops on laptop", CreatedAt: created, UsedAt: used, ExpiresAt: created.AddDate(0, 1, 0), Current: true},
		}})
	})
	ci := api.Token{ID: "9c8b7a6f5e4d", Name: "ci", CreatedAt: created}
	mux.HandleFunc("GET /v1/account/tokens", func(w http.ResponseWriter, _ *http.Request) {
		nightly := api.Token{ID: "1f2e3d4c5b6a", Name: "nightly", CreatedAt: created, UsedAt: used, ExpiresAt: created.AddDate(0, 3, 0)}
		answer(w, http.StatusOK, map[string]any{"tokens": []api.Token{ci, nightly}})
	})
	mux.HandleFunc("POST /v1/account/tokens", func(w http.ResponseWriter, _ *http.Request) {
		made := ci
		made.Token = "sops_of_ci"
		answer(w, http.StatusCreated, made)
	})
	for path, id := range map[string]string{"/v1/account/tokens/{id}": ci.ID, "/v1/account/sessions/{id}": "0a1b2c3d4e5f"} {
		mux.HandleFunc("DELETE "+path, func(w http.ResponseWriter, r *http.Request) {
			if r.PathValue("id") != id {
				refuse(w, http.StatusUnprocessableEntity, "ValidationFailed", "id: no token and no session of yours has it; `setops token` and `setops session` list them")
				return
			}
			w.WriteHeader(http.StatusNoContent)
		})
	}
}
