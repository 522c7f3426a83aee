//go:build linux

package docker

import (
	"context"
	"regexp"
	"time"

	containers "github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"
)

// Docker tells at the start what is wrong with a program, but for what only the kernel finds out when it runs it: then the
// container starts, and runc writes why it has not, in the place of the program's first and only line.
var (
	unrunLine    = regexp.MustCompile(`^(?:standard_init_linux\.go:\d+: )?exec (?:user process caused: |(\S+): )(exec format error|no such file or directory|permission denied)$`)
	unrunReasons = map[string]string{
		"exec format error":         " is a program for another machine, or a script without an interpreter in its first line",
		"no such file or directory": " cannot be run: the interpreter or loader that it names is not in the image",
		"permission denied":         " cannot be run: its interpreter or loader is not executable",
	}
)

// unrunLimit is how soon a container ends whose program was never run.
const unrunLimit = 5 * time.Second

// whyUnrun says why the program of a container that has ended was never run; empty: it was.
func (r *Runtime) whyUnrun(ctx context.Context, one containers.InspectResponse) string {
	if one.State.ExitCode == 0 || timeOf(one.State.FinishedAt).Sub(timeOf(one.State.StartedAt)) > unrunLimit {
		return ""
	}
	stream, err := r.api.ContainerLogs(ctx, one.ID, client.ContainerLogsOptions{ShowStdout: true, ShowStderr: true, Timestamps: true, Tail: "2"})
	if err != nil {
		return "" // it is told by its exit code
	}
	defer stream.Close() //nolint:errcheck // it was only read
	var lines []string
	if err := readLog(stream, one.Config.Tty, func(_ time.Time, text string) { lines = append(lines, text) }); err != nil || len(lines) != 1 {
		return ""
	}
	found := unrunLine.FindStringSubmatch(lines[0])
	if found == nil {
		return ""
	}
	program := found[1]
	if program == "" {
		program = one.Path
	}
	return program + unrunReasons[found[2]]
}
