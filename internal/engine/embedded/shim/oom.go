//go:build linux && cgo

package shim

import (
	"bufio"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/opencontainers/runc/libcontainer"
)

// oomKills counts the processes of the container that the kernel has killed for lack of memory.
func oomKills(c *libcontainer.Container) int {
	state, err := c.State()
	if err != nil {
		return 0
	}
	if dir, ok := state.CgroupPaths["memory"]; ok {
		return counter(filepath.Join(dir, "memory.oom_control"), "oom_kill")
	}
	return counter(filepath.Join(state.CgroupPaths[""], "memory.events"), "oom_kill")
}

// counter reads one value of a file of lines "key value".
func counter(path, key string) int {
	f, err := os.Open(path)
	if err != nil {
		return 0
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if value, ok := strings.CutPrefix(lines.Text(), key+" "); ok {
			n, _ := strconv.Atoi(value)
			return n
		}
	}
	return 0
}
