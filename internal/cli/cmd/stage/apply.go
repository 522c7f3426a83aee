package stage

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/setopsco/setops/internal/cli/cmd/changeset"
	"github.com/setopsco/setops/internal/cli/kit"
	"github.com/setopsco/setops/internal/cli/render"
	"github.com/setopsco/setops/pkg/api"
	"github.com/setopsco/setops/pkg/client"
	"github.com/spf13/cobra"
)

type applyOptions struct {
	kit         *kit.Kit
	file        string
	images      []string // APP=TAG
	autoApprove bool
	force       bool
}

func newApply(k *kit.Kit, run func(context.Context, *applyOptions) error) *cobra.Command {
	opts := &applyOptions{kit: k}
	cmd := &cobra.Command{
		Use:   "stage:apply",
		Short: "Make a stage what a definition says",
		Long: "Make a stage what a definition says, as `setops stage:dump` prints one. What differs is shown as `setops changeset:diff` shows\n" +
			"it; after a yes it is staged and committed as one. What the file leaves out gets its default, and an app that is not in it is\n" +
			"destroyed; but an app without image_tag keeps what it runs. With -t alone only images change.\n\n" +
			"--auto-approve takes the place of the yes, and is needed where nobody can be asked. It does not confirm that all apps of the\n" +
			"stage are destroyed by a file without apps; --force does. Your changeset must be empty, and is so afterwards: where the answer\n" +
			"is no, or the commit fails, nothing stays staged. With nothing to change the exit code is 0.\n\n" +
			"{{ .Secrets.NAME }} as the value of a variable is that of SETOPS_SECRET_NAME in the environment of setops; where that is not\n" +
			"set, the variable keeps the secret value that it has. Either way it is shown to nobody, as with `setops env:set --secret`.",
		Example: "  setops -p shop -s production stage:apply -f production.yml\n" +
			"  setops -p shop -s production stage:apply -f production.yml -t web=v1.2.0,worker=v1.2.0 --auto-approve\n" +
			"  setops -p shop -s production stage:apply -t web=v1.2.0 --auto-approve",
		Args: kit.AtMostArgs(0),
		RunE: func(cmd *cobra.Command, _ []string) error { return run(cmd.Context(), opts) },
	}
	flags := cmd.Flags()
	flags.StringVarP(&opts.file, "file", "f", "", "`FILE` with the definition, - for the standard input")
	flags.StringSliceVarP(&opts.images, "image-tag", "t", nil, "`APP=TAG` of the image to run, or its digest; several with commas")
	flags.BoolVar(&opts.autoApprove, "auto-approve", false, "do not ask")
	flags.BoolVar(&opts.force, "force", false, "confirm that all apps of the stage are to be destroyed")
	kit.CompleteFlag(cmd, "image-tag", k.CompleteImages)
	return cmd
}

// triesMax is how often a definition is applied while others commit on the stage.
const triesMax = 5

func runApply(ctx context.Context, opts *applyOptions) error {
	request, err := opts.request()
	if err != nil {
		return err
	}
	ref, c, err := opts.kit.AtStage("")
	if err != nil {
		return err
	}
	a := application{kit: opts.kit, client: c, ref: ref, request: request, message: opts.message()}
	switch {
	case opts.autoApprove:
		return a.approved(ctx)
	case opts.kit.Interactive() && opts.kit.Flags.Output != kit.JSON:
		return a.asked(ctx)
	}
	return a.looked(ctx)
}

// message is what the history says of the commit.
func (o *applyOptions) message() string {
	words := []string{"stage:apply"}
	if o.file != "" {
		words = append(words, "-f", o.file)
	}
	if len(o.images) > 0 {
		words = append(words, "-t", strings.Join(o.images, ","))
	}
	message := []rune(strings.Join(words, " "))
	return string(message[:min(len(message), 1000)])
}

// application is a definition on its way to a stage.
type application struct {
	kit     *kit.Kit
	client  *client.Client
	ref     client.StageRef
	request api.ApplyDefinition
	message string
}

// looked shows what would change, to somebody who cannot be asked.
func (a application) looked(ctx context.Context) error {
	a.request.Preview = true
	applied, err := a.client.ApplyDefinition(ctx, a.ref, a.request)
	if err != nil {
		return err
	}
	if len(applied.Commands) == 0 {
		return a.unchanged(applied)
	}
	if err := a.show(applied); err != nil {
		return err
	}
	if a.kit.Flags.Output == kit.JSON {
		if err := render.JSON(a.kit.Out, applied); err != nil {
			return err
		}
	}
	return &kit.Failure{
		Message: "Nothing was applied: nobody can be asked here, as the standard input or the standard error is no terminal or the output is JSON.",
		Next:    "Add --auto-approve to apply without being asked.",
	}
}

