package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"sync"
	"syscall"
)

// A program is one line of the file control. Its output goes to log/NAME.log.
type program struct {
	Name string
	Path string
	Argv []string
}

// A table knows which process is which program.
type table struct {
	mu    sync.Mutex
	dir   string
	names map[int]string
}

// serve returns only where the file control cannot be read any more.
func serve(dir string) error {
	t := &table{dir: dir, names: map[int]string{}}
	children := make(chan os.Signal, 1) // one signal is enough for all that has ended
	signal.Notify(children, syscall.SIGCHLD)
	go t.collect(children)
	// Opened for both, it has no end when a writer goes.
	control, err := os.OpenFile(filepath.Join(dir, "control"), os.O_RDWR, 0)
	if err != nil {
		return fmt.Errorf("open the file control: %w", err)
	}
	lines := bufio.NewScanner(control)
	for lines.Scan() {
		var p program
		if err := json.Unmarshal(lines.Bytes(), &p); err != nil {
			return fmt.Errorf("read what to start: %w", err)
		}
		if err := t.start(p); err != nil {
			t.record(fmt.Sprintf("%s: did not start: %v", p.Name, err))
		}
	}
	return lines.Err()
}

func (t *table) start(p program) error {
	log, err := os.OpenFile(filepath.Join(t.dir, "log", p.Name+".log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return err
	}
	defer log.Close()
	null, err := os.Open(os.DevNull)
	if err != nil {
		return err
	}
	defer null.Close()
	t.mu.Lock()
	defer t.mu.Unlock()
	env := append(os.Environ(), "HOME=/root", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
	process, err := os.StartProcess(p.Path, p.Argv, &os.ProcAttr{Dir: "/", Env: env, Files: []*os.File{null, log, log}})
	if err != nil {
		return err
	}
	t.names[process.Pid] = p.Name
	return process.Release()
}

// collect waits for whatever ends: programs, and what they leave behind.
func (t *table) collect(children <-chan os.Signal) {
	for range children {
		for {
			var status syscall.WaitStatus
			pid, err := syscall.Wait4(-1, &status, syscall.WNOHANG, nil)
			if pid <= 0 || err != nil {
				break
			}
			t.ended(pid, status)
		}
	}
}

func (t *table) ended(pid int, status syscall.WaitStatus) {
	t.mu.Lock()
	defer t.mu.Unlock()
	name, ours := t.names[pid]
	if !ours {
		return
	}
	delete(t.names, pid)
	how := fmt.Sprintf("exit code %d", status.ExitStatus())
	if status.Signaled() {
		how = status.Signal().String()
	}
	t.record(fmt.Sprintf("%s: ended: %s", name, how))
}

// record appends to the file ended, which whoever waits for something looks at.
func (t *table) record(line string) {
	f, err := os.OpenFile(filepath.Join(t.dir, "ended"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		fmt.Fprintln(os.Stderr, "machine:", line)
		return
	}
	defer f.Close()
	fmt.Fprintln(f, line)
}
