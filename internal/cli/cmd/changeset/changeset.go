// Package changeset holds the commands of the noun changeset: look at what is staged, make it live, or drop it; and the
// history of a stage: what was committed, by whom, and how to take it back.
//
// Start with commit.go: it starts the commit in the server and watches it (watch.go); end.go says how each end of that reads.
package changeset

import (
	"fmt"

	"github.com/setopsco/setops/internal/cli/kit"
	"github.com/setopsco/setops/pkg/client"
	"github.com/spf13/cobra"
)

// Commands are the commands of this noun: of what is staged, of a commit that goes on, of the history.
func Commands(k *kit.Kit) []*cobra.Command {
	return []*cobra.Command{
		newInfo(k, runInfo), newDiff(k, runDiff), newPlan(k, runPlan), newCommit(k, runCommit), newRemove(k, runRemove),
		newDiscard(k, runDiscard),
		newAttach(k, runAttach), newWait(k, runWait), newCancel(k, runCancel),
		newLog(k, runLog), newShow(k, runShow), newRevert(k, runRevert),
	}
}

// Codes of the API.
const (
	noChangeset      = "ChangesetDoesNotExist" // the user has staged nothing
	changesetInvalid = "ChangesetInvalid"      // what is staged does not apply, as others have committed meanwhile
	alreadyRunning   = "CommitAlreadyRunning"  // another commit is before this one
	alreadyCommitted = "AlreadyCommitted"      // past its commit point
	planStale        = "PlanStale"             // the stage is not as it was when the plan was made
)

// nothingStaged is the error, with an exit code of its own, or only a note where the user said that it is fine.
func nothingStaged(k *kit.Kit, ref client.StageRef, ignore bool) error {
	message := nothingIsStaged(ref)
	if ignore {
		k.Note("%s", message)
		return nil
	}
	return &kit.Failure{
		Message: message,
		Next:    "Stage a command first, or add --ignore-not-exist where that is fine.",
		Code:    kit.ExitNoChangeset,
	}
}

func nothingIsStaged(ref client.StageRef) string {
	return fmt.Sprintf("Nothing is staged on stage %s of project %s.", ref.Stage, ref.Project)
}

// orNothingStaged makes of a missing changeset, and of one that does not apply, what commands say that only look at it.
func orNothingStaged(err error, ref client.StageRef) error {
	switch {
	case kit.HasCode(err, noChangeset):
		return &kit.Failure{Message: nothingIsStaged(ref), Err: err}
	case kit.HasCode(err, changesetInvalid):
		return &kit.Failure{
			Message: kit.Sentence(err.Error()),
			Next: line(ref, "changeset:info -o wide") + " numbers what is staged, " + line(ref, "changeset:remove NUMBER") +
				" drops one command of it, " + line(ref, "changeset:discard") + " drops all.",
			Err: err,
		}
	}
	return err
}

func ignoreFlag(cmd *cobra.Command, ignore *bool) {
	cmd.Flags().BoolVar(ignore, "ignore-not-exist", false, "succeed where nothing is staged")
}

// line writes a command about a stage, for people to type next.
func line(ref client.StageRef, command string) string {
	return fmt.Sprintf("`setops -p %s -s %s %s`", ref.Project, ref.Stage, command)
}
