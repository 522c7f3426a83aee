//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

const (
	idleTime  = 30 * time.Second
	idleLimit = 60 << 20 // bytes
)

// measureIdle looks at a server that was left alone: after all that was measured before, and after a new start at which
// it adopts one app.
func measureIdle(ctx context.Context, b *bench, res *result) error {
	s, _, err := b.deployed(ctx)
	if err != nil {
		return err
	}
	used, err := memoryWhenIdle(ctx, s.pid())
	if err != nil {
		return err
	}
	if err := errors.Join(s.stop(), s.start(ctx)); err != nil {
		return err
	}
	if _, err := awaitAnswer(ctx, "http://"+s.router, appHost, ""); err != nil {
		return err
	}
	started, err := memoryWhenIdle(ctx, s.pid())
	if err != nil {
		return err
	}
	shim, err := shimOf(s)
	if err != nil {
		return err
	}
	res.add(
		idleRow("Memory of setopsd with one app, 30 s after its start", started),
		idleRow("Memory of setopsd 30 s after the measurements above", used),
		row{what: "Start of setopsd with one app to adopt, to its ready line", ours: show(s.ready)},
	)
	res.note("Memory is what is resident. Of that, %s after the start and %s after the measurements are setopsd's own; the rest are pages of "+
		"its program file. The shim beside a task has %s of its own.",
		megabytes(started.anonymous), megabytes(used.anonymous), megabytes(shim.anonymous))
	return nil
}

func idleRow(what string, m memory) row {
	return row{what: what, ours: megabytes(m.rss), goal: "≤ " + megabytes(idleLimit), met: m.rss <= idleLimit}
}

func memoryWhenIdle(ctx context.Context, pid int) (memory, error) {
	if err := wait(ctx, idleTime); err != nil {
		return memory{}, err
	}
	return memoryOf(pid)
}

// wait leaves a server alone for a while.
func wait(ctx context.Context, while time.Duration) error {
	select {
	case <-time.After(while):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// memory is what /proc tells of a process, in bytes.
type memory struct{ rss, anonymous int64 }

func memoryOf(pid int) (memory, error) {
	path := fmt.Sprintf("/proc/%d/smaps_rollup", pid)
	if _, err := os.Stat(path); err != nil {
		return memory{}, err
	}
	var m memory
	for name, into := range map[string]*int64{"Rss": &m.rss, "Anonymous": &m.anonymous} {
		kilobytes, err := strconv.ParseInt(strings.TrimSuffix(field(path, name), " kB"), 10, 64)
		if err != nil {
			return m, fmt.Errorf("read %s of %s: %w", name, path, err)
		}
		*into = kilobytes << 10
	}
	return m, nil
}

// shimOf gives the memory of the shim of the server's only task: the process that runs the program which the server has
// unpacked into its data directory.
func shimOf(s *server) (memory, error) {
	processes, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return memory{}, err
	}
	for _, dir := range processes {
		program, err := os.Readlink(dir + "/exe")
		if err != nil || !strings.HasPrefix(program, s.dir) || filepath.Base(program) != "setops-shim" {
			continue
		}
		pid, err := strconv.Atoi(filepath.Base(dir))
		if err != nil {
			return memory{}, err
		}
		return memoryOf(pid)
	}
	return memory{}, errors.New("find the shim of the bench's app: no process runs a setops-shim of this server")
}
