// Package registry holds registry:login: how other programs sign in to the image registry of the server.
package registry

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/setopsco/setops/internal/cli/kit"
	"github.com/setopsco/setops/pkg/api"
	"github.com/spf13/cobra"
)

// Commands are the commands of this noun.
func Commands(k *kit.Kit) []*cobra.Command {
	return []*cobra.Command{newLogin(k, runLogin)}
}

type loginOptions struct{ kit *kit.Kit }

func newLogin(k *kit.Kit, run func(context.Context, *loginOptions) error) *cobra.Command {
	opts := &loginOptions{kit: k}
	return &cobra.Command{
		Use:   "registry:login",
		Short: "Print a `docker login` line for the image registry",
		Long: "Print the line that signs Docker in to the image registry of the server, with the token of your session. Whoever has\n" +
			"the line can do there what you can, until the session ends; keep it as you keep a password.\n\n" +
			"On your own machine it is not needed: `setops login` sets Docker up to ask setops.",
		Example: "  eval \"$(setops registry:login -o plain)\"\n" +
			"  setops registry:login -o plain | ssh build.example.com sh",
		Args: kit.AtMostArgs(0),
		RunE: func(cmd *cobra.Command, _ []string) error { return run(cmd.Context(), opts) },
	}
}

func runLogin(ctx context.Context, opts *loginOptions) error {
	r, err := opts.kit.Registry(ctx)
	if err != nil {
		return err
	}
	line := fmt.Sprintf("docker login --username %s --password %s %s", quoted(r.User), quoted(r.Token), quoted(r.Host))
	return opts.kit.Show(api.RegistryLogin{Server: r.Host, Username: r.User, Password: r.Token, Command: line}, func(w io.Writer) error {
		_, err := fmt.Fprintln(w, line)
		return err
	})
}

// quoted gives a word as a shell takes it.
func quoted(word string) string {
	if strings.Trim(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789@%+=:,./_-") == "" && word != "" {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
