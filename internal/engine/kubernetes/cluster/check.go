package cluster

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// needed is what .ci/install kubernetes installs.
var needed = []string{"runc", "ip", "nsenter", "nft", "iptables", "iptables-save", "ipset", "conntrack"}

// plugins is where Debian and Ubuntu have the programs that connect pods to a network.
const plugins = "/usr/lib/cni"

func lacking(path string) error {
	var missing []string
	dirs := append(filepath.SplitList(path), "/usr/local/sbin", "/usr/sbin", "/sbin")
	for _, name := range needed {
		if find(name, dirs) == "" {
			missing = append(missing, name)
		}
	}
	for _, name := range []string{"ptp", "host-local", "portmap", "loopback"} {
		if find(name, []string{plugins}) == "" {
			missing = append(missing, filepath.Join(plugins, name))
		}
	}
	if len(missing) > 0 {
		return fmt.Errorf("a cluster needs programs that are not here: %s; install them: .ci/install kubernetes",
			strings.Join(missing, ", "))
	}
	return nil
}

func find(name string, dirs []string) string {
	for _, dir := range dirs {
		file := filepath.Join(dir, name)
		if info, err := os.Stat(file); err == nil && !info.IsDir() && info.Mode()&0o111 != 0 {
			return file
		}
	}
	return ""
}
