package release

import (
	"context"
	"fmt"
	"io"

	"github.com/setopsco/setops/internal/cli/kit"
	"github.com/setopsco/setops/internal/cli/render"
	"github.com/setopsco/setops/pkg/api"
	"github.com/setopsco/setops/pkg/client"
	"github.com/spf13/cobra"
)

type deployOptions struct {
	kit     *kit.Kit
	image   string   // what to deploy; with a build its directory
	before  []string // argv of the task before the activation; empty: none
	message string
	force   bool
	build   buildOptions
}

// buildOptions say how an image is built of a directory.
type buildOptions struct {
	docker, pack             bool
	dockerArgs               []string
	dockerFile               string
	packBuilder, packEnvFile string
	packBuildpacks, packEnv  []string
}

func newDeploy(k *kit.Kit, run func(context.Context, *deployOptions) error) *cobra.Command {
	opts := &deployOptions{kit: k}
	cmd := &cobra.Command{
		Use:   "release:deploy IMAGE [-- ARGV]",
		Short: "Push an image and make it live, in one go",
		Long: "Push an image, make a release of it and activate that: all that `setops release:create`, `setops release:activate` and\n" +
			"`setops changeset:commit` would do, in one commit. New tasks get the traffic once they pass their checks. What follows `--` is\n" +
			"run on the new release first, in a task of its own whose log is shown; its exit code decides.\n\n" +
			"IMAGE is one of these; only images of Docker need Docker:\n\n" +
			"   image.tar              an archive of docker save, or of an OCI layout\n" +
			"   build/oci              a directory with an OCI layout; PATH:NAME is one of several images in it\n" +
			"   web:latest             an image of the Docker of this machine; docker-daemon:NAME whatever its name\n" +
			"   ghcr.io/acme/web:1.2   an image of another registry, with the credentials that Docker has\n" +
			"   v1.2.0, sha256:…       a tag or a digest that was pushed to the app already\n" +
			"   DIR                    what is built of a directory with --build-with-docker or --build-with-pack\n\n" +
			"Of an image for several platforms the server's is taken. Layers that the registry has are not sent again, so a push that\n" +
			"broke goes on. An image that is active already is not deployed again, unless with --force.\n\n" +
			"Nothing is staged, and nothing may be: commit what you have staged, or discard it, before. Where a deploy fails the release\n" +
			"is not made, what served before serves on, and the error says in which phase, why, and what to type next.",
		Example: "  setops -p shop -s production --app web release:deploy web:latest\n" +
			"  setops -p shop -s production --app web release:deploy image.tar -- bundle exec rake db:migrate\n" +
			"  setops -p shop -s production --app web release:deploy --build-with-docker --docker:build-arg VERSION=1.2 .",
		Args: func(cmd *cobra.Command, args []string) error {
			words, _ := beforeDash(cmd, args)
			if err := kit.ExactArgs("the IMAGE to deploy, or the directory to build it of")(cmd, words); err != nil {
				return err
			}
			return opts.build.check(cmd)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			words, argv := beforeDash(cmd, args)
			opts.image, opts.before = words[0], argv
			return run(cmd.Context(), opts)
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVarP(&opts.message, "message", "m", "", "`TEXT` for the history (default the line's IMAGE)")
	flags.BoolVar(&opts.force, "force", false, "deploy an image that is active already, as a new release")
	opts.build.flags(flags)
	return cmd
}

// beforeDash parts words of the line from the argv behind `--`.
func beforeDash(cmd *cobra.Command, args []string) (words, argv []string) {
	if dash := cmd.ArgsLenAtDash(); dash >= 0 {
		return args[:dash], args[dash:]
	}
	return args, nil
}

// deploy is one deploy of an image.
type deploy struct {
	*deployOptions
	ref    client.AppRef
	client *client.Client
}

func runDeploy(ctx context.Context, opts *deployOptions) error {
	ref, c, err := opts.kit.AtApp("")
	if err != nil {
		return err
	}
	d := deploy{opts, ref, c}
	found, err := d.find(ctx)
	if err != nil {
		return err
	}
	if found.Source == nil {
		return d.commit(ctx, found.Pushed, "")
	}
	return d.pushAndCommit(ctx, found.Source)
}

// show prints the release.
func (d deploy) show(release api.Deployed) error {
	return d.kit.Show(release, func(w io.Writer) error {
		return new(render.Block).Add("ReleaseID", release.ReleaseID).Add("Digest", release.Digest).Write(w)
	})
}

// again is the line that deploys an image that is in the app's repository.
func (d deploy) again(image string) string {
	line := fmt.Sprintf("setops -p %s -s %s --app %s release:deploy %s", d.ref.Project, d.ref.Stage, d.ref.App, image)
	if len(d.before) > 0 {
		line += " -- " + render.OneLine(render.Words(d.before))
	}
	return line
}

// The phases of a deploy, as errors name them.
const (
	phaseBuild    = "build"
	phaseRead     = "read"
	phasePush     = "push"
	phaseRelease  = "create release"
	phaseTask     = "pre-deploy task"
	phaseActivate = "activate"
	phaseCommit   = "commit"
)

// failedIn says in which phase a deploy failed, and what that means.
func failedIn(ctx context.Context, phase string, err error, next string) error {
	if ctx.Err() != nil {
		return &kit.Failure{
			Message: fmt.Sprintf("Interrupted in the phase %s; nothing was deployed.", phase), Next: next, Code: kit.ExitInterrupted, Plain: true, Err: err,
		}
	}
	return &kit.Failure{Message: fmt.Sprintf("The deploy failed in the phase %s: %s", phase, kit.Sentence(err.Error())), Next: next, Err: err}
}
