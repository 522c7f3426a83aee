// Package docker is the credential helper for Docker: `docker-credential-setops get` is `setops docker get`. It gives Docker
// the session that `setops login` stored, for the registry of the server that issued it and for no other.
package docker

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/docker/docker-credential-helpers/credentials"
	"github.com/setopsco/setops/internal/cli/kit"
	"github.com/setopsco/setops/pkg/client"
	"github.com/spf13/cobra"
)

// Commands are the commands of this noun.
func Commands(k *kit.Kit) []*cobra.Command {
	return []*cobra.Command{newDocker(k, runDocker)}
}

type dockerOptions struct {
	kit    *kit.Kit
	action string
}

func newDocker(k *kit.Kit, run func(context.Context, *dockerOptions) error) *cobra.Command {
	opts := &dockerOptions{kit: k}
	return &cobra.Command{
		Use:   "docker get|store|erase|list",
		Short: "Give Docker the credentials of the session",
		Long: "Speak the protocol of Docker's credential helpers on standard input and output. `setops login` sets it up, so that\n" +
			"`docker push` and `docker pull` work without `docker login`; Docker runs it as docker-credential-setops.\n\n" +
			"get and list give the session for the registry of the server that issued it. store and erase change nothing: the\n" +
			"session is that of `setops login` and `setops logout`.",
		Example:   "  echo setops.example.com | setops docker get",
		Args:      kit.ExactArgs("what to do: get, store, erase or list"),
		ValidArgs: actions(),
		RunE: func(cmd *cobra.Command, args []string) error {
			if opts.action = args[0]; !slices.Contains(actions(), opts.action) {
				return &kit.Usage{
					Message: fmt.Sprintf("A credential helper does not %q.", opts.action),
					Next:    "It knows " + strings.Join(actions(), ", ") + ".",
				}
			}
			return run(cmd.Context(), opts)
		},
	}
}

func actions() []string {
	return []string{credentials.ActionGet, credentials.ActionStore, credentials.ActionErase, credentials.ActionList}
}

// runDocker says what went wrong on standard output, where Docker reads it, and on standard error, where people do.
func runDocker(ctx context.Context, opts *dockerOptions) error {
	k := opts.kit
	session := func() (kit.Registry, error) { return sessionOf(ctx, k) }
	err := credentials.HandleCommand(helper{session}, opts.action, k.In, k.Out)
	if err == nil {
		return nil
	}
	if _, failed := fmt.Fprintln(k.Out, err); failed != nil {
		return failed
	}
	if credentials.IsErrCredentialsNotFound(err) {
		return &kit.Failure{Message: "You are not signed in there.", Next: "Run `setops login`; it works for the registry of that server only."}
	}
	return &kit.Failure{Message: kit.Sentence(err.Error())}
}

// helper answers with the session.
type helper struct {
	session func() (kit.Registry, error)
}

// sessionOf gives the credentials that Docker may have and the registry that they are for. Without a session the error is the
// one by which Docker goes on as nobody.
func sessionOf(ctx context.Context, k *kit.Kit) (kit.Registry, error) {
	c, err := k.Config()
	if err != nil {
		return kit.Registry{}, err
	}
	issuer := c.Issuer
	if c.FromEnv {
		issuer = c.URL
	}
	here := *c
	here.URL = issuer // whatever SETOPS_URL says: Docker asks for a registry by its name
	r, err := k.RegistryOf(ctx, &here)
	var signedOut *kit.Failure
	if errors.As(err, &signedOut) {
		return r, credentials.NewErrCredentialsNotFound()
	}
	return r, err
}

// Get gives user and token for our registry.
func (h helper) Get(server string) (user, secret string, err error) {
	r, err := h.session()
	if err != nil {
		return "", "", err
	}
	if hostOf(server) != r.Host {
		return "", "", credentials.NewErrCredentialsNotFound()
	}
	return r.User, r.Token, nil
}

// Add takes what `docker login` was given where it is the session's user, and keeps the session.
func (h helper) Add(given *credentials.Credentials) error {
	r, err := h.session()
	switch {
	case credentials.IsErrCredentialsNotFound(err):
		return fmt.Errorf("the credentials of %s are those of setops; run `setops login`", hostOf(given.ServerURL))
	case err != nil:
		return err
	case hostOf(given.ServerURL) != r.Host:
		return fmt.Errorf("setops keeps credentials of %s only", r.Host)
	case given.Username != r.User && given.Secret != r.Token:
		return fmt.Errorf("the credentials of %s are those of setops, where %s is signed in; run `setops login` as %s",
			r.Host, r.User, given.Username)
	}
	return nil
}

// Delete keeps the session: `docker logout` is not `setops logout`.
func (h helper) Delete(string) error { return nil }

// List gives the one registry with its user.
func (h helper) List() (map[string]string, error) {
	r, err := h.session()
	if credentials.IsErrCredentialsNotFound(err) {
		return map[string]string{}, nil
	}
	if err != nil {
		return nil, err
	}
	return map[string]string{r.Host: r.User}, nil
}

// hostOf takes a registry as Docker names it: its host, or an address.
func hostOf(server string) string {
	if client.Origin(server) != "" {
		return kit.RegistryHost(server)
	}
	host, _, _ := strings.Cut(server, "/")
	return host
}