// stage stages what differs and shows it. ended says that there is nothing to commit: nothing differs, or it went wrong.
func (a application) stage(ctx context.Context) (applied api.AppliedDefinition, ended bool, err error) {
	applied, err = a.client.ApplyDefinition(ctx, a.ref, a.request)
	if err != nil {
		return applied, true, err
	}
	if len(applied.Commands) == 0 {
		return applied, true, a.unchanged(applied)
	}
	if err := a.show(applied); err != nil {
		return applied, true, errors.Join(err, a.takeBack(ctx, applied))
	}
	return applied, false, nil
}

// asked stages, asks, and commits or takes it back.
func (a application) asked(ctx context.Context) error {
	applied, ended, err := a.stage(ctx)
	if ended {
		return err
	}
	answer, err := a.kit.Prompt.Ask(ctx, "Make this live? Only yes is taken for a yes", "")
	if err == nil && strings.EqualFold(answer, "yes") {
		_, err = a.commit(ctx, applied, 1)
		return err
	}
	if back := a.takeBack(ctx, applied); back != nil {
		return back
	}
	if ctx.Err() != nil {
		return &kit.Failure{Message: "Interrupted; nothing was applied, and nothing stays staged.", Code: kit.ExitInterrupted, Plain: true}
	}
	return &kit.Failure{Message: "Nothing was applied, and nothing stays staged.", Plain: true, Err: err}
}

// approved stages and commits in one request, again where another commit came first.
func (a application) approved(ctx context.Context) error {
	for left := triesMax; ; left-- {
		applied, err := a.client.CommitDefinition(ctx, a.ref, a.request, a.message)
		switch {
		case err != nil:
			return a.unknown(err)
		case len(applied.Commands) == 0:
			return a.unchanged(applied)
		}
		if err := a.show(applied); err != nil {
			return err
		}
		again, err := a.commit(ctx, applied, left)
		if !again {
			return err
		}
		a.kit.Note("Another commit has changed the stage meanwhile; the definition is applied anew.")
	}
}

// unknown says what an interrupted request may have done all the same.
func (a application) unknown(err error) error {
	if !errors.Is(err, context.Canceled) {
		return err
	}
	return &kit.Failure{
		Message: "Interrupted while the definition was being applied.",
		Next:    fmt.Sprintf("`setops -p %s -s %s changeset:log` shows whether there is a commit of it.", a.ref.Project, a.ref.Stage),
		Code:    kit.ExitInterrupted, Plain: true,
	}
}

// commit makes what is staged live, unless the server does so already. again says that another commit was first, and that there
// are tries left.
func (a application) commit(ctx context.Context, applied api.AppliedDefinition, left int) (again bool, err error) {
	if applied.Commit == nil {
		commit, err := a.client.StartCommit(ctx, a.ref, api.StartCommit{Message: a.message})
		if err != nil {
			return false, errors.Join(err, a.takeBack(ctx, applied))
		}
		applied.Commit = &commit
	}
	id := applied.Commit.ID
	last, err := changeset.WatchNew(ctx, a.kit, a.client, a.ref, *applied.Commit)
	if err != nil {
		return false, err
	}
	if left > 1 && changeset.Stale(last.Failure) {
		return true, nil
	}
	return false, changeset.ShowEnd(ctx, a.kit, a.client, a.ref, id, last, func(c api.Commit) any {
		applied.Commit = &c
		return applied
	})
}

func (a application) unchanged(applied api.AppliedDefinition) error {
	return a.kit.Show(applied, func(w io.Writer) error {
		_, err := fmt.Fprintln(w, "Nothing to change: the stage is what the definition says.")
		return err
	})
}

// show prints the change; JSON has it in the one value at the end.
func (a application) show(applied api.AppliedDefinition) error {
	if a.kit.Flags.Output == kit.JSON {
		return nil
	}
	return a.kit.Show(applied, func(w io.Writer) error {
		if err := render.Diff(w, applied.Diff, a.kit.Paint()); err != nil {
			return err
		}
		_, err := fmt.Fprintln(w)
		return err
	})
}

// takeBackTime is how long an interrupted command goes on to leave nothing staged.
const takeBackTime = 10 * time.Second

// takeBack drops what was staged, unless somebody has staged more in the meantime.
func (a application) takeBack(ctx context.Context, applied api.AppliedDefinition) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), takeBackTime)
	defer cancel()
	staged, err := a.client.Changeset(ctx, a.ref)
	if kit.HasCode(err, "ChangesetDoesNotExist") {
		return nil
	}
	if err == nil && len(staged.Commands) == len(applied.Commands) {
		_, err = a.client.Discard(ctx, a.ref)
	}
	if err == nil && len(staged.Commands) == len(applied.Commands) {
		return nil
	}
	return &kit.Failure{
		Message: "Nothing was applied, and the commands are still staged.",
		Next:    fmt.Sprintf("`setops -p %s -s %s changeset:discard` drops them.", a.ref.Project, a.ref.Stage),
		Err:     err,
	}
}
