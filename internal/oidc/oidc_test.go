package oidc_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/setopsco/setops/internal/oidc"
	"github.com/setopsco/setops/internal/oidc/oidctest"
)

const redirect = "http://setops.example/login/oidc/callback"

// signIn goes the whole way as a browser does; alter may change what it comes back with.
func signIn(t *testing.T, c oidc.Config, alter func(*oidc.Flow, url.Values)) (string, error) {
	t.Helper()
	p := oidc.New(c)
	address, flow, err := p.Begin(t.Context(), redirect)
	if err != nil {
		return "", err
	}
	browser := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	r, err := browser.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close() //nolint:errcheck // it is empty
	back, err := r.Location()
	if err != nil || !strings.HasPrefix(back.String(), redirect+"?") {
		t.Fatalf("it is led to %v, %v", back, err)
	}
	query := back.Query()
	if alter != nil {
		alter(&flow, query)
	}
	return p.Finish(t.Context(), redirect, flow, query)
}

func config(p *oidctest.Provider) oidc.Config {
	return oidc.Config{Issuer: p.URL, ClientID: oidctest.ClientID, ClientSecret: oidctest.ClientSecret}
}

func TestAVerifiedAddressIsLearned(t *testing.T) {
	p := oidctest.New(t)
	if email, err := signIn(t, config(p), nil); err != nil || email != "ada@example.com" {
		t.Errorf("%q, %v", email, err)
	}
	p.Say("email_verified", "true") // as some providers write it
	c := config(p)
	c.Domains = []string{"example.org", "example.com"}
	if email, err := signIn(t, c, nil); err != nil || email != "ada@example.com" {
		t.Errorf("%q, %v", email, err)
	}
}

func TestWhatIsNotProvenIsNotBelieved(t *testing.T) {
	for name, test := range map[string]struct {
		say   func(*oidctest.Provider)
		ask   func(*oidc.Config)
		alter func(*oidc.Flow, url.Values)
		want  string
	}{
		"not verified":         {say: func(p *oidctest.Provider) { p.Say("email_verified", false) }, want: "has not verified"},
		"not said":             {say: func(p *oidctest.Provider) { p.Say("email_verified", nil) }, want: "has not verified"},
		"no address":           {say: func(p *oidctest.Provider) { p.Say("email", "") }, want: "has not verified"},
		"another domain":       {ask: func(c *oidc.Config) { c.Domains = []string{"example.org"} }, want: "of example.com are not let in"},
		"for somebody else":    {say: func(p *oidctest.Provider) { p.Say("aud", "another") }, want: "is not valid"},
		"of somebody else":     {say: func(p *oidctest.Provider) { p.Say("iss", "https://evil.example") }, want: "is not valid"},
		"too old":              {say: func(p *oidctest.Provider) { p.Say("exp", 1) }, want: "is not valid"},
		"forged":               {say: func(p *oidctest.Provider) { p.Forge() }, want: "is not valid"},
		"another nonce":        {say: func(p *oidctest.Provider) { p.Say("nonce", "another") }, want: "not of this sign-in"},
		"another state":        {alter: func(_ *oidc.Flow, q url.Values) { q.Set("state", "another") }, want: "another sign-in"},
		"no state":             {alter: func(f *oidc.Flow, q url.Values) { f.State = ""; q.Del("state") }, want: "another sign-in"},
		"another verifier":     {alter: func(f *oidc.Flow, _ url.Values) { f.Verifier = strings.Repeat("x", 43) }, want: "did not confirm"},
		"another code":         {alter: func(_ *oidc.Flow, q url.Values) { q.Set("code", "another") }, want: "did not confirm"},
		"a wrong secret":       {ask: func(c *oidc.Config) { c.ClientSecret = "guess" }, want: "did not confirm"},
		"refused there":        {alter: func(_ *oidc.Flow, q url.Values) { q.Set("error", "access_denied") }, want: "did not sign you in"},
		"nobody at the issuer": {ask: func(c *oidc.Config) { c.Issuer += "/nobody" }, want: "cannot be reached"},
	} {
		t.Run(name, func(t *testing.T) {
			p := oidctest.New(t)
			c := config(p)
			if test.say != nil {
				test.say(p)
			}
			if test.ask != nil {
				test.ask(&c)
			}
			email, err := signIn(t, c, test.alter)
			if err == nil || !strings.Contains(oidc.Sentence(err), test.want) {
				t.Errorf("%q, %v", email, err)
			}
			if strings.Contains(err.Error(), oidctest.ClientSecret) {
				t.Errorf("the error has the secret: %v", err)
			}
		})
	}
}

func TestAProviderThatWasAwayIsAskedAgain(t *testing.T) {
	p := oidctest.New(t)
	p.Away(true)
	provider := oidc.New(config(p))
	if _, _, err := provider.Begin(t.Context(), redirect); err == nil {
		t.Fatal("nobody is there")
	}
	p.Away(false)
	if _, _, err := provider.Begin(t.Context(), redirect); err != nil || provider.Name() != "127.0.0.1" {
		t.Errorf("%s: %v", provider.Name(), err)
	}
}
