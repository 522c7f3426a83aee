//go:build linux

package crash

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/setopsco/setops/internal/store/storetest"
	"github.com/setopsco/setops/pkg/api"
)

// another gives a second server of the same data directory and database, which stands by.
func (s *server) another() *server {
	s.t.Helper()
	twin := *s
	twin.life, twin.twin, twin.program = nil, freePorts(s.t), filepath.Join(s.dir, "setopsd-twin")
	if err := os.Link(s.program, twin.program); err != nil && !os.IsExist(err) {
		s.t.Fatal(err)
	}
	return &twin
}

// TestAServerThatIsKilledIsSucceededByOneThatStandsBy kills the server that keeps the tasks in a commit and without one: another
// one on the same database takes its place and ends the commit, and no task notices.
func TestAServerThatIsKilledIsSucceededByOneThatStandsBy(t *testing.T) {
	onEachHost(t, func(t *testing.T, engine string) {
		url := storetest.Postgres(t)
		h := newHouse(t, engine, func(s *server) { s.url = url })
		for _, m := range []moment{in("applying", 2), in("applying", 9), {name: "done", came: ended}} {
			twin := h.another()
			twin.start()
			h.stageVersion()
			first := h.server
			id, passed := h.commitUntil(m)
			h.outlived()
			killed := time.Now()
			h.server = twin
			h.connect()
			h.await("the other server serves", func() error { _, err := h.versions(); return err })
			h.judge(id, passed)
			t.Logf("%s: the commit had ended %s after the server was killed", m.name, time.Since(killed).Round(time.Millisecond))
			h.settle()
			// What the first one did, the second does; and the first comes back as the one that stands by.
			h.stageVersion()
			h.commit()
			h.serves(h.live)
			h.settle()
			if first.isAlive() {
				t.Error("the first server lives")
			}
			h.server.stop()
			first.twin = 0
			h.server = first
			h.start()
			h.connect()
			h.serves(h.live)
		}
		h.destroy()
	})
}

// TestAServerThatStandsByAnswersWhileTheOtherIsGone stages and asks for a commit of the one that stands by, which another takes up.
func TestAServerThatStandsByAnswersWhileTheOtherIsGone(t *testing.T) {
	t.Parallel()
	needEmbedded(t)
	url := storetest.Postgres(t)
	h := newHouse(t, "embedded", func(s *server) { s.url = url })
	twin := h.another()
	twin.start()
	h.kill()
	h.server = twin
	h.connect()
	h.stageVersion()
	c, err := h.client.StartCommit(t.Context(), stageRef, api.StartCommit{})
	must(t, err)
	end, err := h.client.WatchCommit(t.Context(), stageRef, c.ID, func(api.Progress) {})
	if err != nil || end.State != "done" {
		t.Fatalf("%+v, %v; log:\n%s", end, err, h.logged())
	}
	h.live = h.staged
	h.await("the other server serves", func() error { _, err := h.versions(); return err })
	h.serves(h.live)
	h.settle()
	h.destroy()
}
