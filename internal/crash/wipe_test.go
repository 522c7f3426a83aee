//go:build linux

package crash

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// wipe takes away what a reboot of this machine takes away of a dead server: its tasks with their shims, and all that it
// has made in the kernel. Docker keeps its containers, which have ended, and its networks.
func (s *server) wipe() {
	s.t.Helper()
	instance := s.instance()
	if instance == "" {
		return
	}
	if s.engine == "docker" {
		if running := s.askDocker("ps", "-q"); len(running) > 0 {
			s.dockerDo(append([]string{"kill"}, running...)...)
		}
	}
	if s.cluster != nil {
		s.killPods()
	}
	s.killTasks(instance)
	for _, point := range mountsBelow(s.t, s.dir) {
		must(s.t, syscall.Unmount(point, syscall.MNT_DETACH))
	}
	if s.engine != "docker" {
		s.wipeNetwork(instance)
	}
	for _, table := range tables(instance) {
		s.run("nft", append([]string{"delete", "table"}, strings.Fields(table)...)...)
	}
	for _, dir := range cgroups(instance) {
		if err := os.Remove(dir); err != nil && !errors.Is(err, os.ErrNotExist) {
			s.t.Error(err)
		}
	}
}

func (s *server) wipeNetwork(instance string) {
	s.t.Helper()
	for _, name := range interfaces(instance) {
		_ = exec.Command("ip", "link", "delete", name).Run() // gone already: one end of a pair takes the other along
	}
	if _, err := exec.LookPath("iptables"); err != nil {
		return
	}
	for rule := range strings.Lines(s.run("iptables", "--wait", "-S")) {
		if args := strings.Fields(rule); strings.Contains(rule, bridgeMark(instance)) {
			s.run("iptables", append([]string{"--wait", "-D"}, args[1:]...)...)
		}
	}
}

// wipeDocker takes away what Docker keeps over a reboot.
func (s *server) wipeDocker() {
	s.t.Helper()
	if s.engine != "docker" || s.instance() == "" {
		return
	}
	if all := s.containers(); len(all) > 0 {
		s.dockerDo(append([]string{"rm", "-f"}, all...)...)
	}
	if all := s.networks(); len(all) > 0 {
		s.dockerDo(append([]string{"network", "rm"}, all...)...)
	}
}

// killTasks kills shims and all that runs in the instance's cgroups, and waits until none of it is left.
func (s *server) killTasks(instance string) {
	s.t.Helper()
	s.await("nothing of the tasks runs", func() error {
		pids := s.shims()
		for _, dir := range cgroups(instance) {
			text, err := os.ReadFile(filepath.Join(dir, "cgroup.procs"))
			if err != nil {
				continue // it is gone
			}
			for _, field := range strings.Fields(string(text)) {
				if pid, err := strconv.Atoi(field); err == nil {
					pids = append(pids, pid)
				}
			}
		}
		for _, pid := range pids {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
		if len(pids) > 0 {
			return fmt.Errorf("processes %v", pids)
		}
		return nil
	})
}
