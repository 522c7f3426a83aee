// Package oidc asks another server who somebody is: a provider of OpenID Connect, by the authorization code flow with PKCE,
// state and nonce. It learns a verified e-mail address and nothing else; who that is here, auth decides. It keeps no state
// of a sign-in: whoever begins one keeps its Flow. Start with Provider.
package oidc

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// Config is how a provider knows this server.
type Config struct {
	Issuer       string // its URL, below which it describes itself
	ClientID     string
	ClientSecret string
	Domains      []string // of e-mail addresses that are let in; empty: all
}

// Provider is a provider of identities. It is asked how it works when it is first needed, so that this server starts without it.
type Provider struct {
	config Config
	http   *http.Client

	mu    sync.Mutex
	found *oidc.Provider
}

// answerLimit bounds each request to the provider.
const answerLimit = 15 * time.Second

// New makes it.
func New(c Config) *Provider {
	return &Provider{config: c, http: &http.Client{Timeout: answerLimit}}
}

// Name is what people know the provider by: its host.
func (p *Provider) Name() string {
	u, err := url.Parse(p.config.Issuer)
	if err != nil {
		return p.config.Issuer
	}
	return u.Hostname()
}

// Flow is what only the browser that has begun a sign-in may know. It stands for it when it comes back.
type Flow struct {
	State    string `json:"state"`
	Nonce    string `json:"nonce"`
	Verifier string `json:"verifier"`
}

// Begin gives where to send a browser, which comes back to redirect.
func (p *Provider) Begin(ctx context.Context, redirect string) (address string, f Flow, err error) {
	config, _, err := p.ask(ctx, redirect)
	if err != nil {
		return "", f, err
	}
	f = Flow{State: rand.Text(), Nonce: rand.Text(), Verifier: oauth2.GenerateVerifier()}
	return config.AuthCodeURL(f.State, oidc.Nonce(f.Nonce), oauth2.S256ChallengeOption(f.Verifier)), f, nil
}

// Finish trades what a browser comes back with for the e-mail address that the provider has verified.
func (p *Provider) Finish(ctx context.Context, redirect string, f Flow, query url.Values) (email string, err error) {
	if subtle.ConstantTimeCompare([]byte(query.Get("state")), []byte(f.State)) != 1 || f.State == "" {
		return "", refuse("The answer belongs to another sign-in. Begin anew.", nil)
	}
	if reason := query.Get("error"); reason != "" {
		return "", refuse("The provider of identities did not sign you in.", fmt.Errorf("%s: %s", reason, query.Get("error_description")))
	}
	config, provider, err := p.ask(ctx, redirect)
	if err != nil {
		return "", err
	}
	ctx = oidc.ClientContext(ctx, p.http)
	token, err := config.Exchange(ctx, query.Get("code"), oauth2.VerifierOption(f.Verifier))
	if err != nil {
		return "", refuse("The provider of identities did not confirm the sign-in.", err)
	}
	raw, _ := token.Extra("id_token").(string)
	proof, err := provider.Verifier(&oidc.Config{ClientID: p.config.ClientID}).Verify(ctx, raw)
	if err != nil {
		return "", refuse("The provider's proof of who you are is not valid.", err)
	}
	if subtle.ConstantTimeCompare([]byte(proof.Nonce), []byte(f.Nonce)) != 1 {
		return "", refuse("The provider's proof of who you are is not of this sign-in.", errors.New("the nonce is another one"))
	}
	return p.verified(proof)
}

// verified reads the address of whom the proof is about.
func (p *Provider) verified(proof *oidc.IDToken) (string, error) {
	var claims struct {
		Email    string `json:"email"`
		Verified any    `json:"email_verified"` // some providers write it as a text
	}
	if err := proof.Claims(&claims); err != nil {
		return "", refuse("The provider's proof of who you are cannot be read.", err)
	}
	if claims.Email == "" || claims.Verified != true && claims.Verified != "true" {
		return "", refuse("The provider of identities has not verified your e-mail address.", nil)
	}
	_, domain, _ := strings.Cut(strings.ToLower(claims.Email), "@")
	if len(p.config.Domains) > 0 && !slices.Contains(p.config.Domains, domain) {
		return "", refuse("E-mail addresses of "+domain+" are not let in here.", nil)
	}
	return claims.Email, nil
}

// ask gives how the provider works.
func (p *Provider) ask(ctx context.Context, redirect string) (*oauth2.Config, *oidc.Provider, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.found == nil {
		found, err := oidc.NewProvider(oidc.ClientContext(ctx, p.http), p.config.Issuer)
		if err != nil {
			return nil, nil, refuse("The provider of identities cannot be reached. Try again in a moment.", err)
		}
		p.found = found
	}
	return &oauth2.Config{
		ClientID: p.config.ClientID, ClientSecret: p.config.ClientSecret, Endpoint: p.found.Endpoint(), RedirectURL: redirect,
		Scopes: []string{oidc.ScopeOpenID, "email"},
	}, p.found, nil
}

// refusedError has a sentence for the person and a cause for the log.
type refusedError struct {
	sentence string
	cause    error
}

func refuse(sentence string, cause error) error { return &refusedError{sentence, cause} }

func (e *refusedError) Error() string {
	if e.cause == nil {
		return e.sentence
	}
	return e.sentence + " " + e.cause.Error()
}

func (e *refusedError) Unwrap() error { return e.cause }

// Sentence is what the person may read of an error of this package.
func Sentence(err error) string {
	var refused *refusedError
	if errors.As(err, &refused) {
		return refused.sentence
	}
	return "The provider of identities did not sign you in."
}
