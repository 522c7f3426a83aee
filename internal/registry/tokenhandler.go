package registry

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// service is the name under which the registry asks for tokens.
const service = "setops"

// maxTokenForm is far above what a user name and a password need.
const maxTokenForm = 64 << 10

// TokenHandler gives out the bearer tokens that /v2/ asks for, so that a
// password is checked once per push and not once per request. Mount it at
// Config.TokenPath. It takes Basic credentials with GET, as docker does, and
// the OAuth2 password form with POST, as containerd does. A token is good for
// 15 minutes and for whatever its owner may do by then.
func (r *Registry) TokenHandler() http.Handler {
	return http.HandlerFunc(r.serveToken)
}

func (r *Registry) serveToken(w http.ResponseWriter, req *http.Request) {
	who, err := r.identifyForToken(w, req)
	if err != nil {
		r.refuse(w, req, authenticationRefusal(err, `Basic realm="`+service+`"`))
		return
	}
	if req.Method != http.MethodGet && req.Method != http.MethodPost {
		r.refuse(w, req, refusal{
			status: http.StatusMethodNotAllowed, code: codeUnsupported,
			sentence: "tokens are asked for with GET or POST",
			header:   http.Header{"Allow": {"GET, POST"}},
		})
		return
	}
	token, err := r.tokens.sign(who)
	if err != nil {
		r.refuse(w, req, authenticationRefusal(err, ""))
		return
	}
	r.sendToken(w, req, token)
}

// identifyForToken takes an API token as refresh token too: that is what a
// credential helper's identity token becomes.
func (r *Registry) identifyForToken(w http.ResponseWriter, req *http.Request) (Identity, error) {
	if req.Method == http.MethodPost {
		req.Body = http.MaxBytesReader(w, req.Body, maxTokenForm)
		switch req.PostFormValue("grant_type") {
		case "password":
			return r.checkPassword(req.Context(), req.PostFormValue("username"), req.PostFormValue("password"))
		case "refresh_token":
			return r.checkRefreshToken(req)
		}
	}
	if username, password, found := req.BasicAuth(); found {
		return r.checkPassword(req.Context(), username, password)
	}
	return Identity{}, lacking(req)
}

func (r *Registry) checkRefreshToken(req *http.Request) (Identity, error) {
	token := req.PostFormValue("refresh_token")
	if !strings.HasPrefix(token, apiTokenPrefix) {
		return Identity{}, ErrCredentials
	}
	return r.config.Authenticator.AuthenticateToken(req.Context(), token)
}

func (r *Registry) sendToken(w http.ResponseWriter, req *http.Request, token string) {
	answer := map[string]any{
		"token":        token, // what docker reads
		"access_token": token, // what OAuth2 says
		"token_type":   "Bearer",
		"expires_in":   int(tokenLifetime / time.Second),
		"issued_at":    r.tokens.now().UTC().Format(time.RFC3339),
	}
	if refresh := req.PostFormValue("refresh_token"); refresh != "" {
		answer["refresh_token"] = refresh
	}
	body, err := json.Marshal(answer)
	if err != nil { // strings and numbers always encode
		panic(err)
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.Header().Set("Cache-Control", "no-store")
	// The client may be gone; there is nobody else to tell.
	_, _ = w.Write(body)
}

// challenge tells a client where to get a token for a request.
func (r *Registry) challenge(req *http.Request, rt route, err error) string {
	b := `Bearer realm="` + r.baseURL(req) + r.config.TokenPath + `",service="` + service + `"`
	if scope := rt.scope(); scope != "" {
		b += `,scope="` + scope + `"`
	}
	if errors.Is(err, ErrCredentials) {
		b += `,error="invalid_token"`
	}
	return b
}

func (r *Registry) baseURL(req *http.Request) string {
	if r.config.ExternalURL != "" {
		return strings.TrimSuffix(r.config.ExternalURL, "/")
	}
	if req.TLS != nil {
		return "https://" + req.Host
	}
	return "http://" + req.Host
}
