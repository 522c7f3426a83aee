// Package user holds the commands of the noun user: who has which role on a project or a stage. Each takes effect at once.
package user

import (
	"context"
	"io"

	"github.com/setopsco/setops/internal/cli/kit"
	"github.com/setopsco/setops/internal/cli/render"
	"github.com/spf13/cobra"
)

// Commands are the commands of this noun.
func Commands(k *kit.Kit) []*cobra.Command {
	return []*cobra.Command{newList(k, runList), newInvite(k, runInvite), newRemove(k, runRemove)}
}

type listOptions struct{ kit *kit.Kit }

func newList(k *kit.Kit, run func(context.Context, *listOptions) error) *cobra.Command {
	opts := &listOptions{kit: k}
	return &cobra.Command{
		Use:   "user",
		Short: "List who has a role on a stage or a project",
		Long: "List who has a role on the stage in scope or, without one, on the project. Who was invited and has not accepted yet is\n" +
			"listed too. Members and admins of a project see and change all its stages; they are not listed again at each.",
		Example: "  setops -p shop user\n  setops -p shop -s production user",
		Args:    kit.AtMostArgs(0),
		RunE:    func(cmd *cobra.Command, _ []string) error { return run(cmd.Context(), opts) },
	}
}

func runList(ctx context.Context, opts *listOptions) error {
	k := opts.kit
	at, c, err := k.AtPlace()
	if err != nil {
		return err
	}
	users, err := c.Users(ctx, at)
	if err != nil {
		return err
	}
	show := render.Users
	if k.Flags.Output == kit.Wide {
		show = render.WideUsers
	}
	if err := k.Show(map[string]any{"users": users}, func(w io.Writer) error { return show(w, users) }); err != nil {
		return err
	}
	for _, u := range users {
		if u.Invited && k.Flags.Output != kit.JSON {
			k.Note("%s has not accepted the invitation yet.", u.Email)
		}
	}
	return nil
}
