//go:build linux

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// process is a server that the bench has started.
type process struct {
	cmd   *exec.Cmd
	log   string // file with what it writes
	ended chan struct{}
	err   error // once ended is closed
}

// start starts a server in a process group of its own: a Ctrl-C reaches the bench alone, which stops it in order.
func start(dir string, env []string, name string, args ...string) (*process, error) {
	log, err := os.CreateTemp(dir, filepath.Base(name)+"-*.log")
	if err != nil {
		return nil, err
	}
	defer log.Close()
	p := &process{cmd: exec.Command(name, args...), log: log.Name(), ended: make(chan struct{})}
	p.cmd.Env, p.cmd.Stdout, p.cmd.Stderr = append(os.Environ(), env...), log, log
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	go func() {
		p.err = p.cmd.Wait()
		close(p.ended)
	}()
	return p, nil
}

func (p *process) pid() int { return p.cmd.Process.Pid }

// await tries until ok, the process ends, or the limit has passed.
func (p *process) await(ctx context.Context, limit time.Duration, ok func() bool) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	for !ok() {
		select {
		case <-p.ended:
			return fmt.Errorf("%s ended at once (%w): %s", p.cmd.Path, p.err, p.tail())
		case <-ctx.Done():
			return fmt.Errorf("%s was not ready within %s: %s", p.cmd.Path, limit, p.tail())
		case <-time.After(time.Millisecond):
		}
	}
	return nil
}

func (p *process) tail() string {
	text := strings.TrimSpace(read(p.log))
	return text[max(0, len(text)-500):]
}

// cpuTime is what the process and its children have used up to now, as exactly as the kernel's ticks of 10 ms say.
func (p *process) cpuTime() time.Duration {
	if p == nil {
		return 0
	}
	pids := append(strings.Fields(read(fmt.Sprintf("/proc/%d/task/%[1]d/children", p.pid()))), strconv.Itoa(p.pid()))
	var ticks int
	for _, pid := range pids {
		_, stat, _ := strings.Cut(read("/proc/"+pid+"/stat"), ") ") // behind the name, which may hold anything
		if fields := strings.Fields(stat); len(fields) > 12 {
			user, _ := strconv.Atoi(fields[11])
			system, _ := strconv.Atoi(fields[12])
			ticks += user + system
		}
	}
	return time.Duration(ticks) * 10 * time.Millisecond
}

// stop asks the process to end, and waits until it has.
func (p *process) stop() error {
	if p == nil {
		return nil
	}
	err := p.cmd.Process.Signal(syscall.SIGTERM)
	if err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	select {
	case <-p.ended:
	case <-time.After(30 * time.Second):
		err = errors.Join(fmt.Errorf("%s did not end on SIGTERM", p.cmd.Path), p.cmd.Process.Kill())
		<-p.ended
		return err
	}
	return nil
}

// output runs a program to its end. Its error has what the program said.
func output(ctx context.Context, env []string, name string, args ...string) (string, error) {
	return spoken(ctx, "", env, name, args...)
}

// spoken is output with something to read on stdin.
func spoken(ctx context.Context, stdin string, env []string, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	var out, said bytes.Buffer
	cmd.Env, cmd.Stdout, cmd.Stderr = append(os.Environ(), env...), &out, &said
	if stdin != "" {
		cmd.Stdin = strings.NewReader(stdin)
	}
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("run %s %s: %w: %s", filepath.Base(name), strings.Join(args, " "), err, strings.TrimSpace(said.String()))
	}
	return out.String(), nil
}

// cost runs a program and gives its CPU time, user and system, and how long it took.
func cost(ctx context.Context, env []string, name string, args ...string) (cpu, wall time.Duration, err error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = append(os.Environ(), env...)
	began := time.Now()
	if err := cmd.Run(); err != nil {
		return 0, 0, fmt.Errorf("run %s %s: %w", filepath.Base(name), strings.Join(args, " "), err)
	}
	return cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(), time.Since(began), nil
}

// install makes sure that a program is there, by apt where it is not.
func install(ctx context.Context, program string, packages ...string) error {
	if _, err := exec.LookPath(program); err == nil {
		return nil
	}
	env := []string{"DEBIAN_FRONTEND=noninteractive"}
	if _, err := output(ctx, env, "apt-get", "update", "-qq"); err != nil {
		return fmt.Errorf("%s is not installed: %w", program, err)
	}
	args := append([]string{"install", "-y", "-qq", "--no-install-recommends"}, packages...)
	if _, err := output(ctx, env, "apt-get", args...); err != nil {
		return fmt.Errorf("%s is not installed: %w", program, err)
	}
	return nil
}

// freeAddress gives an address on loopback that nobody listens on.
func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}
