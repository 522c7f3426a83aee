package image

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// inDocker is an image of the Docker of this machine. Its CLI is asked, which knows which Docker that is.
type inDocker struct {
	name  string
	shown string // where the name says nothing to people
}

func (d inDocker) String() string {
	if d.shown != "" {
		return d.shown
	}
	return d.name + " of Docker"
}

func (d inDocker) Open(ctx context.Context, want v1.Platform) (Opened, error) {
	dir, err := os.MkdirTemp("", "setops-deploy-")
	if err != nil {
		return Opened{}, fmt.Errorf("make a directory for the image: %w", err)
	}
	file := filepath.Join(dir, "image.tar")
	var opened Opened
	if err = d.save(ctx, file); err == nil {
		opened, err = openArchive(ctx, file, layoutDir{path: d.String()}, want)
	}
	if err != nil {
		return Opened{}, errors.Join(err, os.RemoveAll(dir))
	}
	unpacked := opened
	opened.cleanUp = func() error { return errors.Join(unpacked.Close(), os.RemoveAll(dir)) }
	if d.shown != "" {
		opened.Tag = ""
	}
	return opened, nil
}

func (d inDocker) save(ctx context.Context, file string) error {
	program, err := exec.LookPath("docker")
	if err != nil {
		return fmt.Errorf("%s needs the program docker, which is not in the path; an archive or an OCI layout needs no Docker", d)
	}
	var said bytes.Buffer
	cmd := exec.CommandContext(ctx, program, "save", "--output", file, d.name)
	cmd.Stderr = &said
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return fmt.Errorf("docker does not give out %s: %s", d.name, firstOf(strings.TrimSpace(said.String()), err.Error()))
	}
	return nil
}

func firstOf(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}
