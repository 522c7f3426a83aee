package registry_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/setopsco/setops/internal/registry"
)

func TestWithoutCredentialsTheClientIsToldWhereToGetAToken(t *testing.T) {
	r := start(t)
	for path, scope := range map[string]string{
		"/v2/":                         "",
		"/v2/" + web + "/manifests/v1": `,scope="repository:` + web + `:pull"`,
	} {
		req := newRequest(t, http.MethodGet, r.url+path)
		req.Header.Set("X-Forwarded-Proto", "https")
		resp := do(t, req)
		wantRefusal(t, resp, http.StatusUnauthorized, "UNAUTHORIZED", "sign in first")
		want := `Bearer realm="` + r.url + `/registry/token",service="setops"` + scope
		if got := resp.Header.Get("WWW-Authenticate"); got != want {
			t.Errorf("%s: challenge %s, want %s", path, got, want)
		}
		if resp.Header.Get("Docker-Distribution-Api-Version") != "registry/2.0" {
			t.Errorf("%s: docker would take this for no registry", path)
		}
	}
}

func TestBehindAProxyTheChallengeNamesTheExternalURL(t *testing.T) {
	r := start(t, func(c *registry.Config) { c.ExternalURL = "https://setops.example.com/" })
	resp := do(t, newRequest(t, http.MethodGet, r.url+"/v2/"))
	if got := resp.Header.Get("WWW-Authenticate"); !strings.HasPrefix(got, `Bearer realm="https://setops.example.com/registry/token"`) {
		t.Fatalf("challenge %s", got)
	}
}

func TestDockerLoginIsAnsweredForGoodAndBadCredentials(t *testing.T) {
	r := start(t)
	wantStatus(t, r.send(t, http.MethodGet, "/v2/", nil), http.StatusOK)
	wantStatus(t, withToken(t, r, fetchToken(t, r), http.MethodGet, "/v2/"), http.StatusOK)

	bad := newRequest(t, http.MethodGet, r.url+"/v2/")
	bad.SetBasicAuth("alice", "wrong")
	wantRefusal(t, do(t, bad), http.StatusUnauthorized, "UNAUTHORIZED", "wrong user, password or token")

	resp := withToken(t, r, "sops_wrong", http.MethodGet, "/v2/")
	wantRefusal(t, resp, http.StatusUnauthorized, "UNAUTHORIZED", "wrong user, password or token")
	if got := resp.Header.Get("WWW-Authenticate"); !strings.Contains(got, `error="invalid_token"`) {
		t.Fatalf("challenge %s", got)
	}
}

func TestTokensAreGivenForThePasswordForm(t *testing.T) {
	r := start(t)
	form := url.Values{"grant_type": {"password"}, "username": {"alice"}, "password": {"wonderland"}, "service": {"setops"}}
	token, lifetime := postForm(t, r, form, http.StatusOK)
	wantStatus(t, withToken(t, r, token, http.MethodGet, "/v2/"), http.StatusOK)
	if lifetime < 60 {
		t.Fatalf("clients need at least 60 s, the token lasts %d", lifetime)
	}
	form.Set("password", "wrong")
	postForm(t, r, form, http.StatusUnauthorized)
	postForm(t, r, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {"other"}}, http.StatusUnauthorized)
	wantStatus(t, r.send(t, http.MethodPut, registry.DefaultTokenPath, nil), http.StatusMethodNotAllowed)
}

func TestThrottledSignInsAreToldHowLongToWait(t *testing.T) {
	r := start(t)
	r.throttled.Store(true)
	for _, path := range []string{"/v2/", registry.DefaultTokenPath} {
		resp := r.send(t, http.MethodGet, path, nil)
		if got := resp.Header.Get("Retry-After"); got != "30" {
			t.Errorf("%s: Retry-After %q", path, got)
		}
		wantRefusal(t, resp, http.StatusTooManyRequests, "TOOMANYREQUESTS", "try again in 30s")
	}
}

func TestAFaultWhileSigningInIsNoWrongPassword(t *testing.T) {
	r := start(t)
	r.broken.Store(true)
	resp := r.send(t, http.MethodGet, "/v2/", nil)
	wantRefusal(t, resp, http.StatusInternalServerError, "UNKNOWN", "could not check the credentials")
}

func TestBasicCredentialsAreRememberedForAWhile(t *testing.T) {
	r := start(t)
	for range 5 {
		wantStatus(t, r.send(t, http.MethodGet, "/v2/", nil), http.StatusOK)
	}
	if n := r.signIns.Load(); n != 1 {
		t.Fatalf("the password was checked %d times, want once", n)
	}
	bad := newRequest(t, http.MethodGet, r.url+"/v2/")
	bad.SetBasicAuth("alice", "wrong")
	for range 3 {
		wantStatus(t, do(t, bad), http.StatusUnauthorized)
	}
	if n := r.signIns.Load(); n != 4 {
		t.Fatalf("%d checks: each wrong password must be seen by the throttle", n)
	}
}

func TestRepositoriesAreNotListed(t *testing.T) {
	r := start(t)
	wantRefusal(t, r.send(t, http.MethodGet, "/v2/_catalog", nil), http.StatusForbidden, "DENIED", "does not list")
}

