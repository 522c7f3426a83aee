package guide

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// environment keeps what the user's shell has, but for what would lead commands to the user's own server or session:
// there are a home and a data directory of the player's own, and free ports.
func (p *Player) environment() ([]string, error) {
	caches, err := goCaches()
	if err != nil {
		return nil, err
	}
	var env []string
	for _, v := range os.Environ() {
		name, _, _ := strings.Cut(v, "=")
		if !strings.HasPrefix(name, "SETOPS") && !strings.HasPrefix(name, "DOCKER_") && name != "XDG_RUNTIME_DIR" {
			env = append(env, v)
		}
	}
	local := "127.0.0.1,localhost,.localhost"
	return append(append(env, caches...),
		"HOME="+p.home(),
		"PATH="+strings.Join([]string{p.cfg.Programs, filepath.Join(p.home(), "bin"), os.Getenv("PATH")}, string(filepath.ListSeparator)),
		"NO_PROXY="+local, "no_proxy="+local,
		"SETOPSD_DATA_DIR="+p.data(),
		"SETOPSD_LISTEN=127.0.0.1:0",
		"SETOPSD_HTTP_LISTEN=127.0.0.1:0",
	), nil
}

// goCaches are where Go keeps things, which it finds by HOME otherwise.
func goCaches() ([]string, error) {
	keys := []string{"GOPATH", "GOCACHE", "GOMODCACHE", "GOFLAGS", "GOPROXY"}
	out, err := exec.Command("go", append([]string{"env"}, keys...)...).Output()
	if err != nil {
		return nil, fmt.Errorf("ask Go for its directories: %w", err)
	}
	lines := bytes.Split(out, []byte("\n"))
	env := make([]string, len(keys))
	for i, k := range keys {
		env[i] = k + "=" + string(lines[i])
	}
	return env, nil
}
