package session

import (
	"context"
	"errors"
	"io"
	"strings"

	"github.com/setopsco/setops/internal/cli/config"
	"github.com/setopsco/setops/internal/cli/kit"
	"github.com/setopsco/setops/pkg/api"
	"github.com/spf13/cobra"
)

type logoutOptions struct {
	kit     *kit.Kit
	browser bool
}

func newLogout(k *kit.Kit, run func(context.Context, *logoutOptions) error) *cobra.Command {
	opts := &logoutOptions{kit: k}
	cmd := &cobra.Command{
		Use:   "logout",
		Short: "Sign out",
		Long: "End the session on the server and remove it from ~/.setops.yml. Where the server cannot be reached, it is removed only.\n" +
			"The browser stays signed in for up to 12 hours; --browser opens the page that ends that, too.\n" +
			"Docker does not ask setops for credentials any more.",
		Example: "  setops logout\n  setops logout --browser",
		Args:    kit.AtMostArgs(0),
		RunE:    func(cmd *cobra.Command, _ []string) error { return run(cmd.Context(), opts) },
	}
	cmd.Flags().BoolVar(&opts.browser, "browser", false, "open the server's page that signs the browser out")
	return cmd
}

// runLogout ends the stored session on the server that issued it, whatever server or token the variables name.
func runLogout(ctx context.Context, opts *logoutOptions) error {
	k := opts.kit
	stored, err := config.Load(config.Source{Getenv: kit.OnlyHome(k.Getenv)})
	if err != nil {
		return err
	}
	out, err := endStored(ctx, k, stored)
	if err != nil {
		return err
	}
	if opts.browser {
		if err := openLogoutPage(ctx, k, out.Server); err != nil {
			return err
		}
	}
	return k.Show(out, func(io.Writer) error { return nil })
}

// openLogoutPage opens the page of the server of the session that has ended, else of the one in use.
func openLogoutPage(ctx context.Context, k *kit.Kit, server string) error {
	if server == "" {
		c, err := k.Config()
		if err != nil {
			return err
		}
		server = c.URL
	}
	page := strings.TrimRight(server, "/") + api.LogoutPage
	k.Browse(ctx, page)
	k.Note("Sign your browser out on this page:\n\n   %s\n", page)
	return nil
}

// endStored ends the session, if there is one. It may have to be renewed for that: an access token is over after an hour.
func endStored(ctx context.Context, k *kit.Kit, stored *config.Config) (out api.SignedOut, err error) {
	if stored.Token == "" {
		k.Note("You are not signed in.")
		return out, nil
	}
	c, err := k.ClientOf(stored)
	if err != nil {
		return out, err
	}
	out = api.SignedOut{Server: stored.Issuer, Ended: true}
	if err := c.SignOut(ctx); err != nil && !isOver(err) {
		out.Ended = false
		k.Note("The server did not end the session, so it holds until it expires: %s", kit.Sentence(err.Error()))
	}
	if err := k.ForgetSession(ctx, stored.StoredPath); err != nil {
		return out, err
	}
	takeBackDocker(k, stored.Issuer)
	k.Note("Signed out.")
	return out, nil
}

// isOver says whether the server no longer knew the session.
func isOver(err error) bool {
	var e *api.ServiceError
	var notRenewed *api.OAuthError
	return errors.As(err, &notRenewed) && notRenewed.Reason == api.OAuthInvalid || errors.As(err, &e) && e.Status == 401
}
