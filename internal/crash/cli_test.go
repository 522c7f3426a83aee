//go:build linux

package crash

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"testing"
)

// commandLine builds the command line.
var commandLine = sync.OnceValues(func() (string, error) { return build("setops", "../../cmd/setops", "0", "-ldflags", "-s -w") })

func TestACommitGoesOnWhenItsCommandLineIsKilled(t *testing.T) {
	t.Parallel()
	needEmbedded(t)
	h := newHouse(t, "embedded", nil)
	for n, ended := 1, false; !ended; n += stride(4) {
		h.stageVersion()
		var id string
		id, ended = h.commitByHand(n)
		h.await("the commit is done", func() error {
			c, err := h.client.Commit(t.Context(), stageRef, id)
			if err == nil && c.State != "done" {
				err = fmt.Errorf("it is %s", c.State)
			}
			return err
		})
		h.live = h.staged
		h.serves(h.live)
		if out, err := h.setops("changeset:attach", id).CombinedOutput(); err != nil {
			t.Errorf("attach to the commit: %v: %s", err, out)
		}
		h.settle()
	}
	h.destroy()
}

// commitByHand runs the command and kills it at that line of its output. It reports whether it had ended before.
func (h *house) commitByHand(line int) (id string, ended bool) {
	h.t.Helper()
	c := h.setops("changeset:commit")
	r, w, err := os.Pipe()
	must(h.t, err)
	defer r.Close() //nolint:errcheck // it was only read
	c.Stdout, c.Stderr = w, w
	must(h.t, c.Start())
	must(h.t, w.Close())
	lines, told := bufio.NewScanner(r), 0
	for told < line && lines.Scan() {
		told++
	}
	if ended = told < line; !ended {
		must(h.t, c.Process.Kill())
	}
	if _, err := io.Copy(io.Discard, r); err != nil {
		h.t.Error(err)
	}
	if err := c.Wait(); ended && err != nil {
		h.t.Errorf("the command: %v", err)
	}
	all, err := h.client.Commits(h.t.Context(), stageRef, 1)
	must(h.t, err)
	return all[0].ID, ended
}

func (h *house) setops(args ...string) *exec.Cmd {
	h.t.Helper()
	program, err := commandLine()
	must(h.t, err)
	c := exec.CommandContext(h.t.Context(), program, append([]string{"-p", stageRef.Project, "-s", stageRef.Stage}, args...)...)
	c.Env = append(os.Environ(), "SETOPS_URL=http://"+h.api(), "SETOPS_ORGANIZATION="+stageRef.Organization, "SETOPS_TOKEN="+h.token)
	return c
}
