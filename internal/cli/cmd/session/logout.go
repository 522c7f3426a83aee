package session

import (
	"context"
	"errors"
	"io"

	"github.com/setopsco/setops/internal/cli/config"
	"github.com/setopsco/setops/internal/cli/kit"
	"github.com/setopsco/setops/pkg/api"
	"github.com/spf13/cobra"
)

type logoutOptions struct{ kit *kit.Kit }

func newLogout(k *kit.Kit, run func(context.Context, *logoutOptions) error) *cobra.Command {
	opts := &logoutOptions{kit: k}
	return &cobra.Command{
		Use:   "logout",
		Short: "Sign out",
		Long: "End the session on the server and remove it from ~/.setops.yml. Where the server cannot be reached, it is removed only.\n" +
			"Docker does not ask setops for credentials any more.",
		Example: "  setops logout",
		Args:    kit.AtMostArgs(0),
		RunE:    func(cmd *cobra.Command, _ []string) error { return run(cmd.Context(), opts) },
	}
}

// runLogout ends the stored session on the server that issued it, whatever server or token the variables name.
func runLogout(ctx context.Context, opts *logoutOptions) error {
	k := opts.kit
	stored, err := config.Load(config.Source{Getenv: onlyHome(k.Getenv)})
	if err != nil {
		return err
	}
	if stored.Token == "" {
		k.Note("You are not signed in.")
		return showSignedOut(k, api.SignedOut{})
	}
	c, err := k.ClientAt(stored.Issuer, stored.Token)
	if err != nil {
		return err
	}
	out := api.SignedOut{Server: stored.Issuer, Ended: true}
	if err := c.SignOut(ctx); err != nil && !isOver(err) {
		out.Ended = false
		k.Note("The server did not end the session, so it holds until it expires: %s", kit.Sentence(err.Error()))
	}
	if err := config.Store(stored.StoredPath,
		config.Pair{Key: "token"}, config.Pair{Key: "issuer"}, config.Pair{Key: "expires_at"}); err != nil {
		return err
	}
	takeBackDocker(k, stored.Issuer)
	k.Note("Signed out.")
	return showSignedOut(k, out)
}

func showSignedOut(k *kit.Kit, out api.SignedOut) error {
	return k.Show(out, func(io.Writer) error { return nil })
}

func onlyHome(getenv func(string) string) func(string) string {
	return func(name string) string {
		if name == "HOME" || name == "USERPROFILE" {
			return getenv(name)
		}
		return ""
	}
}

// isOver says whether the server no longer knew the session.
func isOver(err error) bool {
	var e *api.ServiceError
	return errors.As(err, &e) && e.Status == 401
}
