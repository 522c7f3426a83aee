package resource

import (
	"context"

	"github.com/setopsco/setops/internal/cli/kit"
	"github.com/setopsco/setops/internal/cli/render"
	"github.com/setopsco/setops/pkg/api"
	"github.com/spf13/cobra"
)

// setOptions hold what to stage; the app's name is filled in when it is.
type setOptions struct {
	kit      *kit.Kit
	resource api.ResourceSet
}

type setRun func(context.Context, *setOptions) error

func newSet(k *kit.Kit, run setRun) *cobra.Command {
	group := &cobra.Command{
		Use:   "resource:set SETTING",
		Short: "Set CPU, memory and number of an app's tasks",
		Long:  "Set what each task of an app gets, and how many tasks there are. It is staged until `setops changeset:commit`.",
		Example: "  setops -p shop -s production --app web resource:set scale 2\n" +
			"  setops -p shop -s production --app web resource:set memory 512\n" +
			"  setops -p shop -s production --app web resource:set resources --cpu 1024 --memory 2048",
	}
	return kit.NewGroup(group,
		newSetting(k, run, "cpu", "Set the CPU share, a multiple of 128; 1024 is one vCPU",
			func(r *api.ResourceSet, n int) { r.CPU = &n }),
		newSetting(k, run, "memory", "Set the memory limit in MB, a multiple of 128",
			func(r *api.ResourceSet, n int) { r.Memory = &n }),
		newSetting(k, run, "scale", "Set the number of tasks, 0 to 16",
			func(r *api.ResourceSet, n int) { r.Scale = &n }),
		newSetBoth(k, run),
	)
}

func newSetting(k *kit.Kit, run setRun, name, short string, assign func(*api.ResourceSet, int)) *cobra.Command {
	return &cobra.Command{
		Use:   name + " NUMBER",
		Short: short,
		Args:  kit.ExactArgs("a number"),
		RunE: func(cmd *cobra.Command, args []string) error {
			n, err := kit.Number(name, args[0])
			if err != nil {
				return err
			}
			opts := &setOptions{kit: k}
			assign(&opts.resource, n)
			return run(cmd.Context(), opts)
		},
	}
}

func newSetBoth(k *kit.Kit, run setRun) *cobra.Command {
	var cpu, memory int
	cmd := &cobra.Command{
		Use:   "resources [--cpu N] [--memory N]",
		Short: "Set CPU and memory together",
		Args:  kit.AtMostArgs(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			opts := &setOptions{kit: k}
			if cmd.Flags().Changed("cpu") {
				opts.resource.CPU = &cpu
			}
			if cmd.Flags().Changed("memory") {
				opts.resource.Memory = &memory
			}
			if opts.resource == (api.ResourceSet{}) {
				return &kit.Usage{Message: "There is nothing to set.", Next: "Give --cpu N, --memory N or both."}
			}
			return run(cmd.Context(), opts)
		},
	}
	cmd.Flags().IntVar(&cpu, "cpu", 0, "CPU share `N` of each task; 1024 is one vCPU")
	cmd.Flags().IntVar(&memory, "memory", 0, "memory limit `N` of each task in MB")
	return cmd
}

func runSet(ctx context.Context, opts *setOptions) error {
	ref, err := opts.kit.App("")
	if err != nil {
		return err
	}
	opts.resource.Name = ref.App
	return opts.kit.StageCommands(ctx, ref.StageRef, render.Effects, opts.resource)
}
