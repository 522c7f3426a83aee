//go:build linux

package embedded

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"path/filepath"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/setopsco/setops/internal/engine/embedded/wire"
	"github.com/setopsco/setops/internal/engine/host"
)

// errNoShim is the answer when nobody listens at the container's socket, or not any more.
var errNoShim = errors.New("its shim does not answer")

// Start runs the container's program.
func (r *Runtime) Start(ctx context.Context, id string) error {
	response, err := r.ask(ctx, id, wire.Request{Op: wire.Start})
	if errors.Is(err, errNoShim) && r.hasEnded(id) {
		return nil // it was started, and was quick
	}
	if err == nil && response.Refused {
		return &host.StartError{Reason: response.Error}
	}
	return failed("start", id, response, err)
}

// Signal sends a signal to the container's first process.
func (r *Runtime) Signal(ctx context.Context, id string, s syscall.Signal) error {
	response, err := r.ask(ctx, id, wire.Request{Op: wire.Signal, Signal: int(s)})
	if errors.Is(err, errNoShim) && (r.hasEnded(id) || !r.alive(id)) {
		return nil
	}
	return failed("signal", id, response, err)
}

// Exec runs argv inside.
func (r *Runtime) Exec(ctx context.Context, id string, argv []string) (int, []byte, error) {
	if len(argv) == 0 {
		return 0, nil, fmt.Errorf("run in container %s: no command is given", id)
	}
	response, err := r.ask(ctx, id, wire.Request{Op: wire.Exec, Argv: argv})
	return response.Code, response.Output, failed("run in", id, response, err)
}

func failed(verb, id string, response wire.Response, err error) error {
	if err == nil && response.Error != "" {
		err = errors.New(response.Error)
	}
	if err != nil {
		return fmt.Errorf("%s container %s: %w", verb, id, err)
	}
	return nil
}

// ask sends one request to the container's shim and waits for the answer. When ctx ends it hangs up, which the shim
// takes as the end of what was asked for.
func (r *Runtime) ask(ctx context.Context, id string, request wire.Request) (wire.Response, error) {
	var response wire.Response
	if err := errID(id); err != nil {
		return response, err
	}
	conn, err := dial(ctx, r.taskDir(id))
	if err != nil {
		return response, err
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	request.Version = wire.Version
	err = json.NewEncoder(conn).Encode(request)
	if err == nil {
		err = json.NewDecoder(conn).Decode(&response)
	}
	if ctx.Err() != nil {
		return response, ctx.Err()
	}
	if err != nil { // the shim went away in the middle
		return response, fmt.Errorf("%w: %w", errNoShim, err)
	}
	return response, nil
}

// dial connects to the shim of the container in dir. The path of a unix socket has room for 107 bytes, which a data
// directory may well exceed: the way through an open directory is always short.
func dial(ctx context.Context, dir string) (net.Conn, error) {
	fd, err := unix.Open(dir, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: there is no such container", errNoShim)
	}
	if err != nil {
		return nil, fmt.Errorf("open the container's directory: %w", err)
	}
	defer unix.Close(fd)
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "unix", filepath.Join("/proc/self/fd", strconv.Itoa(fd), wire.SocketFile))
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, unix.ECONNREFUSED):
		return nil, fmt.Errorf("%w: %w", errNoShim, err)
	case err != nil:
		return nil, fmt.Errorf("connect to the shim: %w", err)
	}
	return conn, nil
}

// alive reports whether the container's shim runs, and with it perhaps the container.
func (r *Runtime) alive(id string) bool {
	record, err := wire.ReadRecord(r.taskDir(id))
	return err == nil && record.Shim.Alive()
}

func (r *Runtime) hasEnded(id string) bool {
	_, err := wire.ReadExit(r.taskDir(id))
	return err == nil
}
