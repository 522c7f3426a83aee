package web_test

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/setopsco/setops/internal/auth"
	"github.com/setopsco/setops/internal/oidc"
	"github.com/setopsco/setops/internal/oidc/oidctest"
	"github.com/setopsco/setops/internal/setops"
	"github.com/setopsco/setops/internal/store"
	"github.com/setopsco/setops/internal/store/storetest"
	"github.com/setopsco/setops/internal/web"
)

const password = "correct horse battery"

// adasHash is computed once: it costs much by design.
var adasHash = auth.HashPassword(password)

// site is a server with the pages, and Ada as its user.
type site struct {
	*httptest.Server
	pages *web.Pages
	store *store.Store
	ada   setops.User
}

func newSite(t *testing.T, start func(http.Handler) *httptest.Server) *site {
	t.Helper()
	s := &site{store: storetest.Open(t), ada: setops.User{ID: "u-ada", Email: "ada@example.com", Organization: "demo"}}
	id, err := s.store.AddOrganization(t.Context(), "o-1", "demo", time.Now())
	if err == nil {
		s.ada.OrganizationID = id
		err = s.store.AddUser(t.Context(), s.ada, adasHash, id, time.Now())
	}
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	sessions := auth.NewSessions(s.store, time.Now, log)
	s.pages = &web.Pages{
		Sessions: sessions, Organization: "demo", Logger: log,
		Invitations: &auth.Invitations{Store: s.store, Sessions: sessions, Key: []byte("key"), NewID: rand.Text},
	}
	if start == nil {
		start = httptest.NewServer
	}
	s.Server = start(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.pages.Handler(http.NotFoundHandler()).ServeHTTP(w, r) // anew, as the test may add a provider
	}))
	t.Cleanup(s.Close)
	return s
}

// browser is a client that keeps cookies and follows links as a browser does, and says where its forms come from.
type browser struct {
	*http.Client
	t      *testing.T
	at     string // the site
	origin string
}

func (s *site) browser(t *testing.T) *browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	c := *s.Client()
	c.Jar = jar
	return &browser{Client: &c, t: t, at: s.URL, origin: s.URL}
}

// page is what a browser shows.
type page struct {
	status int
	path   string
	text   string
	header http.Header
}

func (b *browser) do(r *http.Request) page {
	b.t.Helper()
	a, err := b.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer a.Body.Close() //nolint:errcheck // it was read
	text, err := io.ReadAll(a.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return page{a.StatusCode, a.Request.URL.RequestURI(), string(text), a.Header}
}

func (b *browser) open(path string) page {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), http.MethodGet, b.at+path, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	return b.do(r)
}

