package kit

import (
	"context"
	"fmt"
	"time"

	"github.com/setopsco/setops/internal/cli/config"
	"github.com/setopsco/setops/pkg/client"
)

// signedIn makes the client of a command that needs a session.
func (k *Kit) signedIn() (*client.Client, error) {
	c, err := k.Config()
	if err != nil {
		return nil, err
	}
	token, err := tokenFor(c)
	if err != nil {
		return nil, err
	}
	if c.FromEnv {
		return k.ClientAt(c.URL, token)
	}
	return k.client(c.URL, "", (&renewer{kit: k, stored: c}).token)
}

// ClientOf makes a client of the server that issued the stored session, whatever server the variables name.
func (k *Kit) ClientOf(stored *config.Config) (*client.Client, error) {
	return k.client(stored.Issuer, "", (&renewer{kit: k, stored: stored}).token)
}

// ClientAt makes a client of the server at address.
func (k *Kit) ClientAt(address, token string) (*client.Client, error) {
	return k.client(address, token, nil)
}

func (k *Kit) client(address, token string, tokens func(context.Context, string) (string, error)) (*client.Client, error) {
	if client.Origin(address) == "" {
		return nil, errNoAddress(address)
	}
	options := client.Options{UserAgent: "setops/" + k.Version, Tokens: tokens, Met: k.warnOfVersion}
	if k.hurried {
		options.Resend = time.Nanosecond
	}
	if k.Flags.Debug {
		options.Trace = k.trace
	}
	return client.New(address, token, options), nil
}

// tokenFor refuses to send a stored token to another server than the one that issued it: a variable or a flag must not be
// able to lead it astray.
func tokenFor(c *config.Config) (string, error) {
	if c.Token == "" {
		return "", errSignedOut()
	}
	if client.Origin(c.URL) == "" {
		return "", errNoAddress(c.URL)
	}
	if !c.FromEnv && client.Origin(c.Issuer) != client.Origin(c.URL) {
		return "", &Failure{
			Message: fmt.Sprintf("You are signed in at %s, not at %s.", c.Issuer, c.URL),
			Next:    fmt.Sprintf("Run `setops login --url %s`.", c.URL),
		}
	}
	return c.Token, nil
}

// trace prints a request for --debug. Bodies and headers stay out: they hold passwords, tokens and values of env.
func (k *Kit) trace(t client.Trace) {
	outcome := fmt.Sprintf("no answer: %v", t.Err)
	if t.Status != 0 {
		outcome = fmt.Sprintf("%d", t.Status)
	}
	if t.RequestID != "" {
		outcome += " request " + t.RequestID
	}
	_, _ = fmt.Fprintf(k.Err, "debug: %s %s: %s (%s)\n", t.Method, t.URL, outcome, t.Duration.Round(time.Millisecond))
}

func errNoAddress(address string) error {
	return &Failure{
		Message: fmt.Sprintf("%q is no address of a server.", address),
		Next:    "Write it as http://HOST:PORT or https://HOST, in `setops login --url` or SETOPS_URL.",
	}
}

func errSignedOut() error {
	return &Failure{Message: "You are not signed in.", Next: "Run `setops login`."}
}
