// Package session holds login, login:info, logout and the noun session: who the user is, on which server, and from where else.
package session

import (
	"context"
	"io"

	"github.com/setopsco/setops/internal/cli/config"
	"github.com/setopsco/setops/internal/cli/kit"
	"github.com/setopsco/setops/internal/cli/render"
	"github.com/setopsco/setops/pkg/api"
	"github.com/setopsco/setops/pkg/client"
	"github.com/spf13/cobra"
)

// Commands are the commands about the session.
func Commands(k *kit.Kit) []*cobra.Command {
	return []*cobra.Command{
		newLogin(k, runLogin), newInfo(k, runInfo), newLogout(k, runLogout), newList(k, runList), newDestroy(k, runDestroy),
	}
}

type loginOptions struct {
	kit         *kit.Kit
	url         string
	serviceUser bool
	password    bool
	noSetup     bool
}

func newLogin(k *kit.Kit, run func(context.Context, *loginOptions) error) *cobra.Command {
	opts := &loginOptions{kit: k}
	cmd := &cobra.Command{
		Use:   "login",
		Short: "Sign in to a server",
		Long: "Sign in to a server and store the session in ~/.setops.yml, readable by you only. The session is sent to no other\n" +
			"server than the one that issued it.\n\n" +
			"It opens a page of the server in your browser, where you sign in and compare the code that is shown here; where no\n" +
			"browser opens, follow the link on any machine. The session is renewed as long as you use it at least every 30 days,\n" +
			"for up to 180 days. With --password it asks for organization, e-mail address and password on the terminal instead.\n\n" +
			"With --service-user it reads three lines from standard input: organization, user name, password; such a session lives\n" +
			"4 hours.\n\n" +
			"Docker is set up to ask setops for the credentials of the server's image registry: by an entry in its configuration and\n" +
			"the program docker-credential-setops in ~/bin. With --no-setup it is left alone.",
		Example: "  setops login --url https://setops.example.com\n" +
			"  printf '%s\\n' demo deploy \"$PASSWORD\" | setops login --service-user",
		Args: kit.AtMostArgs(0),
		RunE: func(cmd *cobra.Command, _ []string) error { return run(cmd.Context(), opts) },
	}
	flags := cmd.Flags()
	flags.StringVar(&opts.url, "url", "", "`ADDRESS` of the server (default SETOPS_URL, the last one, or "+config.DefaultURL+")")
	flags.BoolVar(&opts.password, "password", false, "ask for the password on the terminal, without a browser")
	flags.BoolVar(&opts.serviceUser, "service-user", false, "read organization, user name and password from standard input")
	flags.BoolVar(&opts.noSetup, "no-setup", false, "leave Docker's configuration alone")
	cmd.MarkFlagsMutuallyExclusive("service-user", "password")
	return cmd
}

func runLogin(ctx context.Context, opts *loginOptions) error {
	k := opts.kit
	stored, err := k.Config()
	if err != nil {
		return err
	}
	address := stored.URL
	if opts.url != "" {
		address = opts.url
	}
	c, err := k.ClientAt(address, "")
	if err != nil {
		return err
	}
	if isExposed(address) {
		k.Note("Warning: %s is not encrypted; others on the way can read the password.", address)
	}
	session, err := opts.signIn(ctx, c, stored)
	if err != nil {
		return err
	}
	if err := k.StoreSession(ctx, stored.StoredPath, c.Address(), session); err != nil {
		return err
	}
	if !opts.noSetup {
		setUpDocker(k, c.Address())
	}
	if stored.FromEnv {
		k.Note("SETOPS_TOKEN is set and takes precedence over this session.")
	}
	return show(k, c.Address(), session)
}

func (o *loginOptions) signIn(ctx context.Context, c *client.Client, stored *config.Config) (api.Session, error) {
	if !o.serviceUser && !o.password {
		return signInByBrowser(ctx, o.kit, c)
	}
	credentials, err := o.credentials(ctx, stored)
	if err != nil {
		return api.Session{}, err
	}
	return c.SignIn(ctx, credentials)
}

// show prints a session; its token is nobody's business.
func show(k *kit.Kit, address string, s api.Session) error {
	s.Token, s.RefreshToken = "", ""
	end := s.RenewableUntil
	if end.IsZero() && !s.ExpiresAt.Equal(api.Never()) {
		end = s.ExpiresAt
	}
	return k.Show(s, func(w io.Writer) error {
		return new(render.Block).
			Add("Organization", s.Organization).
			Add("Email", s.Email).
			Add("Server", address).
			Add("Expires At", render.OptionalTime(&end)).
			Write(w)
	})
}
