package session

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/url"
	"strings"

	"github.com/setopsco/setops/internal/cli/config"
	"github.com/setopsco/setops/internal/cli/kit"
	"github.com/setopsco/setops/pkg/api"
)

func (o *loginOptions) credentials(ctx context.Context, stored *config.Config) (api.Credentials, error) {
	if o.serviceUser {
		return readCredentials(o.kit.In)
	}
	if !o.kit.Interactive() {
		return api.Credentials{}, &kit.Usage{
			Message: "There is no terminal to ask for a password.",
			Next:    "Use `setops login --service-user` with three lines on standard input: organization, user name, password.",
		}
	}
	return ask(ctx, o.kit.Prompt, stored)
}

func ask(ctx context.Context, p kit.Prompter, stored *config.Config) (c api.Credentials, err error) {
	if c.Organization, err = p.Ask(ctx, "Organization", stored.Organization); err != nil {
		return c, err
	}
	if c.Email, err = p.Ask(ctx, "E-mail", stored.Email); err != nil {
		return c, err
	}
	c.Password, err = p.Secret(ctx, "Password")
	return c, err
}

// readCredentials reads the three lines of a service user. Blanks of a password are part of it.
func readCredentials(r io.Reader) (api.Credentials, error) {
	lines := bufio.NewScanner(r)
	var text []string
	for len(text) < 3 && lines.Scan() {
		text = append(text, strings.TrimSuffix(lines.Text(), "\r"))
	}
	if len(text) < 3 {
		return api.Credentials{}, &kit.Usage{
			Message: "Standard input has fewer than three lines.",
			Next:    "Give --service-user organization, user name and password, each on a line of its own.",
		}
	}
	return api.Credentials{
		Organization: strings.TrimSpace(text[0]), Email: strings.TrimSpace(text[1]), Password: text[2], ServiceUser: true,
	}, nil
}

// isExposed says whether a password would leave this machine in clear.
func isExposed(address string) bool {
	u, err := url.Parse(address)
	if err != nil || !strings.EqualFold(u.Scheme, "http") {
		return false
	}
	host := u.Hostname()
	ip := net.ParseIP(host)
	return host != "localhost" && !strings.HasSuffix(host, ".localhost") && (ip == nil || !ip.IsLoopback())
}
