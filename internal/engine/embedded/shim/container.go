//go:build linux && cgo

package shim

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"

	_ "github.com/opencontainers/cgroups/devices" // lets cgroups apply rules for devices
	"github.com/opencontainers/runc/libcontainer"
	"github.com/opencontainers/runc/libcontainer/configs"
	_ "github.com/opencontainers/runc/libcontainer/nsenter" // the C part of the container's init
	"github.com/opencontainers/runc/libcontainer/specconv"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/setopsco/setops/internal/engine/embedded/wire"
)

// shim is one container and what is known of it.
type shim struct {
	cfg       wire.Config
	container *libcontainer.Container
	init      *libcontainer.Process
	pid       int // of init
	listener  net.Listener
	output    *output
	execs     execs
	console   *console // nil: the program reads nothing

	mu     sync.Mutex // guards record
	record wire.Record
	asked  atomic.Bool // somebody told the container to end

	ended chan struct{} // closed when exit is known and the log complete
	exit  wire.Exit
}

// refusal is an error that the image or the settings cause.
type refusal struct{ reason string }

func (r *refusal) Error() string { return r.reason }

// create makes everything up to the point where the program could run: namespaces, mounts, cgroups, pipes, socket. It
// leaves nothing behind when it fails, save files in the container's directory.
func create(cfg wire.Config, record wire.Record) (*shim, error) {
	s := &shim{cfg: cfg, record: record, ended: make(chan struct{})}
	var err error
	// A relative path is short enough for a socket, however long the directory's is.
	if s.listener, err = net.Listen("unix", wire.SocketFile); err != nil {
		return nil, fmt.Errorf("listen for the server: %w", err)
	}
	if err := s.boot(); err != nil {
		s.listener.Close()
		return nil, err
	}
	return s, nil
}

func (s *shim) boot() error {
	config, err := specconv.CreateLibcontainerConfig(&specconv.CreateOpts{CgroupName: s.cfg.ID, Spec: s.cfg.Spec})
	if err != nil {
		return fmt.Errorf("convert the container's settings: %w", err)
	}
	held, err := holdNetwork(config)
	if err != nil {
		return err
	}
	defer held.Close()
	s.container, err = libcontainer.Create(filepath.Join(s.cfg.Dir, wire.StateDir), s.cfg.ID, config)
	if err != nil {
		return fmt.Errorf("create container: %w", err)
	}
	s.init = s.process(s.cfg.Spec.Process.Args)
	s.init.Init = true
	if err := s.furnish(); err != nil {
		return err
	}
	if err := s.container.Start(s.init); err != nil {
		s.output.abandon()
		return explain(err)
	}
	s.output.start()
	if err := s.console.begin(s.output); err != nil {
		return err
	}
	s.pid, err = s.init.Pid()
	return err
}

// furnish gives the container's program what it reads from and writes to.
func (s *shim) furnish() (err error) {
	if s.output, err = openOutput(s.cfg.LogDir, s.cfg.LogName); err != nil {
		return err
	}
	if s.cfg.Console != nil {
		if s.console, err = openConsole(s.init, *s.cfg.Console); err != nil {
			s.output.abandon()
		}
		return err
	}
	if err := s.output.openPipes(); err != nil {
		s.output.abandon()
		return err
	}
	s.init.Stdout, s.init.Stderr = s.output.stdout, s.output.stderr
	return nil
}

// holdNetwork opens the network namespace and names it by the open file: libcontainer puts namespaces into a list with
// commas, and a data directory may have one in its name.
func holdNetwork(config *configs.Config) (*os.File, error) {
	for i, ns := range config.Namespaces {
		if ns.Type != configs.NEWNET {
			continue
		}
		f, err := os.Open(ns.Path)
		if err != nil {
			return nil, fmt.Errorf("open the network namespace: %w", err)
		}
		config.Namespaces[i].Path = fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), f.Fd())
		return f, nil
	}
	return nil, errors.New("the container's settings name no network namespace")
}

// process is a program with the container's own environment, user and limits.
func (s *shim) process(argv []string) *libcontainer.Process {
	from := s.cfg.Spec.Process
	p := &libcontainer.Process{
		Args: argv, Env: from.Env, Cwd: from.Cwd,
		UID: int(from.User.UID), GID: int(from.User.GID),
		NoNewPrivileges: &from.NoNewPrivileges,
	}
	for _, g := range from.User.AdditionalGids {
		p.AdditionalGroups = append(p.AdditionalGroups, int(g))
	}
	for _, l := range from.Rlimits {
		p.Rlimits = append(p.Rlimits, rlimit(l))
	}
	return p
}

// rlimit knows the one limit that we set.
func rlimit(l specs.POSIXRlimit) configs.Rlimit {
	return configs.Rlimit{Type: unix.RLIMIT_NOFILE, Hard: l.Hard, Soft: l.Soft}
}

// explain finds the faults of an image in libcontainer's errors, which cross a process boundary as text.
func explain(err error) error {
	text := err.Error()
	if strings.Contains(text, "OOM-killed") {
		return &refusal{reason: "the memory limit is too low: the container ran out of it before its program was started"}
	}
	for _, mark := range []string{`exec: "`, "chdir to cwd"} {
		if at := strings.LastIndex(text, mark); at >= 0 {
			return &refusal{reason: "the container's program cannot be run: " + text[at:]}
		}
	}
	return fmt.Errorf("start container: %w", err)
}
