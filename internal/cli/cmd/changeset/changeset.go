// Package changeset holds the commands of the noun changeset: look at what is staged, make it live, or drop it.
//
// Start with commit.go: it starts the commit in the server and watches it; watch.go says how each end of that reads.
package changeset

import (
	"fmt"

	"github.com/setopsco/setops/internal/cli/kit"
	"github.com/setopsco/setops/pkg/client"
	"github.com/spf13/cobra"
)

// Commands are the commands of this noun.
func Commands(k *kit.Kit) []*cobra.Command {
	return []*cobra.Command{newInfo(k, runInfo), newCommit(k, runCommit), newDiscard(k, runDiscard)}
}

// noChangeset is the code of the API for a user who has staged nothing.
const noChangeset = "ChangesetDoesNotExist"

// nothingStaged is the error, with an exit code of its own, or only a note where the user said that it is fine.
func nothingStaged(k *kit.Kit, ref client.StageRef, ignore bool) error {
	message := fmt.Sprintf("Nothing is staged on stage %s of project %s.", ref.Stage, ref.Project)
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

func ignoreFlag(cmd *cobra.Command, ignore *bool) {
	cmd.Flags().BoolVar(ignore, "ignore-not-exist", false, "succeed where nothing is staged")
}

// scope writes a stage as flags, for commands to type next.
func scope(ref client.StageRef) string { return fmt.Sprintf("-p %s -s %s", ref.Project, ref.Stage) }
