package cluster

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// machineName is how a first process is called, so that it is found by who did not start it.
const machineName = "setops-kubernetes-machine"

// readTime is what a machine may take until it reads what to start.
const readTime = 20 * time.Second

// startMachine starts a machine that runs nothing yet, and returns its first process.
func (c *Cluster) startMachine(name string, leashed bool) (int, error) {
	dir := filepath.Join(c.dir, name)
	for _, sub := range []string{"log", "lib", "run"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o755); err != nil {
			return 0, err
		}
	}
	if err := syscall.Mkfifo(filepath.Join(dir, "control"), 0o600); err != nil && !os.IsExist(err) { // it may start again
		return 0, fmt.Errorf("make the file control of %s: %w", name, err)
	}
	log, err := os.Create(filepath.Join(dir, "log", "machine.log"))
	if err != nil {
		return 0, err
	}
	defer log.Close()
	cmd := &exec.Cmd{
		Path: filepath.Join(c.Programs, "machine"), Args: []string{machineName, c.dir, name, c.Programs},
		Stdout: log, Stderr: log,
		SysProcAttr: &syscall.SysProcAttr{Setsid: true, Cloneflags: syscall.CLONE_NEWPID | syscall.CLONE_NEWNS |
			syscall.CLONE_NEWNET | syscall.CLONE_NEWUTS | syscall.CLONE_NEWIPC},
	}
	if leashed {
		end, err := c.leash(cmd)
		if err != nil {
			return 0, err
		}
		defer end.Close()
	}
	if err := cmd.Start(); err != nil {
		return 0, fmt.Errorf("start the machine %s in namespaces of its own: %w", name, err)
	}
	c.started.Go(func() { // it is a child of this process, which shall leave no dead one
		how := cmd.Wait()
		_ = note(dir, fmt.Sprintf("machine: ended: %v", how)) // fails where all of it has been removed
	})
	return cmd.Process.Pid, nil
}

// note appends to what has ended of a machine, as the machine itself does for its programs.
func note(dir, line string) error {
	f, err := os.OpenFile(filepath.Join(dir, "ended"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = fmt.Fprintln(f, line)
	return err
}

// forget takes a program back out of what has ended of a machine; "": all of them, and the machine.
func (c *Cluster) forget(machine, program string) error {
	file := filepath.Join(c.dir, machine, "ended")
	text, err := os.ReadFile(file)
	if os.IsNotExist(err) {
		return nil
	}
	if err != nil {
		return err
	}
	var kept strings.Builder
	for line := range strings.Lines(string(text)) {
		if program != "" && !strings.HasPrefix(line, program+":") {
			kept.WriteString(line)
		}
	}
	return os.WriteFile(file, []byte(kept.String()), 0o644)
}

// leash gives a machine the end of a pipe that this process holds the other end of.
func (c *Cluster) leash(cmd *exec.Cmd) (*os.File, error) {
	end, held, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	c.leashes = append(c.leashes, held)
	cmd.ExtraFiles = []*os.File{end}
	cmd.Env = append(os.Environ(), "LEASHED=1")
	return end, nil
}

// run starts a program of the directory of programs, or of the host where it has a path.
func (c *Cluster) run(machine, program, name string, args ...string) error {
	if !filepath.IsAbs(program) {
		program = "/run/programs/" + program
	}
	line, err := json.Marshal(map[string]any{"Name": name, "Path": program, "Argv": append([]string{name}, args...)})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), readTime)
	defer cancel()
	// What is written where nobody reads yet is lost. So opening is refused until the machine does.
	return poll(ctx, machine+" to start "+name, func() error {
		control, err := os.OpenFile(filepath.Join(c.dir, machine, "control"), os.O_WRONLY|syscall.O_NONBLOCK, 0)
		if err != nil {
			return err
		}
		defer control.Close()
		_, err = control.Write(append(line, '\n'))
		return err
	})
}

// machines finds the first processes of the machines of a cluster, by name. It takes all that the kernel knows for the truth, and no file.
func (c *Cluster) machines() (map[string]int, error) {
	found := map[string]int{}
	files, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		return nil, err
	}
	for _, file := range files {
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(file)))
		if err != nil {
			continue
		}
		if name := c.machineOf(pid); name != "" {
			found[name] = pid
		}
	}
	return found, nil
}

// machineOf is which machine of the cluster a process is the first of, or "". What a machine is about to start has its command line too,
// for a moment.
func (c *Cluster) machineOf(pid int) string {
	line, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	if err != nil {
		return ""
	}
	argv := bytes.Split(line, []byte{0})
	if len(argv) < 3 || string(argv[0]) != machineName || string(argv[1]) != c.dir || !isFirst(pid) {
		return ""
	}
	return string(argv[2])
}

// isFirst reports whether a process is the first one of a PID namespace.
func isFirst(pid int) bool {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return false
	}
	for line := range strings.Lines(string(status)) {
		if numbers, found := strings.CutPrefix(line, "NSpid:"); found { // of each namespace that it is in, ours first
			all := strings.Fields(numbers)
			return all[len(all)-1] == "1"
		}
	}
	return false
}