func TestOtherAddressesAreNotFound(t *testing.T) {
	r := start(t)
	for _, path := range []string{"/v2/" + web + "/referrers/sha256:00", "/v2/" + web, "/v2/../v2/", "/v2//" + web + "/tags/list"} {
		answer := httptest.NewRecorder()
		req := httptest.NewRequest(http.MethodGet, "/", nil)
		req.URL.Path = path
		r.ServeHTTP(answer, req)
		resp := answer.Result()
		resp.Request = req
		wantRefusal(t, resp, http.StatusNotFound, "UNSUPPORTED", "nothing at this address")
	}
}

func TestRepositoriesHaveFourParts(t *testing.T) {
	r := start(t)
	for _, name := range []string{"web", "acme/web", "acme/shop/prod/web/extra"} {
		resp := r.send(t, http.MethodPost, "/v2/"+name+"/blobs/uploads/", nil)
		wantRefusal(t, resp, http.StatusForbidden, "DENIED", "ORGANIZATION/PROJECT/STAGE/APP")
	}
}

func TestAnUploadNameThatLeadsElsewhereIsHarmless(t *testing.T) {
	r := start(t, func(c *registry.Config) { c.MaxLayerBytes = 4096 })
	digest := r.push(t, web, "v1", image(t, platform))
	for _, id := range []string{"..", "%2e%2e", "...", "-"} {
		req := newRequest(t, http.MethodPatch, r.url)
		req.URL.Opaque = "/v2/" + web + "/blobs/uploads/" + id
		req.SetBasicAuth("alice", "wonderland")
		req.Body, req.ContentLength = http.NoBody, 0
		if resp := do(t, req); resp.StatusCode < 300 {
			t.Errorf("%s: status %d", id, resp.StatusCode)
		}
	}
	if found, err := r.Exists(t.Context(), web, digest); err != nil || !found {
		t.Fatalf("the image is gone: %v, %v", found, err)
	}
}

func TestSeveralRegistriesLiveInOneProcess(t *testing.T) {
	one, two := start(t), start(t)
	digest := one.push(t, web, "v1", image(t, platform))
	if found, err := two.Exists(t.Context(), web, digest); err != nil || found {
		t.Fatalf("the other registry has it too: %v, %v", found, err)
	}
	wantStatus(t, withToken(t, two, fetchToken(t, one), http.MethodGet, "/v2/"), http.StatusOK) // the same secret
	other := start(t, func(c *registry.Config) { c.Secret = bytes.Repeat([]byte("x"), 32) })
	wantStatus(t, withToken(t, other, fetchToken(t, one), http.MethodGet, "/v2/"), http.StatusUnauthorized)
}

func TestAnIncompleteConfigurationIsRefused(t *testing.T) {
	h := newHouse()
	for problem, config := range map[string]registry.Config{
		"no directory":  {Secret: []byte(secret), Authenticator: h, Authorizer: h},
		"short secret":  {Dir: t.TempDir(), Secret: []byte("short"), Authenticator: h, Authorizer: h},
		"no authorizer": {Dir: t.TempDir(), Secret: []byte(secret), Authenticator: h},
		"a bad limit":   {Dir: t.TempDir(), Secret: []byte(secret), Authenticator: h, Authorizer: h, MaxLayerBytes: -1},
		"a file as dir": {Dir: "/dev/null", Secret: []byte(secret), Authenticator: h, Authorizer: h},
	} {
		if _, err := registry.New(t.Context(), config); err == nil {
			t.Errorf("%s was accepted", problem)
		}
	}
}

func newRequest(t testing.TB, method, address string) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	return req
}

func withToken(t testing.TB, r running, token, method, path string) *http.Response {
	t.Helper()
	req := newRequest(t, method, r.url+path)
	req.Header.Set("Authorization", "Bearer "+token)
	return do(t, req)
}

func fetchToken(t testing.TB, r running) string {
	t.Helper()
	resp := r.send(t, http.MethodGet, registry.DefaultTokenPath+"?service=setops&account=alice&scope=repository:"+web+":pull,push", nil)
	wantStatus(t, resp, http.StatusOK)
	return decodeToken(t, resp).Token
}

func postForm(t testing.TB, r running, form url.Values, status int) (token string, lifetime int) {
	t.Helper()
	req := newRequest(t, http.MethodPost, r.url+registry.DefaultTokenPath)
	setForm(req, form)
	resp := do(t, req)
	wantStatus(t, resp, status)
	answer := decodeToken(t, resp)
	return answer.AccessToken, answer.ExpiresIn
}

func setForm(req *http.Request, form url.Values) {
	body := strings.NewReader(form.Encode())
	req.Body, req.ContentLength = readCloser{body}, body.Size()
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
}

type readCloser struct{ *strings.Reader }

func (readCloser) Close() error { return nil }

type tokenAnswer struct {
	Token       string    `json:"token"`
	AccessToken string    `json:"access_token"`
	ExpiresIn   int       `json:"expires_in"`
	IssuedAt    time.Time `json:"issued_at"`
}

func decodeToken(t testing.TB, resp *http.Response) tokenAnswer {
	t.Helper()
	var answer tokenAnswer
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		t.Fatal(err)
	}
	return answer
}
