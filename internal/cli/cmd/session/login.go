// Package session holds login, login:info and logout: who the user is, and on which server.
package session

import (
	"context"
	"io"
	"time"

	"github.com/setopsco/setops/internal/cli/config"
	"github.com/setopsco/setops/internal/cli/kit"
	"github.com/setopsco/setops/internal/cli/render"
	"github.com/setopsco/setops/pkg/api"
	"github.com/setopsco/setops/pkg/client"
	"github.com/spf13/cobra"
)

// Commands are the commands about the session.
func Commands(k *kit.Kit) []*cobra.Command {
	return []*cobra.Command{newLogin(k, runLogin), newInfo(k, runInfo), newLogout(k, runLogout)}
}

type loginOptions struct {
	kit         *kit.Kit
	url         string
	serviceUser bool
	noSetup     bool
}

func newLogin(k *kit.Kit, run func(context.Context, *loginOptions) error) *cobra.Command {
	opts := &loginOptions{kit: k}
	cmd := &cobra.Command{
		Use:   "login",
		Short: "Sign in to a server",
		Long: "Sign in to a server and store the session in ~/.setops.yml, readable by you only. The session is sent to no other\n" +
			"server than the one that issued it.\n\n" +
			"On a terminal it asks for organization, e-mail address and password. With --service-user it reads three lines from\n" +
			"standard input instead: organization, user name, password; such a session lives 4 hours.\n\n" +
			"Docker is set up to ask setops for the credentials of the server's image registry: by an entry in its configuration and\n" +
			"the program docker-credential-setops in ~/bin. With --no-setup it is left alone.",
		Example: "  setops login --url https://setops.example.com\n" +
			"  printf '%s\\n' demo deploy \"$PASSWORD\" | setops login --service-user",
		Args: kit.AtMostArgs(0),
		RunE: func(cmd *cobra.Command, _ []string) error { return run(cmd.Context(), opts) },
	}
	flags := cmd.Flags()
	flags.StringVar(&opts.url, "url", "", "`ADDRESS` of the server (default SETOPS_URL, the last one, or "+config.DefaultURL+")")
	flags.BoolVar(&opts.serviceUser, "service-user", false, "read organization, user name and password from standard input")
	flags.BoolVar(&opts.noSetup, "no-setup", false, "leave Docker's configuration alone")
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
	credentials, err := opts.credentials(ctx, stored)
	if err != nil {
		return err
	}
	session, err := c.SignIn(ctx, credentials)
	if err != nil {
		return err
	}
	if err := store(stored.StoredPath, c.Address(), session); err != nil {
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

func store(path, address string, s api.Session) error {
	return config.Store(path,
		config.Pair{Key: "url", Value: address},
		config.Pair{Key: "organization", Value: s.Organization},
		config.Pair{Key: "email", Value: s.Email},
		config.Pair{Key: "token", Value: s.Token},
		config.Pair{Key: "issuer", Value: client.Origin(address)},
		config.Pair{Key: "expires_at", Value: s.ExpiresAt.UTC().Format(time.RFC3339)},
	)
}

// show prints a session; its token is nobody's business.
func show(k *kit.Kit, address string, s api.Session) error {
	s.Token = ""
	return k.Show(s, func(w io.Writer) error {
		return new(render.Block).
			Add("Organization", s.Organization).
			Add("Email", s.Email).
			Add("Server", address).
			Add("Expires At", render.Time(s.ExpiresAt)).
			Write(w)
	})
}