func (b *browser) send(path string, fields ...string) page {
	b.t.Helper()
	form := url.Values{}
	for i := 0; i+1 < len(fields); i += 2 {
		form.Set(fields[i], fields[i+1])
	}
	r, err := http.NewRequestWithContext(b.t.Context(), http.MethodPost, b.at+path, strings.NewReader(form.Encode()))
	if err != nil {
		b.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Origin", b.origin)
	return b.do(r)
}

func (p page) want(t *testing.T, status int, path string, parts ...string) page {
	t.Helper()
	if p.status != status || p.path != path {
		t.Errorf("it is %d at %s, want %d at %s", p.status, p.path, status, path)
	}
	for _, part := range parts {
		if !strings.Contains(p.text, part) {
			t.Errorf("the page lacks %q: %s", part, p.text)
		}
	}
	return p
}

// signedIn is a browser in which Ada is signed in, without a password: hashing costs much by design.
func (s *site) signedIn(t *testing.T) *browser {
	t.Helper()
	b := s.browser(t)
	g, err := s.pages.Sessions.SignInProven(t.Context(), s.ada, "a browser")
	if err != nil {
		t.Fatal(err)
	}
	u, _ := url.Parse(s.URL)
	b.Jar.SetCookies(u, []*http.Cookie{{Name: "setops", Value: g.Token, Path: "/"}})
	return b
}

func (s *site) device(t *testing.T, name string) (shown, code string) {
	t.Helper()
	d, code, err := s.pages.Sessions.BeginDevice(t.Context(), name, "192.0.2.7")
	if err != nil {
		t.Fatal(err)
	}
	return auth.ShownCode(d.UserCode), code
}

func TestWhoSignsInComesBackToWhereTheyWantedTo(t *testing.T) {
	s := newSite(t, nil)
	b := s.browser(t)
	shown, _ := s.device(t, "setops on laptop")
	b.open("/device?user_code="+shown).want(t, 200, "/login?next=%2Fdevice%3Fuser_code%3D"+shown, "Sign in", `value="demo"`)
	b.send("/login", "organization", "demo", "email", "ada@example.com", "password", "wrong", "next", "/device").
		want(t, 401, "/login", `role="alert"`, "do not belong together", `value="ada@example.com"`)
	b.send("/login", "organization", "demo", "email", "Ada@example.com", "password", password, "next", "/device?user_code="+shown).
		want(t, 200, "/device?user_code="+shown, shown, "setops on laptop", "192.0.2.7", "ada@example.com")
	b.open("/login").want(t, 200, "/account", "ada@example.com", "setops login --url "+s.URL)
	u, _ := url.Parse(s.URL)
	cookies := b.Jar.Cookies(u)
	if len(cookies) != 1 || cookies[0].Name != "setops" {
		t.Fatalf("%v", cookies)
	}
	if _, _, err := s.pages.Sessions.CheckToken(t.Context(), cookies[0].Value); err == nil {
		t.Error("the cookie asks the API")
	}
	b.open("/logout").want(t, 200, "/logout", "Sign out of this browser")
	b.send("/logout").want(t, 200, "/logout", "This browser is signed out.")
	if _, err := s.pages.Sessions.CheckBrowser(t.Context(), cookies[0].Value); err == nil {
		t.Error("the session lives on")
	}
	b.open("/account").want(t, 200, "/login?next=%2Faccount")
}

func TestUnderTLSTheCookieIsThisHostsAlone(t *testing.T) {
	s := newSite(t, httptest.NewTLSServer)
	b := s.browser(t)
	b.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	p := b.send("/login", "organization", "demo", "email", "ada@example.com", "password", password)
	set := p.header.Get("Set-Cookie")
	for _, part := range []string{"__Host-setops=sops_", "; Path=/", "; HttpOnly", "; Secure", "; SameSite=Lax"} {
		if !strings.Contains(set, part) {
			t.Errorf("the cookie lacks %q: %s", part, set)
		}
	}
	if strings.Contains(set, "Domain") {
		t.Error(set)
	}
	b.open("/account").want(t, 200, "/account", "setops login --url https://")
}

func TestSigningInLeadsToOurPagesOnly(t *testing.T) {
	s := newSite(t, nil)
	b := s.signedIn(t)
	for _, next := range []string{
		"https://evil.example/", "//evil.example/", `/\evil.example`, `\\evil.example`, "/%2F/evil.example", "javascript:alert(1)", "/v1/sessions",
		"https:evil.example", "/account/../..//evil.example", "/device@evil.example", "", "?", "/login", "\t//evil.example", "http://",
	} {
		b.open("/login?next="+url.QueryEscape(next)).want(t, 200, "/account")
	}
	b.open("/login?next=/password").want(t, 200, "/password")
	b.open("/login?next="+url.QueryEscape("/device?user_code=A&next=//evil.example")).want(t, 404, "/device?user_code=A")
}

func TestAFormOfAnotherSiteDoesNothing(t *testing.T) {
	s := newSite(t, nil)
	b := s.signedIn(t)
	shown, code := s.device(t, "setops")
	for _, origin := range []string{"https://evil.example", "null", strings.Replace(s.URL, "127.0.0.1", "127.0.0.2", 1)} {
		b.origin = origin
		b.send("/device", "user_code", shown, "decision", "allow").want(t, 403, "/device", "sent by another site")
		b.send("/logout").want(t, 403, "/logout")
	}
	if _, err := s.pages.Sessions.RedeemDevice(t.Context(), code); err == nil {
		t.Error("the program was allowed")
	}
	b.origin = s.URL
	b.open("/account").want(t, 200, "/account")
	huge := b.send("/login", "password", strings.Repeat("x", 1<<20))
	huge.want(t, 400, "/login", "Nothing was done")
}

func TestPagesLoadNothingAndForbidAllElse(t *testing.T) {
	s := newSite(t, nil)
	s.pages.Provider = oidc.New(oidc.Config{Issuer: "https://id.example.com"})
	b := s.signedIn(t)
	shown, _ := s.device(t, `<script>alert(1)</script>"'`)
	style := regexp.MustCompile(`(?s)<style>(.*)</style>`)
	loads := regexp.MustCompile(`(?i)(src|srcset|href|action)="([^"]*)"|<script|<link|<img|<iframe|url\(|@import|\son[a-z]+=|style="`)
	for _, path := range []string{"/login?next=/password", "/account", "/device", "/device?user_code=" + shown, "/password", "/logout", "/invitations/none"} {
		who := b
		if strings.HasPrefix(path, "/login") {
			who = s.browser(t)
		}
		p := who.open(path)
		sum := sha256.Sum256([]byte(style.FindStringSubmatch(p.text)[1]))
		policy := p.header.Get("Content-Security-Policy")
		if want := "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"; policy != want {
			t.Errorf("%s: policy %s, want %s", path, policy, want)
		}
		for _, found := range loads.FindAllStringSubmatch(p.text, -1) {
			if !strings.HasPrefix(found[2], "/") || strings.HasPrefix(found[2], "//") || found[1] != "href" && found[1] != "action" {
				t.Errorf("%s has %q", path, found[0])
			}
		}
		if p.header.Get("X-Frame-Options") != "DENY" || p.header.Get("Cache-Control") != "no-store" || p.header.Get("Referrer-Policy") != "same-origin" {
			t.Errorf("%s: %v", path, p.header)
		}
		for _, part := range []string{`<html lang="en">`, "width=device-width", "<h1>", "<title>", "</html>"} {
			if !strings.Contains(p.text, part) {
				t.Errorf("%s lacks %s", path, part)
			}
		}
	}
}

func TestAProgramIsAllowedOrDeniedByItsCode(t *testing.T) {
	s := newSite(t, nil)
	b := s.signedIn(t)
	b.open("/device").want(t, 200, "/device", "The code that your terminal shows")
	b.open("/device?user_code=BBBB-BBBB").want(t, 404, "/device?user_code=BBBB-BBBB", "No program shows this code")
	allowed, code := s.device(t, "setops")
	b.send("/device", "user_code", allowed, "decision", "allow").want(t, 200, "/device", "signed in as ada@example.com")
	g, err := s.pages.Sessions.RedeemDevice(t.Context(), code)
	if err != nil || g.Session.User.Email != "ada@example.com" {
		t.Errorf("%+v %v", g, err)
	}
	b.send("/device", "user_code", allowed, "decision", "allow").want(t, 404, "/device")
	denied, code := s.device(t, "setops")
	b.send("/device", "user_code", denied, "decision", "what").want(t, 200, "/device", "Denied")
	if _, err := s.pages.Sessions.RedeemDevice(t.Context(), code); err != auth.ErrDeviceDenied {
		t.Errorf("%v", err)
	}
	stranger := s.browser(t)
	shown, _ := s.device(t, "setops")
	stranger.send("/device", "user_code", shown, "decision", "allow").want(t, 200, "/login?next=%2Fdevice%3Fuser_code%3D"+shown)
}

func TestANewPasswordIsTypedTwiceAndNeedsTheOldOne(t *testing.T) {
	s := newSite(t, nil)
	b := s.signedIn(t)
	for _, test := range []struct {
		present, next, repeated string
		status                  int
		want                    string
	}{
		{password, "staple staple", "staple stable", 422, "not the same"},
		{password, "short", "short", 422, "at least 8 characters"},
		{"wrong", "staple staple", "staple staple", 401, "not your present password"},
		{password, "staple staple", "staple staple", 200, "Your password is changed"},
	} {
		b.send("/password", "present", test.present, "password", test.next, "repeated", test.repeated).want(t, test.status, "/password", test.want)
	}
	b.open("/password").want(t, 200, "/password")
}

func (s *site) invite(t *testing.T, email string) (path string) {
	t.Helper()
	ctx := t.Context()
	_, there, err := s.store.Project(ctx, s.ada.OrganizationID, "shop")
	if err == nil && !there {
		err = s.store.AddProject(ctx, s.ada.OrganizationID, setops.Project{ID: "p-1", Name: "shop", CreatedAt: time.Now()}, s.ada)
	}
	id := rand.Text()
	if err == nil {
		_, err = s.pages.Invitations.Invite(ctx, setops.Invitation{
			ID: id, Email: email, OrganizationID: s.ada.OrganizationID, ScopeID: "p-1", Role: setops.Member, InvitedBy: "ada@example.com",
		})
	}
	if err != nil {
		t.Fatal(err)
	}
	return "/invitations/" + s.pages.Invitations.Token(id)
}

func (s *site) roleOf(t *testing.T, email string) setops.Role {
	t.Helper()
	u, _, ok, err := s.store.Login(context.Background(), "demo", email)
	if err != nil || !ok {
		t.Errorf("%s: %v %v", email, ok, err)
	}
	roles, err := s.store.Roles(context.Background(), u.ID)
	if err != nil {
		t.Error(err)
	}
	return roles["p-1"]
}

func TestAnInvitationIsAcceptedWithANewPassword(t *testing.T) {
	s := newSite(t, nil)
	b := s.browser(t)
	path := s.invite(t, "grace@example.com")
	b.open(path).want(t, 200, path, "ada@example.com invites you to", "project shop", "as member", "grace@example.com", "once more")
	b.send(path, "password", "staple staple", "repeated", "x").want(t, 422, path, "not the same")
	b.send(path, "password", "short", "repeated", "short").want(t, 422, path, "at least 8 characters")
	b.send(path, "password", "staple staple", "repeated", "staple staple").want(t, 200, "/account", "grace@example.com")
	if role := s.roleOf(t, "grace@example.com"); role != setops.Member {
		t.Errorf("she has the role %q", role)
	}
	b.open(path).want(t, 404, path, "There is no such invitation")
	b.send("/login", "organization", "demo", "email", "grace@example.com", "password", "staple staple").want(t, 200, "/account")
}

func TestWhoHasAnAccountAcceptsWithItsPassword(t *testing.T) {
	s := newSite(t, nil)
	b := s.browser(t)
	path := s.invite(t, "ada@example.com")
	if p := b.open(path).want(t, 200, path, "Password of your account"); strings.Contains(p.text, "once more") {
		t.Error("it asks for a new password")
	}
	b.send(path, "password", "wrong").want(t, 401, path, "not the password of the account")
	b.send(path, "password", password).want(t, 200, "/account", "ada@example.com")
}

func TestAnotherServerSaysWhoSomebodyIs(t *testing.T) {
	s := newSite(t, nil)
	provider := oidctest.New(t)
	s.pages.Provider = oidc.New(oidc.Config{Issuer: provider.URL, ClientID: oidctest.ClientID, ClientSecret: oidctest.ClientSecret})
	shown, _ := s.device(t, "setops")
	b := s.browser(t)
	b.open("/device?user_code="+shown).want(t, 200, "/login?next=%2Fdevice%3Fuser_code%3D"+shown, "Sign in with 127.0.0.1")
	b.open("/login/oidc?next="+url.QueryEscape("/device?user_code="+shown)).want(t, 200, "/device?user_code="+shown, "ada@example.com")

	mallory := s.browser(t)
	provider.Say("email", "mallory@example.com")
	if p := mallory.open("/login/oidc"); p.status != 401 || !strings.Contains(p.text, "is no user here") {
		t.Errorf("%d %s", p.status, p.text)
	}
	mallory.open("/account").want(t, 200, "/login?next=%2Faccount")

	grace := s.browser(t)
	s.invite(t, "grace@example.com")
	provider.Say("email", "Grace@example.com")
	grace.open("/login/oidc").want(t, 200, "/account", "grace@example.com")
	if role := s.roleOf(t, "grace@example.com"); role != setops.Member {
		t.Errorf("she has the role %q", role)
	}

	// She has no password here yet, and can give herself one.
	if p := grace.open("/password").want(t, 200, "/password", "Set a password"); strings.Contains(p.text, "Present password") {
		t.Error("it asks for a password that she does not have")
	}
	grace.send("/password", "password", "staple staple", "repeated", "staple staple").want(t, 200, "/password", "Your password is changed")
	grace.open("/password").want(t, 200, "/password", "Present password")
	s.browser(t).send("/login", "organization", "demo", "email", "grace@example.com", "password", "staple staple").want(t, 200, "/account")

	provider.Say("email_verified", false)
	if p := s.browser(t).open("/login/oidc"); p.status != 502 || !strings.Contains(p.text, "has not verified") {
		t.Errorf("%d %s", p.status, p.text)
	}
	// An answer that another browser has begun to ask for signs nobody in.
	s.browser(t).open("/login/oidc/callback?code=x&state=y").want(t, 400, "/login/oidc/callback?code=x&state=y", "did not begin to sign in")
}

func TestWithoutAProviderThereIsNoWayToOne(t *testing.T) {
	s := newSite(t, nil)
	s.browser(t).open("/login/oidc").want(t, 404, "/login/oidc")
	s.browser(t).open("/login/oidc/callback?code=x&state=y").want(t, 404, "/login/oidc/callback?code=x&state=y")
}
