package release

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/setopsco/setops/internal/cli/image"
	"github.com/setopsco/setops/internal/cli/kit"
	"github.com/spf13/cobra"
)

// flagSet is what of pflag.FlagSet is needed here.
type flagSet interface {
	BoolVar(p *bool, name string, value bool, usage string)
	StringVar(p *string, name string, value string, usage string)
	StringArrayVar(p *[]string, name string, value []string, usage string)
}

func (b *buildOptions) flags(f flagSet) {
	f.BoolVar(&b.docker, "build-with-docker", false, "build the image of the directory IMAGE with docker")
	f.StringArrayVar(&b.dockerArgs, "docker:build-arg", nil, "`NAME=VALUE` for the build; may be given again")
	f.StringVar(&b.dockerFile, "docker:file", "", "`FILE` in place of Dockerfile")
	f.BoolVar(&b.pack, "build-with-pack", false, "build the image of the directory IMAGE with buildpacks; needs pack")
	f.StringVar(&b.packBuilder, "pack:builder", "", "`IMAGE` that builds (default that of pack's configuration)")
	f.StringArrayVar(&b.packBuildpacks, "pack:buildpack", nil, "`BUILDPACK` to use; may be given again")
	f.StringArrayVar(&b.packEnv, "pack:env", nil, "`NAME=VALUE` of the environment of the build; may be given again")
	f.StringVar(&b.packEnvFile, "pack:env-file", "", "`FILE` with the environment of the build")
}

// check refuses flags of a build that is not asked for.
func (b *buildOptions) check(cmd *cobra.Command) error {
	if b.docker && b.pack {
		return &kit.Usage{Message: "An image is built with docker or with pack, not with both.", Next: "Leave one of --build-with-docker and --build-with-pack out."}
	}
	for _, of := range []struct {
		builds bool
		name   string
		flags  []string
	}{
		{b.docker, "docker", []string{"docker:build-arg", "docker:file"}},
		{b.pack, "pack", []string{"pack:builder", "pack:buildpack", "pack:env", "pack:env-file"}},
	} {
		for _, flag := range of.flags {
			if cmd.Flags().Changed(flag) && !of.builds {
				return &kit.Usage{Message: fmt.Sprintf("--%s is for images that are built with %s.", flag, of.name), Next: fmt.Sprintf("Add --build-with-%s.", of.name)}
			}
		}
	}
	return nil
}

// find tells what is to be deployed.
func (d deploy) find(ctx context.Context) (image.Found, error) {
	t, err := d.target(ctx)
	if err != nil {
		return image.Found{}, err
	}
	b := d.build
	if b.docker || b.pack {
		if info, err := os.Stat(d.image); err != nil || !info.IsDir() {
			return image.Found{}, &kit.Failure{Message: fmt.Sprintf("%s is no directory to build an image of.", d.image)}
		}
	}
	out := d.kit.Err // what a build writes is wanted also with --quiet: it says what went wrong
	switch {
	case b.docker:
		return image.Found{Source: image.DockerBuild{Dir: d.image, File: b.dockerFile, Args: b.dockerArgs, Out: out}}, nil
	case b.pack:
		return image.Found{Source: image.PackBuild{
			Dir: d.image, Name: d.packName(), Builder: b.packBuilder, Buildpacks: b.packBuildpacks, Env: b.packEnv, EnvFile: b.packEnvFile, Out: out,
		}}, nil
	}
	found, err := image.Find(d.image, t)
	if err != nil {
		return found, &kit.Failure{Message: kit.Sentence(err.Error()), Next: "`setops help release:deploy` lists what can be deployed.", Err: err}
	}
	return found, nil
}

// packName is the same for each build of an app, so that pack finds what it has kept of the last one.
func (d deploy) packName() string {
	return strings.Join([]string{"setops", d.ref.Project, d.ref.Stage, d.ref.App}, "/")
}

// target is the repository of the app.
func (d deploy) target(ctx context.Context) (image.Target, error) {
	r, err := d.kit.Registry(ctx)
	if err != nil {
		return image.Target{}, err
	}
	return image.Target{
		Host: r.Host, Clear: r.Clear, Token: r.Token,
		Repository: strings.Join([]string{d.ref.Organization, d.ref.Project, d.ref.Stage, d.ref.App}, "/"),
		UserAgent:  "setops/" + d.kit.Version, Transport: d.client.Transport(),
	}, nil
}
