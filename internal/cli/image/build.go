package image

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// DockerBuild builds an image of a directory with a Dockerfile.
type DockerBuild struct {
	Dir  string
	File string   // the Dockerfile, where it is not Dir/Dockerfile
	Args []string // NAME=VALUE, or NAME for that of the environment
	Out  io.Writer
}

func (b DockerBuild) String() string { return "what docker builds of " + b.Dir }

// Open builds the image and takes it out of Docker.
func (b DockerBuild) Open(ctx context.Context, want v1.Platform) (Opened, error) {
	dir, err := os.MkdirTemp("", "setops-deploy-")
	if err != nil {
		return Opened{}, fmt.Errorf("make a directory for the build: %w", err)
	}
	defer os.RemoveAll(dir) //nolint:errcheck // it has an id of an image
	id := filepath.Join(dir, "id")
	args := []string{"build", "--iidfile", id}
	if p := want.String(); !builtHere(ctx, p) {
		args = append(args, "--platform", p)
	}
	if b.File != "" {
		args = append(args, "--file", b.File)
	}
	for _, a := range b.Args {
		args = append(args, "--build-arg", a)
	}
	if err := build(ctx, b.Out, "docker", append(args, b.Dir)); err != nil {
		return Opened{}, err
	}
	text, err := os.ReadFile(id)
	if err != nil {
		return Opened{}, fmt.Errorf("read which image was built: %w", err)
	}
	return inDocker{name: strings.TrimSpace(string(text)), shown: b.String()}.Open(ctx, want)
}

// builtHere says whether Docker builds for a platform without being told; where that cannot be learnt it is told.
func builtHere(ctx context.Context, platform string) bool {
	out, err := exec.CommandContext(ctx, "docker", "version", "--format", "{{.Server.Os}}/{{.Server.Arch}}").Output()
	return err == nil && strings.TrimSpace(string(out)) == platform
}

// PackBuild builds an image of a directory with buildpacks.
type PackBuild struct {
	Dir        string
	Name       string // of the image in Docker, by which pack finds its caches again
	Builder    string
	Buildpacks []string
	Env        []string // NAME=VALUE, or NAME for that of the environment
	EnvFile    string
	Out        io.Writer
}

func (b PackBuild) String() string { return "what pack builds of " + b.Dir }

// Open builds the image and takes it out of Docker.
func (b PackBuild) Open(ctx context.Context, want v1.Platform) (Opened, error) {
	args := []string{"build", b.Name, "--path", b.Dir}
	if b.Builder != "" {
		args = append(args, "--builder", b.Builder)
	}
	for _, p := range b.Buildpacks {
		args = append(args, "--buildpack", p)
	}
	for _, e := range b.Env {
		args = append(args, "--env", e)
	}
	if b.EnvFile != "" {
		args = append(args, "--env-file", b.EnvFile)
	}
	if err := build(ctx, b.Out, "pack", args); err != nil {
		return Opened{}, err
	}
	return inDocker{name: b.Name, shown: b.String()}.Open(ctx, want)
}

// where tells where to get programs that build.
func where(program string) string {
	return map[string]string{
		"docker": "see docs.docker.com; an archive or an OCI layout needs no Docker",
		"pack":   "see buildpacks.io; with a Dockerfile, --build-with-docker needs no pack",
	}[program]
}

func build(ctx context.Context, out io.Writer, program string, args []string) error {
	path, err := exec.LookPath(program)
	if err != nil {
		return fmt.Errorf("the program %s is not in the path: %s", program, where(program))
	}
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Stdout, cmd.Stderr = out, out
	err = cmd.Run()
	var failed *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.As(err, &failed):
		return fmt.Errorf("%s ended with exit code %d; what it wrote is above", program, failed.ExitCode())
	case err != nil:
		return fmt.Errorf("run %s: %w", program, err)
	}
	return nil
}
