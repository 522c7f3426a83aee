//go:build linux

package network

import (
	"errors"
	"fmt"
	"os"
	"runtime"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// makeNetNS makes a network namespace that stays, at path, and gives a handle to configure it from outside.
func makeNetNS(path string) (*netlink.Handle, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("make network namespace: %w", err)
	}
	f.Close()
	type result struct {
		handle *netlink.Handle
		err    error
	}
	done := make(chan result, 1)
	go func() {
		// The thread belongs to the new namespace from here on. It is never unlocked, so it ends with the goroutine.
		runtime.LockOSThread()
		h, err := enterNewNetNS(path)
		done <- result{h, err}
	}()
	r := <-done
	if r.err != nil {
		return nil, fmt.Errorf("make network namespace: %w", r.err)
	}
	return r.handle, nil
}

// Inside, an unprivileged process may listen on any port and ping, as Docker has it; there is no IPv6.
var insideSettings = [][2]string{
	{"ipv4/ip_unprivileged_port_start", "0"},
	{"ipv4/ping_group_range", "0 2147483647"},
	{"ipv6/conf/all/disable_ipv6", "1"},
	{"ipv6/conf/default/disable_ipv6", "1"},
}

func enterNewNetNS(path string) (*netlink.Handle, error) {
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		return nil, err
	}
	if err := unix.Mount("/proc/thread-self/ns/net", path, "", unix.MS_BIND, ""); err != nil {
		return nil, err
	}
	for _, s := range insideSettings {
		if err := sysctl(s[0], s[1]); err != nil {
			return nil, err
		}
	}
	return netlink.NewHandle(unix.NETLINK_ROUTE)
}

// removeNetNS lets go of the namespace: it ends with the last process in it.
func removeNetNS(path string) error {
	for {
		err := unix.Unmount(path, unix.MNT_DETACH|unix.UMOUNT_NOFOLLOW)
		if err == nil {
			continue
		}
		if errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOENT) {
			break
		}
		return fmt.Errorf("unmount network namespace: %w", err)
	}
	return removeFile(path)
}

// isNetNS reports whether a namespace is mounted at path; after a reboot there is only a file.
func isNetNS(path string) bool {
	var s unix.Statfs_t
	return unix.Statfs(path, &s) == nil && s.Type == unix.NSFS_MAGIC
}
