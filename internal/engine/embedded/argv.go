//go:build linux

package embedded

import (
	"fmt"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/engine/host"
)

// defaultPath is the PATH of programs whose image sets none.
const defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// argv is what runs: as with Docker, an entrypoint of the app drops the image's command too.
func argv(c engine.Container, image v1.Config) ([]string, error) {
	entrypoint, command := c.Entrypoint, c.Command
	if len(entrypoint) == 0 {
		entrypoint = image.Entrypoint
		if len(command) == 0 {
			command = image.Cmd
		}
	}
	all := slices.Concat(entrypoint, command)
	if len(all) == 0 {
		return nil, &host.StartError{
			Reason: "the image has neither an entrypoint nor a command: set one in the image, or the container's command",
		}
	}
	return all, nil
}

// environment merges the container's variables over the image's, over a PATH. The first place of a name is kept.
func environment(image, own []string) ([]string, error) {
	var merged []string
	place := map[string]int{}
	for _, e := range slices.Concat([]string{"PATH=" + defaultPath}, image, own) {
		key, value, isPair := strings.Cut(e, "=")
		if !isPair || key == "" {
			continue // images may hold nonsense; ours was checked long ago
		}
		if strings.ContainsRune(key+value, 0) {
			return nil, &host.StartError{Reason: fmt.Sprintf("the value of the environment variable %q holds a zero byte", key)}
		}
		if i, known := place[key]; known {
			merged[i] = e
			continue
		}
		place[key] = len(merged)
		merged = append(merged, e)
	}
	return merged, nil
}
