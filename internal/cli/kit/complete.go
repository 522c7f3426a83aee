package kit

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/setopsco/setops/internal/cli/render"
	"github.com/setopsco/setops/pkg/api"
	"github.com/setopsco/setops/pkg/client"
	"github.com/spf13/cobra"
)

// CompletionTime bounds what a press of the tab key may ask the server. Tests want what comes of it, however slow the machine.
var CompletionTime = time.Second

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
		return projectNames(ctx, c, organization)
	})
}

// CompleteStages proposes the names of the project's stages.
func (k *Kit) CompleteStages(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	return k.propose(cmd, args, func(ctx context.Context) ([]string, error) {
		ref, c, err := k.AtProject("")
		if err != nil {
			return nil, err
		}
		return stageNames(ctx, c, ref)
	})
}

// CompleteApps proposes the names of the stage's apps.
func (k *Kit) CompleteApps(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	return k.propose(cmd, args, func(ctx context.Context) ([]string, error) {
		ref, c, err := k.AtStage("")
		if err != nil {
			return nil, err
		}
		return appNames(ctx, c, ref)
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

// CompleteReleases proposes the releases of the app, each with its tag or digest.
func (k *Kit) CompleteReleases(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	return k.propose(cmd, args, func(ctx context.Context) ([]string, error) {
		ref, c, err := k.AtApp("")
		if err != nil {
			return nil, err
		}
		releases, err := c.Releases(ctx, ref)
		ids := make([]string, 0, len(releases))
		for _, r := range slices.Backward(releases) {
			what := first(r.Tag, r.Digest)
			if r.Active {
				what += ", active"
			}
			ids = append(ids, cobra.CompletionWithDesc(strconv.Itoa(r.ID), render.OneLine(what)))
		}
		return ids, err
	})
}

// CompleteSchedules proposes the schedules of the app, each with its times.
func (k *Kit) CompleteSchedules(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	return k.propose(cmd, args, func(ctx context.Context) ([]string, error) {
		ref, c, err := k.AtApp("")
		if err != nil {
			return nil, err
		}
		schedules, err := c.Schedules(ctx, ref)
		names := make([]string, 0, len(schedules))
		for _, s := range schedules {
			names = append(names, cobra.CompletionWithDesc(s.Name, render.OneLine(s.Cron)))
		}
		return names, err
	})
}

// CompleteTasks proposes the tasks of the app, each with its release and status.
func (k *Kit) CompleteTasks(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	return k.proposeTasks(cmd, args, func(api.Task) bool { return true })
}

// CompleteRunningTasks proposes those that have not ended.
func (k *Kit) CompleteRunningTasks(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	return k.proposeTasks(cmd, args, func(t api.Task) bool { return t.Status != "STOPPED" })
}

func (k *Kit) proposeTasks(cmd *cobra.Command, args []string, wanted func(api.Task) bool) ([]string, cobra.ShellCompDirective) {
	return k.propose(cmd, args, func(ctx context.Context) ([]string, error) {
		ref, c, err := k.AtApp("")
		if err != nil {
			return nil, err
		}
		tasks, err := c.Tasks(ctx, ref)
		ids := make([]string, 0, len(tasks))
		for _, t := range tasks {
			if wanted(t) {
				ids = append(ids, cobra.CompletionWithDesc(t.ID, fmt.Sprintf("release %d, %s", t.Release, t.Status)))
			}
		}
		return ids, err
	})
}

// CompleteEnv proposes the variables of the app that are not among the arguments yet.
func (k *Kit) CompleteEnv(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	return k.propose(cmd, nil, func(ctx context.Context) ([]string, error) {
		ref, c, err := k.AtApp("")
		if err != nil {
			return nil, err
		}
		app, err := c.App(ctx, ref)
		var keys []string
		for _, v := range app.Env {
			if !slices.Contains(args, v.Key) {
				keys = append(keys, v.Key)
			}
		}
		return keys, err
	})
}

// CompleteFlag lets names complete the value of a flag, whatever arguments the command has.
func CompleteFlag(cmd *cobra.Command, flag string, names cobra.CompletionFunc) {
	_ = cmd.RegisterFlagCompletionFunc(flag, func(cmd *cobra.Command, _ []string, begun string) ([]string, cobra.ShellCompDirective) {
		return names(cmd, nil, begun)
	}) // fails only for a flag that is not there
}

// CompleteValue proposes the values that the one argument of a command can have.
func CompleteValue(values ...string) cobra.CompletionFunc {
	return func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return values, cobra.ShellCompDirectiveNoFileComp
	}
}

// CompleteImages proposes the apps of the stage that the words of APP=TAG, with commas between them, do not name yet.
func (k *Kit) CompleteImages(cmd *cobra.Command, _ []string, begun string) ([]string, cobra.ShellCompDirective) {
	named := begun[:strings.LastIndex(begun, ",")+1]
	apps, directive := k.CompleteApps(cmd, nil, begun)
	var images []string
	for _, app := range apps {
		if !strings.Contains(","+named, ","+app+"=") {
			images = append(images, named+app+"=")
		}
	}
	return images, directive | cobra.ShellCompDirectiveNoSpace
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

// propose asks for names, once and not for long; a completion that cannot be had is none, never an error on the user's prompt.
func (k *Kit) propose(cmd *cobra.Command, args []string, ask func(context.Context) ([]string, error)) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	k.Flags.Debug, k.Flags.Quiet, k.hurried = false, true, true
	ctx, cancel := context.WithTimeout(cmd.Context(), CompletionTime)
	defer cancel()
	names, err := ask(ctx)
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

// CompleteUsers proposes who has a role at the place in scope.
func (k *Kit) CompleteUsers(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	return k.propose(cmd, args, func(ctx context.Context) ([]string, error) {
		at, c, err := k.AtPlace()
		if err != nil {
			return nil, err
		}
		users, err := c.Users(ctx, at)
		names := make([]string, 0, len(users))
		for _, u := range users {
			names = append(names, u.Email)
		}
		return names, err
	})
}

// CompleteServiceUsers proposes the service users of the organization.
func (k *Kit) CompleteServiceUsers(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	return k.propose(cmd, args, func(ctx context.Context) ([]string, error) {
		organization, c, err := k.AtOrganization()
		if err != nil {
			return nil, err
		}
		users, err := c.ServiceUsers(ctx, organization)
		names := make([]string, 0, len(users))
		for _, u := range users {
			names = append(names, u.Name)
		}
		return names, err
	})
}

// CompleteOrganizations proposes the organizations that the user belongs to.
func (k *Kit) CompleteOrganizations(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	return k.propose(cmd, args, func(ctx context.Context) ([]string, error) {
		c, err := k.Client()
		if err != nil {
			return nil, err
		}
		all, err := c.Organizations(ctx)
		names := make([]string, 0, len(all))
		for _, o := range all {
			names = append(names, o.Name)
		}
		return names, err
	})
}
