// Package root puts the commands together: the tree, the flags that all of them have, the grammar that finds a command in
// the arguments, and help. It knows every command package and runs nothing itself.
//
// Start with New; grammar.go says which command lines mean the same.
package root

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/setopsco/setops/internal/cli/cmd/app"
	"github.com/setopsco/setops/internal/cli/cmd/audit"
	"github.com/setopsco/setops/internal/cli/cmd/changeset"
	"github.com/setopsco/setops/internal/cli/cmd/completion"
	"github.com/setopsco/setops/internal/cli/cmd/container"
	"github.com/setopsco/setops/internal/cli/cmd/docker"
	"github.com/setopsco/setops/internal/cli/cmd/docs"
	"github.com/setopsco/setops/internal/cli/cmd/domain"
	"github.com/setopsco/setops/internal/cli/cmd/env"
	"github.com/setopsco/setops/internal/cli/cmd/log"
	"github.com/setopsco/setops/internal/cli/cmd/network"
	"github.com/setopsco/setops/internal/cli/cmd/option"
	"github.com/setopsco/setops/internal/cli/cmd/organization"
	"github.com/setopsco/setops/internal/cli/cmd/project"
	"github.com/setopsco/setops/internal/cli/cmd/registry"
	"github.com/setopsco/setops/internal/cli/cmd/release"
	"github.com/setopsco/setops/internal/cli/cmd/resource"
	"github.com/setopsco/setops/internal/cli/cmd/schedule"
	"github.com/setopsco/setops/internal/cli/cmd/serviceuser"
	"github.com/setopsco/setops/internal/cli/cmd/session"
	"github.com/setopsco/setops/internal/cli/cmd/stage"
	"github.com/setopsco/setops/internal/cli/cmd/task"
	"github.com/setopsco/setops/internal/cli/cmd/token"
	"github.com/setopsco/setops/internal/cli/cmd/user"
	versioncmd "github.com/setopsco/setops/internal/cli/cmd/version"
	"github.com/setopsco/setops/internal/cli/kit"
	"github.com/spf13/cobra"
)

// version is set by the linker in releases.
var version = "0.0.0-dev"

// Version is the version of this program.
func Version() string { return version }

// programGroup is the heading of commands that are about this program.
const programGroup = "This program"

// groups are the headings of help, with the commands below them.
func groups(k *kit.Kit) []struct {
	title    string
	commands [][]*cobra.Command
} {
	return []struct {
		title    string
		commands [][]*cobra.Command
	}{
		{"Session", [][]*cobra.Command{session.Commands(k), token.Commands(k), registry.Commands(k)}},
		{"Projects and stages", [][]*cobra.Command{project.Commands(k), stage.Commands(k)}},
		{"Users and organizations", [][]*cobra.Command{user.Commands(k), serviceuser.Commands(k), organization.Commands(k), audit.Commands(k)}},
		{"Apps", [][]*cobra.Command{
			app.Commands(k), container.Commands(k), network.Commands(k), resource.Commands(k), env.Commands(k),
			domain.Commands(k), option.Commands(k),
		}},
		{"Releases and changesets", [][]*cobra.Command{release.Commands(k), changeset.Commands(k)}},
		{"Tasks and logs", [][]*cobra.Command{task.Commands(k), schedule.Commands(k), log.Commands(k)}},
		{programGroup, [][]*cobra.Command{versioncmd.Commands(k), docs.Commands(k), completion.Commands(k), docker.Commands(k)}},
	}
}

// New makes the tree of commands.
func New(k *kit.Kit) *cobra.Command {
	root := &cobra.Command{
		Use:   "setops",
		Short: "Deploy apps with SetOps",
		Long: "Deploy apps with SetOps: push an image, stage changes, commit them.\n\n" +
			"A noun alone lists or shows, `noun:verb` acts. Commands about apps are staged: they wait in your changeset until\n" +
			"`setops changeset:commit` makes them live together.",
		Example: "  setops login\n" +
			"  setops -p shop -s production app:create web\n" +
			"  setops -p shop -s production changeset:commit",
		SilenceErrors:              true,
		SilenceUsage:               true,
		Args:                       cobra.ArbitraryArgs,
		SuggestionsMinimumDistance: 2,
		CompletionOptions:          cobra.CompletionOptions{DisableDefaultCmd: true},
	}
	root.RunE = func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return cmd.Help()
		}
		return unknownCommand(cmd, args...)
	}
	for _, g := range groups(k) {
		root.AddGroup(&cobra.Group{ID: g.title, Title: g.title})
		for _, noun := range g.commands {
			for _, cmd := range noun {
				cmd.GroupID = g.title
				root.AddCommand(cmd)
			}
		}
	}
	root.SetIn(k.In)
	root.SetOut(k.Out)
	root.SetErr(k.Err)
	addFlags(root, k)
	addHelp(root)
	completeVerbs(root, k)
	return root
}

// Execute runs the command that args name.
func Execute(ctx context.Context, root *cobra.Command, args []string) error {
	root.SetArgs(arrange(root, args))
	return root.ExecuteContext(ctx)
}

// Find gives the command that args name, and what of them is for it: its arguments and all flags.
func Find(root *cobra.Command, args []string) (*cobra.Command, []string, error) {
	return root.Find(arrange(root, args))
}

// unknownCommand asks about a noun and a verb with a blank between them too.
func unknownCommand(root *cobra.Command, words ...string) error {
	name, next := words[0], ""
	if len(words) > 1 {
		next = kit.DidYouMean(root, name+":"+words[1])
	}
	if next == "" {
		next = kit.DidYouMean(root, name, words[1:]...)
	}
	if next == "" {
		next = "Type `setops help` for the list of commands."
	}
	if strings.Contains(name, "=") {
		name = kit.Quotable(name)
	}
	return &kit.Usage{Message: fmt.Sprintf("There is no command %q.", name), Next: next}
}

// isUsage says whether err is about the command line already.
func isUsage(err error) bool {
	var u *kit.Usage
	return errors.As(err, &u)
}
