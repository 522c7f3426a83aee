//go:build linux

package embedded

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/setopsco/setops/internal/engine/embedded/network"
)

// etcDir holds the files that every container gets in its /etc.
const etcDir = "etc"

// writeEtc writes them and gives their mounts. A container has no IPv6, so localhost must not stand for ::1: programs
// would try that first, or listen there only.
func (r *Runtime) writeEtc(id, hostname string, place network.Endpoint) ([]specs.Mount, error) {
	files := []struct{ name, content string }{
		{"resolv.conf", "nameserver " + place.Gateway + "\n"},
		{"hostname", hostname + "\n"},
		{"hosts", "127.0.0.1\tlocalhost\n" + place.IP + "\t" + hostname + "\n"},
	}
	var mounts []specs.Mount
	for _, f := range files {
		path := filepath.Join(r.taskDir(id), etcDir, f.name)
		if err := os.WriteFile(path, []byte(f.content), 0o644); err != nil {
			return nil, fmt.Errorf("write /etc/%s: %w", f.name, err)
		}
		mounts = append(mounts, specs.Mount{
			Destination: "/etc/" + f.name, Source: path, Type: "bind",
			Options: []string{"bind", "rprivate", "nosuid", "nodev", "noexec"},
		})
	}
	return mounts, nil
}
