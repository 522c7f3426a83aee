//go:build linux

package main

import (
	"context"
	"os/exec"
	"path/filepath"
)

const cliRounds = 40

// measureCLI compares the CPU time of commands that ought to cost next to nothing: a prompt or a script runs many.
func measureCLI(ctx context.Context, b *bench, res *result) error {
	if err := install(ctx, "docker", "docker.io"); err != nil {
		return err
	}
	path, err := exec.LookPath("docker")
	if err != nil {
		return err
	}
	var version, docker, versionWall, dockerWall samples
	err = rounds(cliRounds,
		sample(ctx, nil, &version, &versionWall, filepath.Join(b.bin, "setops"), "version"),
		sample(ctx, nil, &docker, &dockerWall, path, "--version"),
	)
	if err != nil {
		return err
	}
	res.add(
		versus("CPU time of `setops version` / `docker --version`", version, docker, 0.5),
		versus("The same by the clock", versionWall, dockerWall, 0),
	)
	return measureList(ctx, b, res)
}

// measureList compares a command that asks the server with one that does not.
func measureList(ctx context.Context, b *bench, res *result) error {
	s, err := b.server(ctx)
	if err != nil {
		return err
	}
	var version, list, versionWall, listWall samples
	err = rounds(cliRounds,
		sample(ctx, s.env(), &version, &versionWall, s.setops, "version"),
		sample(ctx, s.env(), &list, &listWall, s.setops, "project"),
	)
	if err != nil {
		return err
	}
	res.add(
		versus("CPU time of `setops project` / `setops version`", list, version, 2),
		versus("The same by the clock", listWall, versionWall, 0),
	)
	return nil
}

func sample(ctx context.Context, env []string, cpus, walls *samples, name string, args ...string) func(int) error {
	return func(round int) error {
		cpu, wall, err := cost(ctx, env, name, args...)
		cpus.keep(round, cpu)
		walls.keep(round, wall)
		return err
	}
}
