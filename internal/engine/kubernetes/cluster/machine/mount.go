package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// Settings that kubelet makes on the whole machine unless it finds them made. It is shown files that say so.
var settled = map[string]string{
	"vm/overcommit_memory":      "1",
	"vm/panic_on_oom":           "0",
	"kernel/panic":              "10",
	"kernel/panic_on_oops":      "1",
	"kernel/keys/root_maxkeys":  "1000000",
	"kernel/keys/root_maxbytes": "25000000",
}

// mountAll gives the machine a /proc and writable directories of its own. The rest of the files is the host's.
func mountAll(cluster, name, programs string) error {
	if err := mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE); err != nil {
		return err
	}
	stage := filepath.Join(cluster, name, "run")
	if err := mount("tmpfs", stage, "tmpfs", 0); err != nil {
		return err
	}
	for at, from := range map[string]string{
		"cluster": cluster, "machine": filepath.Join(cluster, name), "programs": programs,
	} {
		if err := bind(from, filepath.Join(stage, at)); err != nil {
			return err
		}
	}
	if err := mount(stage, "/run", "", syscall.MS_BIND|syscall.MS_REC); err != nil {
		return err
	}
	if err := mount("proc", "/proc", "proc", 0); err != nil {
		return err
	}
	if err := mount("tmpfs", "/tmp", "tmpfs", 0); err != nil {
		return err
	}
	for at, from := range map[string]string{"/var/lib": "/run/machine/lib", "/var/log": "/run/machine/log"} {
		if err := mount(from, at, "", syscall.MS_BIND); err != nil {
			return err
		}
	}
	return settle("/run/settled")
}

func settle(dir string) error {
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	for key, value := range settled {
		shown := filepath.Join(dir, strings.ReplaceAll(key, "/", "."))
		if err := os.WriteFile(shown, []byte(value+"\n"), 0o600); err != nil {
			return err
		}
		if err := mount(shown, "/proc/sys/"+key, "", syscall.MS_BIND); err != nil {
			return err
		}
	}
	return nil
}

func bind(from, at string) error {
	if err := os.MkdirAll(at, 0o755); err != nil {
		return err
	}
	return mount(from, at, "", syscall.MS_BIND)
}

func mount(from, at, kind string, flags uintptr) error {
	if err := syscall.Mount(from, at, kind, flags, ""); err != nil {
		return fmt.Errorf("mount %s on %s: %w", from, at, err)
	}
	return nil
}
