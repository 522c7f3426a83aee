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

// measureIdle looks at a server that was started, adopted one app, and was then left alone.
func measureIdle(ctx context.Context, b *bench, res *result) error {
	s, _, err := b.deployed(ctx)
	if err != nil {
		return err
	}
	used, err := memoryOf(s.pid())
	if err != nil {
		return err
	}
	if err := errors.Join(s.stop(), s.start(ctx)); err != nil {
		return err
	}
	if _, err := awaitAnswer(ctx, "http://"+s.router, appHost, ""); err != nil {
		return err
	}
	select {
	case <-time.After(idleTime):
	case <-ctx.Done():
		return ctx.Err()
	}
	idle, err := memoryOf(s.pid())
	if err != nil {
		return err
	}
	shim, err := shimOf(s)
	if err != nil {
		return err
	}
	res.add(
		row{
			what: "Resident memory of setopsd with one app, 30 s after its start", ours: megabytes(idle.rss),
			goal: "≤ " + megabytes(idleLimit), met: idle.rss <= idleLimit,
		},
		row{what: "Start of setopsd with one app to be adopted, to its ready line", ours: show(s.ready)},
	)
	res.note("Idle setopsd: %s proportional (PSS), of which %s are its own and not the program file's; after all other measurements it had "+
		"%s resident. The shim beside a task has %s private.",
		megabytes(idle.pss), megabytes(idle.anonymous), megabytes(used.rss), megabytes(shim.anonymous))
	return nil
}

// memory is what /proc tells of a process, in bytes.
type memory struct{ rss, pss, anonymous int64 }

func memoryOf(pid int) (memory, error) {
	path := fmt.Sprintf("/proc/%d/smaps_rollup", pid)
	if _, err := os.Stat(path); err != nil {
		return memory{}, err
	}
	var m memory
	for name, into := range map[string]*int64{"Rss": &m.rss, "Pss": &m.pss, "Anonymous": &m.anonymous} {
		kilobytes, err := strconv.ParseInt(strings.TrimSuffix(field(path, name), " kB"), 10, 64)
		if err != nil {
			return m, fmt.Errorf("read %s of %s: %w", name, path, err)
		}
		*into = kilobytes << 10
	}
	return m, nil
}

// shimOf gives the memory of the shim of the server's only task: the process whose program is setops-shim and whose
// arguments or directory lie in the server's data.
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
