package changeset

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/setopsco/setops/internal/cli/kit"
	"github.com/setopsco/setops/internal/cli/render"
	"github.com/setopsco/setops/pkg/api"
	"github.com/setopsco/setops/pkg/client"
)

// watch shows the progress of a commit until it has ended, and returns nil where it ended well.
func watch(ctx context.Context, k *kit.Kit, c *client.Client, ref client.StageRef, commit api.Commit) error {
	progress := render.NewProgress(k.Err, k.Animated())
	last := api.Progress{State: commit.State, Phase: commit.Phase, Done: commit.Done, Total: commit.Total, Failure: commit.Failure}
	progress.Update(last)
	var err error
	if last.State == client.StateRunning {
		last, err = c.WatchCommit(ctx, ref, commit.ID, progress.Update)
	}
	progress.End()
	look := fmt.Sprintf("setops %s changeset:info %s", scope(ref), commit.ID)
	var lost *client.ConnectionError
	switch {
	case errors.Is(err, context.Canceled):
		return interrupted("Interrupted; the commit goes on in the server.", look)
	case errors.As(err, &lost):
		return &kit.Failure{
			Message: fmt.Sprintf("The connection to %s was lost and could not be made again; the commit goes on in the server.", lost.Address),
			Next:    fmt.Sprintf("`%s` shows how far it is.", look),
			Err:     err,
		}
	case err != nil:
		return err
	case last.Failure != nil:
		return failed(ref, *last.Failure)
	case last.State != "done":
		return failed(ref, api.Failure{Message: "the server gave no reason"})
	}
	return nil
}

func interrupted(message, look string) error {
	return &kit.Failure{Message: message, Next: fmt.Sprintf("`%s` shows what became of it.", look), Code: kit.ExitInterrupted, Plain: true}
}

// failed tells why a commit failed, what that means, and what to do.
func failed(ref client.StageRef, f api.Failure) error {
	var b strings.Builder
	b.WriteString("The commit failed")
	if f.Step != "" {
		fmt.Fprintf(&b, " at the step %q", f.Step)
	}
	if f.App != "" {
		fmt.Fprintf(&b, " of app %s", f.App)
	}
	fmt.Fprintf(&b, ": %s.\n", strings.TrimRight(f.Message, ". \n"))
	if len(f.Log) > 0 {
		b.WriteString("\nThe last lines of its task:\n")
		for _, line := range f.Log {
			fmt.Fprintf(&b, "   %s\n", line)
		}
		b.WriteString("\n")
	}
	b.WriteString("The old tasks serve on, and the changeset is kept.\n")
	return &kit.Failure{Message: b.String(), Next: whatNext(ref, f)}
}

func whatNext(ref client.StageRef, f api.Failure) string {
	mend := fmt.Sprintf("Mend it and run `setops %s changeset:commit` again, or drop it with `changeset:discard`.", scope(ref))
	if f.App == "" || f.TaskID == "" {
		return mend
	}
	return fmt.Sprintf("`setops %s --app %s log --task %s` shows all that the task wrote. %s", scope(ref), f.App, f.TaskID, mend)
}
