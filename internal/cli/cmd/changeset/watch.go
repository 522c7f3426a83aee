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

// watch shows the progress of a commit until it has ended, and returns why it failed, where it did.
func watch(ctx context.Context, k *kit.Kit, c *client.Client, ref client.StageRef, commit api.Commit) (*api.Failure, error) {
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
		return nil, interrupted("Interrupted; the commit goes on in the server.", look)
	case errors.As(err, &lost):
		return nil, &kit.Failure{
			Message: fmt.Sprintf("The connection to %s was lost and could not be made again; the commit goes on in the server.", lost.Address),
			Next:    fmt.Sprintf("`%s` shows how far it is.", look),
			Err:     err,
		}
	case err != nil:
		return nil, err
	case last.Failure == nil && last.State != "done":
		return &api.Failure{Message: "the server gave no reason"}, nil
	}
	return last.Failure, nil
}

func interrupted(message, look string) error {
	return &kit.Failure{Message: message, Next: fmt.Sprintf("`%s` shows what became of it.", look), Code: kit.ExitInterrupted, Plain: true}
}

// failed tells why a commit failed, what that means, and what to type next.
func failed(f api.Failure) error {
	var b strings.Builder
	if err := render.Failure(&b, f); err != nil {
		return err
	}
	return &kit.Failure{Message: strings.TrimSuffix(b.String(), "\n")}
}
