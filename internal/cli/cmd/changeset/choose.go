package changeset

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/setopsco/setops/internal/cli/kit"
	"github.com/setopsco/setops/pkg/api"
	"github.com/setopsco/setops/pkg/client"
)

// live lists the commits of a stage that run or wait, newest first.
func live(ctx context.Context, c *client.Client, ref client.StageRef) ([]api.CommitSummary, error) {
	commits, err := c.Commits(ctx, ref, client.MaxCommits)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(commits, func(s api.CommitSummary) bool { return !client.Live(s.State) }), nil
}

// ours gives what is live, and what of it is the user's.
func ours(ctx context.Context, c *client.Client, ref client.StageRef) (all, mine []api.CommitSummary, err error) {
	all, err = live(ctx, c, ref)
	return all, slices.DeleteFunc(slices.Clone(all), func(s api.CommitSummary) bool { return !s.Mine }), err
}

// toWatch chooses the commit to look at where none is named: the user's newest, else the one that runs.
func toWatch(ctx context.Context, c *client.Client, ref client.StageRef) (string, error) {
	all, mine, err := ours(ctx, c, ref)
	switch {
	case err != nil:
		return "", err
	case len(mine) > 0:
		return mine[0].ID, nil
	case len(all) > 0:
		return all[len(all)-1].ID, nil // the oldest one runs, or is the next to
	}
	return "", &kit.Failure{
		Message: fmt.Sprintf("No commit runs or waits on stage %s of project %s.", ref.Stage, ref.Project),
		Next:    line(ref, "changeset:log") + " lists those that have ended.",
	}
}

// toCancel chooses the commit to stop where none is named: the user's, if there is one only.
func toCancel(ctx context.Context, c *client.Client, ref client.StageRef) (string, error) {
	_, mine, err := ours(ctx, c, ref)
	switch {
	case err != nil:
		return "", err
	case len(mine) == 1:
		return mine[0].ID, nil
	case len(mine) > 1:
		ids := make([]string, 0, len(mine))
		for _, s := range mine {
			ids = append(ids, s.ID)
		}
		return "", &kit.Usage{
			Message: fmt.Sprintf("%d commits of yours run or wait: %s.", len(mine), strings.Join(ids, ", ")),
			Next:    "Say which one: " + line(ref, "changeset:cancel COMMIT") + ".",
		}
	}
	return "", &kit.Failure{
		Message: fmt.Sprintf("No commit of yours runs or waits on stage %s of project %s.", ref.Stage, ref.Project),
		Next:    line(ref, "changeset:log") + " lists them all.",
	}
}
