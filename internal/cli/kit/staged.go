package kit

import (
	"context"
	"io"

	"github.com/setopsco/setops/pkg/api"
	"github.com/setopsco/setops/pkg/client"
)

// StageCommands adds commands to the changeset and prints what they set.
func (k *Kit) StageCommands(ctx context.Context, ref client.StageRef, human func(io.Writer, []api.Effect) error, commands ...api.Arguments) error {
	c, err := k.Client()
	if err != nil {
		return err
	}
	staged, err := c.StageCommands(ctx, ref, commands...)
	if err != nil {
		return err
	}
	if err := k.Show(staged, func(w io.Writer) error { return human(w, staged.Effects) }); err != nil {
		return err
	}
	k.noteFormerPrimary(staged.Effects)
	k.Hint("Staged. Run `setops changeset:commit` to make it live.")
	return nil
}

// AppState asks for the last committed state of the app in scope.
func (k *Kit) AppState(ctx context.Context, argument string) (api.App, error) {
	ref, c, err := k.AtApp(argument)
	if err != nil {
		return api.App{}, err
	}
	return c.App(ctx, ref)
}

// noteFormerPrimary says what a command changes besides what it names.
func (k *Kit) noteFormerPrimary(effects []api.Effect) {
	for _, e := range effects {
		if e.FormerPrimary != "" && e.CustomDomain != nil && k.Flags.Output != JSON {
			k.Note("%s takes the place of %s, which is not the primary domain any more.", e.CustomDomain.Address, e.FormerPrimary)
		}
	}
}
