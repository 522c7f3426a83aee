package changeset

import (
	"context"
	"fmt"
	"strings"

	"github.com/setopsco/setops/internal/cli/kit"
	"github.com/setopsco/setops/internal/cli/render"
	"github.com/setopsco/setops/pkg/api"
	"github.com/setopsco/setops/pkg/client"
)

// The states of a commit that has ended well, and of one that somebody stopped.
const (
	StateDone      = "done"
	stateCancelled = "cancelled"
)

// ShowEnd says how a commit ended; what did not end well is an error. Where JSON is asked for, it prints what value makes of the
// commit.
func ShowEnd(ctx context.Context, k *kit.Kit, c *client.Client, ref client.StageRef, id string, last api.Progress,
	value func(api.Commit) any,
) error {
	if k.Flags.Output == kit.JSON || last.State == stateCancelled { // the progress does not say by whom
		ended, err := Ended(ctx, c, ref, id, last)
		if err != nil {
			return err
		}
		return showEnded(k, ended, value)
	}
	if last.State == StateDone {
		_, err := fmt.Fprintln(k.Out, "Commit successful!")
		return err
	}
	return failed(ref, last.Failure)
}

// Ended gives a commit as it ended. The last of its progress has it; a server that is older does not send it.
func Ended(ctx context.Context, c *client.Client, ref client.StageRef, id string, last api.Progress) (api.Commit, error) {
	if last.Commit != nil {
		return *last.Commit, nil
	}
	return c.Commit(ctx, ref, id)
}

// itself is the commit as JSON.
func itself(c api.Commit) any { return c }

// showEnded prints the commit as JSON on standard output where that is asked for, and says why it did not end well.
func showEnded(k *kit.Kit, commit api.Commit, value func(api.Commit) any) error {
	if k.Flags.Output == kit.JSON {
		if err := render.JSON(k.Out, value(commit)); err != nil {
			return err
		}
	}
	switch {
	case commit.State == StateDone:
		return nil
	case commit.State == stateCancelled:
		return cancelled(commit)
	}
	return &kit.Failure{Message: "The commit failed: " + render.FailureCause(reason(commit.Failure))}
}

func cancelled(c api.Commit) error {
	return &kit.Failure{Message: fmt.Sprintf("The commit was %s; nothing of it is live, and %s.", cancelledBy(c), fate(c))}
}

// fate is what became of the changeset of a commit that did not succeed.
func fate(c api.Commit) string {
	if c.Definition || c.Deploy {
		return "nothing stays staged"
	}
	return "the changeset is kept"
}

func cancelledBy(c api.Commit) string {
	if c.Cancelled == "" {
		return "cancelled"
	}
	return "cancelled by " + c.Cancelled
}

// failed tells why a commit failed, what that means, and what to type next.
func failed(ref client.StageRef, why *api.Failure) error {
	f := reason(why)
	if Stale(why) && !f.Dropped {
		return stale(ref)
	}
	var b strings.Builder
	if err := render.Failure(&b, f); err != nil {
		return err
	}
	return &kit.Failure{Message: strings.TrimSuffix(b.String(), "\n")}
}

// Stale says whether a commit failed because the stage has changed since what it does was planned.
func Stale(f *api.Failure) bool { return f != nil && strings.TrimPrefix(f.Code, "Code") == planStale }

func reason(f *api.Failure) api.Failure {
	if f == nil {
		return api.Failure{Message: "the server gave no reason"}
	}
	return *f
}

// stale says that the plan is of a stage that is no more.
func stale(ref client.StageRef) error {
	return &kit.Failure{
		Message: "The stage has changed since the plan; nothing was committed, and the changeset is kept.",
		Next:    line(ref, "changeset:plan") + " shows what a commit would do now.",
	}
}
