// Package oidctest is a provider of OpenID Connect for tests. It lets everybody in at once, as whom its Claims say, but it
// is strict with the server that asks: secret, redirect, state, nonce and PKCE must be right.
package oidctest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// What the server that asks is known by.
const (
	ClientID     = "setops"
	ClientSecret = "hush of the provider"
)

// Provider is one. Claims are what its next proof says, besides what every proof does.
type Provider struct {
	*httptest.Server
	Claims map[string]any

	away atomic.Bool
	key  *ecdsa.PrivateKey
	mu   sync.Mutex
	// begun are the sign-ins by their codes.
	begun map[string]url.Values
}

// New starts one that ends with the test. Everybody is ada@example.com at first.
func New(t testing.TB) *Provider {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	p := &Provider{key: key, begun: map[string]url.Values{}}
	p.Claims = map[string]any{"email": "ada@example.com", "email_verified": true}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", p.describe)
	mux.HandleFunc("GET /keys", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: &key.PublicKey, KeyID: "one", Algorithm: "ES256", Use: "sig"}}})
	})
	mux.HandleFunc("GET /authorize", p.authorize)
	mux.HandleFunc("POST /token", p.token)
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if p.away.Load() {
			http.Error(w, "in a moment", http.StatusServiceUnavailable)
			return
		}
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(p.Close)
	return p
}

func (p *Provider) describe(w http.ResponseWriter, _ *http.Request) {
	answer(w, map[string]any{
		"issuer": p.URL, "authorization_endpoint": p.URL + "/authorize", "token_endpoint": p.URL + "/token", "jwks_uri": p.URL + "/keys",
		"response_types_supported": []string{"code"}, "subject_types_supported": []string{"public"},
		"id_token_signing_alg_values_supported": []string{"ES256"},
	})
}

func (p *Provider) authorize(w http.ResponseWriter, r *http.Request) {
	asked := r.URL.Query()
	if asked.Get("client_id") != ClientID || asked.Get("code_challenge_method") != "S256" || asked.Get("state") == "" || asked.Get("nonce") == "" {
		http.Error(w, "it does not ask as it should: "+r.URL.RawQuery, http.StatusBadRequest)
		return
	}
	code := rand.Text()
	p.mu.Lock()
	p.begun[code] = asked
	p.mu.Unlock()
	back := url.Values{"code": {code}, "state": {asked.Get("state")}}
	http.Redirect(w, r, asked.Get("redirect_uri")+"?"+back.Encode(), http.StatusFound)
}

func (p *Provider) token(w http.ResponseWriter, r *http.Request) {
	id, secret, _ := r.BasicAuth()
	p.mu.Lock()
	asked := p.begun[r.PostFormValue("code")]
	delete(p.begun, r.PostFormValue("code"))
	p.mu.Unlock()
	sum := sha256.Sum256([]byte(r.PostFormValue("code_verifier")))
	challenge := base64.RawURLEncoding.EncodeToString(sum[:])
	known, _ := url.QueryUnescape(secret)
	if id != ClientID || known != ClientSecret || asked == nil || asked.Get("code_challenge") != challenge ||
		asked.Get("redirect_uri") != r.PostFormValue("redirect_uri") {
		w.WriteHeader(http.StatusBadRequest)
		answer(w, map[string]string{"error": "invalid_grant"})
		return
	}
	answer(w, map[string]any{
		"access_token": "of no use", "token_type": "Bearer", "expires_in": 60, "id_token": p.prove(asked.Get("nonce")),
	})
}

// prove signs who has signed in.
func (p *Provider) prove(nonce string) string {
	claims := map[string]any{
		"iss": p.URL, "aud": ClientID, "sub": "42", "nonce": nonce, "iat": time.Now().Unix(), "exp": time.Now().Add(time.Minute).Unix(),
	}
	p.mu.Lock()
	for name, value := range p.Claims {
		claims[name] = value
	}
	p.mu.Unlock()
	key := jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: p.key, KeyID: "one"}}
	signer, err := jose.NewSigner(key, nil)
	if err != nil {
		panic(err) // of a test
	}
	text, _ := json.Marshal(claims)
	signed, err := signer.Sign(text)
	if err != nil {
		panic(err)
	}
	compact, _ := signed.CompactSerialize()
	return compact
}

// Say sets a claim of the next proofs.
func (p *Provider) Say(name string, value any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.Claims[name] = value
}

// Away makes it answer nothing, or answer again.
func (p *Provider) Away(away bool) { p.away.Store(away) }

// Forge signs with a key that nobody knows from now on.
func (p *Provider) Forge() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.key, _ = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
}

func answer(w http.ResponseWriter, body any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(body) // the test sees what is missing
}
