package kit

import (
	"context"
	"time"

	"github.com/setopsco/setops/internal/cli/render"
	"github.com/setopsco/setops/pkg/client"
	"github.com/spf13/cobra"
)

// completionTime bounds what a press of the tab key may ask the server.
const completionTime = 2 * time.Second

// CompleteProjects proposes the names of projects for the first argument or a flag.
func (k *Kit) CompleteProjects(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	return k.propose(cmd, args, func(ctx context.Context) ([]string, error) {
		organization, err := k.Organization()
		if err != nil {
			return nil, err
		}
		c, err := k.Client()
		if err != nil {
			return nil, err
		}
		projects, err := c.Projects(ctx, organization)
		names := make([]string, 0, len(projects))
		for _, p := range projects {
			names = append(names, p.Name)
		}
		return names, err
	})
}

// CompleteStages proposes the names of the project's stages.
func (k *Kit) CompleteStages(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	return k.propose(cmd, args, func(ctx context.Context) ([]string, error) {
		ref, c, err := k.AtProject("")
		if err != nil {
			return nil, err
		}
		stages, err := c.Stages(ctx, ref)
		names := make([]string, 0, len(stages))
		for _, s := range stages {
			names = append(names, s.Name)
		}
		return names, err
	})
}

// CompleteApps proposes the names of the stage's apps.
func (k *Kit) CompleteApps(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	return k.propose(cmd, args, func(ctx context.Context) ([]string, error) {
		ref, c, err := k.AtStage("")
		if err != nil {
			return nil, err
		}
		apps, err := c.Apps(ctx, ref)
		names := make([]string, 0, len(apps))
		for _, a := range apps {
			names = append(names, a.Name)
		}
		return names, err
	})
}

// CompleteDomains proposes the custom domains of the app.
func (k *Kit) CompleteDomains(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	return k.propose(cmd, args, func(ctx context.Context) ([]string, error) {
		ref, c, err := k.AtApp("")
		if err != nil {
			return nil, err
		}
		domains, err := c.Domains(ctx, ref)
		names := make([]string, 0, len(domains))
		for _, d := range domains {
			if d.Kind == "custom" {
				names = append(names, d.Address)
			}
		}
		return names, err
	})
}

// CompleteCommits proposes the commits of the stage, each with its message.
func (k *Kit) CompleteCommits(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	return k.proposeCommits(cmd, args, func(string) bool { return true })
}

// CompleteLiveCommits proposes those that run or wait.
func (k *Kit) CompleteLiveCommits(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	return k.proposeCommits(cmd, args, client.Live)
}

// CompleteDoneCommits proposes those that are live, or were.
func (k *Kit) CompleteDoneCommits(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	return k.proposeCommits(cmd, args, func(state string) bool { return state == "done" })
}

func (k *Kit) proposeCommits(cmd *cobra.Command, args []string, wanted func(state string) bool) ([]string, cobra.ShellCompDirective) {
	return k.propose(cmd, args, func(ctx context.Context) ([]string, error) {
		ref, c, err := k.AtStage("")
		if err != nil {
			return nil, err
		}
		commits, err := c.Commits(ctx, ref, 0)
		ids := make([]string, 0, len(commits))
		for _, s := range commits {
			if wanted(s.State) {
				ids = append(ids, cobra.CompletionWithDesc(s.ID, render.OneLine(s.Message)))
			}
		}
		return ids, err
	})
}

// propose asks for names; a completion that cannot be had is none, never an error on the user's prompt.
func (k *Kit) propose(cmd *cobra.Command, args []string, ask func(context.Context) ([]string, error)) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	ctx, cancel := context.WithTimeout(cmd.Context(), completionTime)
	defer cancel()
	names, err := ask(ctx)
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}
