package user

import (
	"context"
	"fmt"
	"io"

	"github.com/setopsco/setops/internal/cli/kit"
	"github.com/setopsco/setops/internal/cli/render"
	"github.com/setopsco/setops/pkg/api"
	"github.com/spf13/cobra"
)

type inviteOptions struct {
	kit  *kit.Kit
	user api.NewUser
}

func newInvite(k *kit.Kit, run func(context.Context, *inviteOptions) error) *cobra.Command {
	opts := &inviteOptions{kit: k}
	cmd := &cobra.Command{
		Use:   "user:invite EMAIL",
		Short: "Give somebody a role on a stage or a project",
		Long: "Give somebody a role on the stage in scope or, without one, on the project. A user of your organization has it at once.\n" +
			"Anybody else gets an invitation that holds for 7 days: by e-mail, or by the link that is shown, for you to hand over (with\n" +
			"--quiet it is not; -o json has it). Inviting again makes a new link, and the old one is worthless. A service user is invited by its name.\n\n" +
			"A member may see a stage and change its apps; a member of the project, all its stages. An admin may also manage users and\n" +
			"destroy the stage or, of the project, create and destroy stages and the project. To change a role, remove and invite again.",
		Example: "  setops -p shop user:invite grace@example.com --role admin\n" +
			"  setops -p shop -s production user:invite grace@example.com\n" +
			"  setops -p shop -s staging user:invite deploy",
		Args: kit.ExactArgs("EMAIL"),
		RunE: func(cmd *cobra.Command, args []string) error {
			opts.user.Email = args[0]
			return run(cmd.Context(), opts)
		},
	}
	kit.RoleFlag(cmd, &opts.user.Role)
	return cmd
}

func runInvite(ctx context.Context, opts *inviteOptions) error {
	k := opts.kit
	at, c, err := k.AtPlace()
	if err != nil {
		return err
	}
	done, err := c.Invite(ctx, at, opts.user)
	if err != nil {
		return err
	}
	err = k.Show(done, func(w io.Writer) error {
		if err := render.Role(w, done.Email, done.Role); err != nil {
			return err
		}
		_, err := fmt.Fprintf(w, "\n✅ Invited user %s for %s.\n", done.Email, at)
		if err == nil && at.Ref.Stage == "" {
			_, err = fmt.Fprintf(w, "🔵 %s\n", seesAll(done, at.Ref.Project))
		}
		return err
	})
	if err == nil && done.Invited && k.Flags.Output != kit.JSON {
		err = sayHow(k, done)
	}
	return err
}

func seesAll(done api.Invited, project string) string {
	if done.Invited {
		return fmt.Sprintf("Once the invitation is accepted, %s can see all stages of project %s.", done.Email, project)
	}
	return fmt.Sprintf("%s can see all stages of project %s now.", done.Email, project)
}

// sayHow says how the invitation comes to whom it is for. The link is a result: a script hands it over.
func sayHow(k *kit.Kit, done api.Invited) error {
	if done.Mailed {
		k.Note("\nThe invitation was sent by e-mail. It can be accepted until %s.", render.OptionalTime(done.ExpiresAt))
		return nil
	}
	if done.MailError != "" {
		k.Note("\nThe invitation could not be sent by e-mail: %s", kit.Sentence(done.MailError))
	}
	k.Note("\nHand this link over to %s. It works once, until %s; whoever has it can accept:", done.Email,
		render.OptionalTime(done.ExpiresAt))
	_, err := fmt.Fprintf(k.Out, "\n   %s\n", done.Link)
	return err
}
