//go:build chaos

package daemon

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/setopsco/setops/internal/changeset"
	"github.com/setopsco/setops/internal/commit"
	"github.com/setopsco/setops/internal/plan"
	"github.com/setopsco/setops/internal/setops"
)

// chaos is the store of a server that shall break while it commits. SETOPSD_CHAOS names a file with a fault in each line. Each
// strikes once, when a commit comes to its point, and is out of the file by then:
//
//	kill before POINT   the process kills itself, and the write is not done
//	kill after POINT    the write is done
//	fail before POINT   the write is not done: the disk is full
//	fail after POINT    the write is done, and the answer lost
//
// Points are the writes of a commit: enqueue, claim, take over, "phase PHASE", journal, pass, "end STATE", and of each step
// "begin STEP" and "done STEP", by its id with the app in the place of the generation. The step runs between the two.
type chaos struct {
	commit.Store
	mu   sync.Mutex
	file string
}

func (c *core) storeOfCommits() commit.Store {
	return &chaos{Store: c.store, file: os.Getenv("SETOPSD_CHAOS")}
}

// at does a write, unless a fault strikes.
func (s *chaos) at(point string, write func() error) error {
	s.kill("before " + point)
	if s.strikes("fail before " + point) {
		return fmt.Errorf("write %s: %w", point, syscall.ENOSPC)
	}
	err := write()
	s.kill("after " + point)
	if s.strikes("fail after " + point) {
		return fmt.Errorf("write %s: %w", point, syscall.EIO)
	}
	return err
}

func (s *chaos) kill(moment string) {
	if s.strikes("kill " + moment) {
		syscall.Kill(os.Getpid(), syscall.SIGKILL) //nolint:errcheck // nobody is there to hear of it
		select {}
	}
}

func (s *chaos) strikes(fault string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	text, err := os.ReadFile(s.file)
	if err != nil {
		return false // nobody has armed it
	}
	faults := strings.Split(string(text), "\n")
	i := slices.Index(faults, fault)
	if i < 0 {
		return false
	}
	left := strings.Join(slices.Delete(faults, i, i+1), "\n")
	return os.WriteFile(s.file, []byte(left), 0o600) == nil
}

func (s *chaos) Enqueue(ctx context.Context, t changeset.Ticket) (c changeset.Commit, err error) {
	err = s.at("enqueue", func() error { c, err = s.Store.Enqueue(ctx, t); return err })
	return c, err
}

func (s *chaos) Claim(ctx context.Context, stageID, owner string, now, until time.Time) (c changeset.Commit, ok bool, err error) {
	err = s.at("claim", func() error { c, ok, err = s.Store.Claim(ctx, stageID, owner, now, until); return err })
	return c, ok && err == nil, err
}

func (s *chaos) TakeOver(ctx context.Context, id, owner string, now, until time.Time) (c changeset.Commit, ok bool, err error) {
	err = s.at("take over", func() error { c, ok, err = s.Store.TakeOver(ctx, id, owner, now, until); return err })
	return c, ok && err == nil, err
}

func (s *chaos) SetPhase(ctx context.Context, c changeset.Commit, p changeset.Phase) error {
	return s.at("phase "+string(p), func() error { return s.Store.SetPhase(ctx, c, p) })
}

func (s *chaos) WriteJournal(ctx context.Context, c changeset.Commit, p plan.Plan, prints map[string]string, d changeset.Delta, now time.Time) error {
	return s.at("journal", func() error { return s.Store.WriteJournal(ctx, c, p, prints, d, now) })
}

func (s *chaos) StepStarted(ctx context.Context, commitID string, fence int64, position int, now time.Time) error {
	p, _, _, err := s.Store.Journal(ctx, commitID)
	if err != nil {
		return err
	}
	return s.at("begin "+placeOf(p.Steps[position]), func() error { return s.Store.StepStarted(ctx, commitID, fence, position, now) })
}

func (s *chaos) StepDone(ctx context.Context, commitID string, fence int64, position int, step plan.Step, now time.Time) error {
	return s.at("done "+placeOf(step), func() error { return s.Store.StepDone(ctx, commitID, fence, position, step, now) })
}

func (s *chaos) Pass(ctx context.Context, c changeset.Commit, after setops.Spec, p plan.Plan, now time.Time) error {
	return s.at("pass", func() error { return s.Store.Pass(ctx, c, after, p, now) })
}

func (s *chaos) EndCommit(ctx context.Context, c changeset.Commit, end changeset.State, f *changeset.Failure, now time.Time) error {
	return s.at("end "+string(end), func() error { return s.Store.EndCommit(ctx, c, end, f, now) })
}

// placeOf names a step alike in all commits that have it.
func placeOf(s plan.Step) string {
	if s.Generation == "" {
		return s.ID
	}
	return strings.ReplaceAll(s.ID, s.Generation, s.App)
}
