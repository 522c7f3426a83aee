//go:build linux

package crash

import (
	"errors"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/setopsco/setops/pkg/api"
)

// diskSize has room for the images and databases of a house, and is quickly full.
const diskSize = "96m"

// fullFor is how long it is: a commit whose end cannot be written waits for that.
const fullFor = 2 * time.Second

func TestACommitEndsThatFillsTheDisk(t *testing.T) {
	t.Parallel()
	needEmbedded(t)
	var disk string
	t.Cleanup(func() { _ = syscall.Unmount(disk, syscall.MNT_DETACH) }) // the test has done it, unless it failed
	h := newHouse(t, "embedded", func(s *server) {
		disk = s.data()
		must(t, os.Mkdir(disk, 0o700))
		must(t, syscall.Mount("tmpfs", disk, "tmpfs", 0, "size="+diskSize))
	})
	for done := 0; done < 13; done += stride(4) {
		h.stageVersion()
		c, err := h.client.StartCommit(t.Context(), stageRef, api.StartCommit{})
		must(t, err)
		came, freed := in("applying", done).came, make(chan struct{})
		full := false
		_, err = h.client.WatchCommit(t.Context(), stageRef, c.ID, func(p api.Progress) {
			if !full && came(p) {
				full = true
				h.fill()
				time.AfterFunc(fullFor, func() { h.free(); close(freed) })
			}
		})
		must(t, err)
		<-freed
		h.await("all apps serve", func() error { _, err := h.versions(); return err })
		last, err := h.client.Commit(t.Context(), stageRef, c.ID)
		must(t, err)
		t.Logf("full after %d steps: %s, %+v", done, last.State, last.Failure)
		h.judge(c.ID, last.State == "done")
		h.settle()
	}
	h.stageVersion()
	h.commit()
	h.settle()
	must(t, h.client.DestroyProject(t.Context(), stageRef.ProjectRef))
	h.stop()
	must(t, syscall.Unmount(disk, 0))
	h.leavesNothing()
}

// filler is a file in the way of all others.
const filler = "filler"

// fill leaves no room in the data directory.
func (h *house) fill() {
	h.t.Helper()
	f, err := os.Create(h.data(filler))
	must(h.t, err)
	defer f.Close() //nolint:errcheck // it is full
	block := make([]byte, 1<<16)
	for err == nil {
		_, err = f.Write(block)
	}
	if !errors.Is(err, syscall.ENOSPC) {
		h.t.Fatal(err)
	}
}

func (h *house) free() {
	if err := os.Remove(h.data(filler)); err != nil {
		h.t.Error(err)
	}
}
