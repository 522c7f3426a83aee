// Package version holds the command version. It reads no file and, without --server, asks nobody.
package version

import (
	"context"
	"fmt"
	"io"

	"github.com/setopsco/setops/internal/cli/kit"
	"github.com/setopsco/setops/pkg/api"
	"github.com/spf13/cobra"
)

// Commands are the commands of this noun.
func Commands(k *kit.Kit) []*cobra.Command {
	return []*cobra.Command{newVersion(k, runVersion)}
}

type options struct {
	kit    *kit.Kit
	server bool
}

func newVersion(k *kit.Kit, run func(context.Context, *options) error) *cobra.Command {
	opts := &options{kit: k}
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Show the version of this program",
		Long: "Show the version of this program, and with --server those of the server and its API. A program and a server of which\n" +
			"one is a minor version older than the other work together; where they are farther apart, each command warns.",
		Example: "  setops version\n  setops version --server\n  setops version -o json",
		Args:    kit.AtMostArgs(0),
		RunE:    func(cmd *cobra.Command, _ []string) error { return run(cmd.Context(), opts) },
	}
	cmd.Flags().BoolVar(&opts.server, "server", false, "ask the server for its version too")
	return cmd
}

func runVersion(ctx context.Context, opts *options) error {
	k := opts.kit
	versions := api.CLIVersion{Version: k.Version}
	if opts.server {
		server, err := ask(ctx, k)
		if err != nil {
			return err
		}
		versions.Server, versions.API = server.Version, server.API
	}
	return k.Show(versions, func(w io.Writer) error { return write(w, versions) })
}

// ask needs no session: a server that one cannot sign in to has a version too.
func ask(ctx context.Context, k *kit.Kit) (api.ServerVersion, error) {
	c, err := k.Config()
	if err != nil {
		return api.ServerVersion{}, err
	}
	server, err := k.ClientAt(c.URL, "")
	if err != nil {
		return api.ServerVersion{}, err
	}
	return server.ServerVersion(ctx)
}

// write keeps the distance that scripts cut the version at.
func write(w io.Writer, v api.CLIVersion) error {
	text := fmt.Sprintf("CLI Version:      %s\n", v.Version)
	if v.Server != "" {
		text += fmt.Sprintf("Server Version:   %s\nAPI Version:      %s\n", v.Server, v.API)
	}
	_, err := io.WriteString(w, text)
	return err
}
