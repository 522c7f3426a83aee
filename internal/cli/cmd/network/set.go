package network

import (
	"context"
	"fmt"
	"strconv"

	"github.com/setopsco/setops/internal/cli/kit"
	"github.com/setopsco/setops/internal/cli/render"
	"github.com/setopsco/setops/pkg/api"
	"github.com/spf13/cobra"
)

// setOptions hold what to stage; the app's name is filled in when it is.
type setOptions struct {
	kit     *kit.Kit
	network api.NetworkSet
}

type setRun func(context.Context, *setOptions) error

func newSet(k *kit.Kit, run setRun) *cobra.Command {
	group := &cobra.Command{
		Use:   "network:set SETTING",
		Short: "Set how an app is reached",
		Long:  "Set how an app is reached and checked from outside. It is staged until `setops changeset:commit`.",
		Example: "  setops -p shop -s production --app web network:set public true\n" +
			"  setops -p shop -s production --app web network:set port 3000\n" +
			"  setops -p shop -s production --app web network:set health-check-path /up\n" +
			"  setops -p shop -s production --app web network:set health-check-status 200,204",
	}
	return kit.NewGroup(group,
		newSetting(k, run, "protocol http|tcp", "Set the protocol, until the app's first commit", setProtocol, "http", "tcp"),
		newSetting(k, run, "public true|false", "Set whether the app is reached from outside its stage", setPublic, "true", "false"),
		newSetting(k, run, "port PORT", "Set the port that the app listens on, also its PORT", setPort),
		newSetting(k, run, "health-check-path PATH", "Set the path that the health check asks for", setPath),
		newSetting(k, run, "health-check-status CODES", "Set the healthy status codes, such as 200-299,301", setStatus),
	)
}

func newSetting(k *kit.Kit, run setRun, use, short string, assign func(*api.NetworkSet, string) error, values ...string) *cobra.Command {
	return &cobra.Command{
		Use:               use,
		Short:             short,
		Args:              kit.ExactArgs("a value"),
		ValidArgsFunction: kit.CompleteValue(values...),
		RunE: func(cmd *cobra.Command, args []string) error {
			opts := &setOptions{kit: k}
			if err := assign(&opts.network, args[0]); err != nil {
				return err
			}
			return run(cmd.Context(), opts)
		},
	}
}

func setProtocol(n *api.NetworkSet, value string) error {
	n.Protocol = &value
	return nil
}

func setPublic(n *api.NetworkSet, value string) error {
	public, err := strconv.ParseBool(value)
	if err != nil {
		return &kit.Usage{Message: fmt.Sprintf("%q is neither true nor false.", value), Next: "Give public as true or false."}
	}
	n.Public = &public
	return nil
}

func setPort(n *api.NetworkSet, value string) error {
	port, err := kit.Number("port", value)
	n.Port = &port
	return err
}

func setPath(n *api.NetworkSet, value string) error {
	n.HealthCheckPath = &value
	return nil
}

func setStatus(n *api.NetworkSet, value string) error {
	n.HealthCheckStatus = &value
	return nil
}

func runSet(ctx context.Context, opts *setOptions) error {
	ref, err := opts.kit.App("")
	if err != nil {
		return err
	}
	opts.network.Name = ref.App
	return opts.kit.StageCommands(ctx, ref.StageRef, render.Effects, opts.network)
}
