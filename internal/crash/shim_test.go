//go:build linux

package crash

import (
	"errors"
	"slices"
	"testing"

	"github.com/setopsco/setops/pkg/api"
)

// Docker Engine has shims of its own: docker_test.go kills it with all of them.
func TestACommitWhoseShimsAreKilledEnds(t *testing.T) {
	t.Parallel()
	needEmbedded(t)
	h := newHouse(t, "embedded", nil)
	for _, victims := range []string{"starting", "serving", "starting and serving"} {
		h.stageVersion()
		old := h.shims()
		c, err := h.client.StartCommit(t.Context(), stageRef, api.StartCommit{})
		must(t, err)
		var fresh []int
		h.await("a task starts", func() error {
			fresh = slices.DeleteFunc(h.shims(), func(pid int) bool { return slices.Contains(old, pid) })
			if len(fresh) == 0 {
				return errors.New("none does")
			}
			return nil
		})
		for name, pids := range map[string][]int{"starting": fresh, "serving": old, "starting and serving": append(fresh, old...)} {
			if name == victims {
				must(t, killAll(pids))
			}
		}
		last, err := h.client.WatchCommit(t.Context(), stageRef, c.ID, func(api.Progress) {})
		must(t, err)
		t.Logf("the shims of %s tasks killed: %s, %+v", victims, last.State, last.Failure)
		h.await("all apps serve", func() error { _, err := h.versions(); return err })
		h.judge(c.ID, last.State == "done")
		h.settle()
	}
	h.stageVersion()
	h.commit()
	h.serves(h.live)
	h.settle()
	h.destroy()
}
