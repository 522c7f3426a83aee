package transact

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/setopsco/setops/internal/changeset"
	"github.com/setopsco/setops/internal/commit"
	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/setops"
)

// every is a registry that has whatever it is asked for: here no image is ever collected.
type every struct{}

func (every) Exists(context.Context, string, string) (bool, error) { return true, nil }
func (every) Tag(context.Context, string, string) (string, error)  { return "", nil }
func (every) Prepare(engine.Image)                                 {}
func (every) Digest(context.Context, string, string) (string, bool, error) {
	return "", false, nil
}

func ledgerKey(u setops.User, n int) string {
	return fmt.Sprintf("%s_%d", strings.TrimPrefix(u.ID, "u-"), n)
}

func ledgerEntry(u setops.User, n int) *changeset.EnvSet {
	return &changeset.EnvSet{AppName: ledger, Key: ledgerKey(u, n), Value: "x"}
}

// ledger is an app that runs nothing and stays. Each batch of commands that a user stages ends with a variable of it, so that
// it can be told from all others.
const ledger = "ledger"

// author is a user who stages and commits at random.
type author struct {
	dice
	w    *world
	user setops.User
	on   func() *commit.Service // the server that is asked next

	batches []string // what was staged, in order, as text
	started []string // ids of commits
	dropped []changeset.Command
}

// newSerial gives a world that serves, with its ledger.
func newSerial(t *testing.T) *world {
	t.Helper()
	w := newWorld(t, every{})
	w.serve(t)
	w.stage(t, ada, &changeset.AppCreate{AppName: ledger})
	c, err := w.commits.Start(t.Context(), stage, ada, commit.Request{ID: newID()})
	must(t, err)
	if c = w.await(t, w.commits, c.ID); c.State != changeset.Done {
		t.Fatalf("%+v", c.Failure)
	}
	return w
}

// stageBatch stages commands for the stage as it may be: others commit meanwhile, so that some will not apply.
func (a *author) stageBatch(t *testing.T) {
	t.Helper()
	spec, _ := changeset.Fold(a.w.spec(t), a.w.staged(t, a.user))
	delete(spec.Apps, ledger)
	var batch []changeset.Command
	for range 1 + a.IntN(2) {
		c := a.command(spec)
		if app := spec.Apps[c.App()]; app != nil && app.Committed && a.in(2) {
			c = &changeset.ReleaseCreate{AppName: app.Name, Digest: fmt.Sprintf("sha256:%064x", a.IntN(8))}
		}
		batch = append(batch, c)
		spec, _ = changeset.Fold(spec, batch[len(batch)-1:])
	}
	results, ok := a.w.stage(t, a.user, append(batch, ledgerEntry(a.user, len(a.batches)))...)
	if !ok {
		return
	}
	staged := make([]changeset.Command, len(results))
	for i, r := range results {
		staged[i] = r.Command
	}
	a.batches = append(a.batches, encoded(t, staged))
}

func (a *author) commit(t *testing.T) {
	t.Helper()
	r := commit.Request{ID: newID(), NoQueue: a.in(8)}
	err := a.ask(t, func(s *commit.Service) error {
		_, err := s.Start(context.Background(), stage, a.user, r)
		return err
	})
	if err == nil { // else nothing is staged, or somebody is first
		a.started = append(a.started, r.ID)
	}
}

// cancel cancels some commit of this user, whatever has become of it.
func (a *author) cancel(t *testing.T) {
	t.Helper()
	if len(a.started) == 0 {
		return
	}
	id := pick(a.dice, a.started[max(0, len(a.started)-3):]...)
	err := a.ask(t, func(s *commit.Service) error {
		_, err := s.Cancel(context.Background(), stage, a.user, id)
		return err
	})
	if err != nil && err.Code != setops.AlreadyCommitted && err.Code != setops.CommitAlreadyEnded {
		t.Error(err)
	}
}

// ask asks servers until one has an answer: what a server says that dies meanwhile is none.
func (a *author) ask(t *testing.T, f func(*commit.Service) error) *setops.Error {
	t.Helper()
	for range 1000 {
		err := f(a.on())
		var refused *setops.Error
		switch {
		case err == nil:
			return nil
		case errors.As(err, &refused) && refused.Kind != setops.Fault:
			return refused
		case a.w.isWhole:
			t.Error(err)
			return nil
		}
	}
	t.Error("no server has an answer")
	return nil
}

// drop discards what is left when all commits of this user have ended: what failed once would mostly fail again.
func (a *author) drop(t *testing.T) {
	t.Helper()
	for _, id := range a.started {
		a.w.awaitEnd(t, id)
	}
	a.dropped = append(a.dropped, a.w.staged(t, a.user)...)
	a.w.discard(t, a.user)
}

// awaitEnd waits until a commit has ended, whoever runs it.
func (w *world) awaitEnd(t *testing.T, id string) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(2 * time.Millisecond) {
		c, _, err := w.store.Commit(t.Context(), stage.ID, id)
		must(t, err)
		if c.State.Ended() {
			return
		}
	}
	t.Errorf("commit %s does not end", id)
}

func (a *author) work(t *testing.T, steps int) {
	for range steps {
		switch n := a.IntN(10); {
		case n < 5:
			a.stageBatch(t)
		case n < 8:
			a.commit(t)
		case n < 9:
			a.cancel(t)
		default:
			a.drop(t)
		}
	}
}

// authors gives two users, or three.
func (w *world) authors(seed uint64, on func() *commit.Service) (all []*author) {
	for i, u := range []setops.User{ada, bob, cyd}[:2+seed%2] {
		all = append(all, &author{dice: dicesOf(seed*10 + uint64(i)), w: w, user: u, on: on})
	}
	return all
}

func together(authors []*author, work func(*author)) {
	var working sync.WaitGroup
	for _, a := range authors {
		working.Go(func() { work(a) })
	}
	working.Wait()
}

// TestCommitsOfSeveralUsersAreAsIfTheyHadComeOneAfterTheOther lets users stage, commit and cancel at the same time.
func TestCommitsOfSeveralUsersAreAsIfTheyHadComeOneAfterTheOther(t *testing.T) {
	t.Parallel()
	total := map[changeset.State]int{}
	each(t, 3, func(t *testing.T, seed uint64) {
		w := newSerial(t)
		before := w.spec(t)
		authors := w.authors(seed, func() *commit.Service { return w.commits })
		together(authors, func(a *author) { a.work(t, 80) })
		w.settled(t)
		for state, n := range w.serial(t, before, authors) {
			total[state] += n
		}
	})
	t.Log(total)
	for _, state := range []changeset.State{changeset.Done, changeset.Failed, changeset.Cancelled} {
		if total[state] == 0 && !t.Failed() {
			t.Errorf("no commit was %s: %v", state, total)
		}
	}
}

// serial checks that the stage is what its done commits make of it in the order of their versions, that the others failed for a
// reason, and that each batch is in one done commit or is still staged. It counts how commits ended.
func (w *world) serial(t *testing.T, spec setops.Spec, authors []*author) map[changeset.State]int {
	t.Helper()
	counted, live := map[changeset.State]int{}, map[string][][]changeset.Command{}
	version := int64(1)                         // that of the ledger
	for _, c := range w.commitsInOrder(t)[1:] { // of one stage, they run in the order in which they were asked for
		counted[c.State]++
		after, problems := changeset.Fold(spec, c.Changeset.Commands)
		switch {
		case c.State == changeset.Done && len(problems) == 0 && c.Version == version+1:
			spec, version = stored(after), c.Version
			live[c.UserID] = append(live[c.UserID], c.Changeset.Commands)
		case c.State == changeset.Cancelled && c.Cancelled != "":
		case c.State == changeset.Failed && (hasReason(*c.Failure, problems) || !w.isWhole && wasInterrupted(*c.Failure)):
		default:
			t.Fatalf("commit %s (version %d behind %d) is %s by %+v; at its place do not apply: %v", c.ID, c.Version, version, c.State, c.Failure, problems)
		}
	}
	same(t, "after all commits", w.spec(t), spec, true)
	for _, a := range authors {
		w.nothingLost(t, a, live[a.user.ID])
	}
	w.nothingToDo(t)
	return counted
}

// stored is a spec as the store gives it back.
func stored(s setops.Spec) setops.Spec {
	s = s.Clone()
	for _, app := range s.Apps {
		app.Committed = true
	}
	return s
}

// hasReason reports whether a failure names the commands that do not apply; where all do, it was an app that did not get ready.
func hasReason(f changeset.Failure, problems []changeset.Problem) bool {
	if len(problems) == 0 {
		return f.Code == string(setops.CommitFailed)
	}
	for _, p := range problems {
		if !strings.Contains(f.Message, p.Error()) {
			return false
		}
	}
	return f.Code == string(setops.ChangesetInvalid)
}

func wasInterrupted(f changeset.Failure) bool {
	return f.Code == string(setops.CommitFailed) && strings.HasPrefix(f.Message, "the server was stopped while the commit ran")
}

// nothingLost checks that each batch that a user has staged is there once, in a commit that is live, among what is staged or
// among what was dropped, and that each of those has its batches in the order in which they were staged.
func (w *world) nothingLost(t *testing.T, a *author, live [][]changeset.Command) {
	t.Helper()
	seen := map[int]bool{}
	for _, commands := range append(live, w.staged(t, a.user), a.dropped) {
		last := -1
		for _, n := range a.batchesOf(t, commands) {
			if seen[n] || n < last {
				t.Fatalf("%s: batch %d comes behind %d, or twice", a.user.Email, n, last)
			}
			seen[n], last = true, n
		}
	}
	if len(seen) != len(a.batches) {
		t.Fatalf("%s has staged %d batches, and there are left %v", a.user.Email, len(a.batches), slices.Sorted(maps.Keys(seen)))
	}
}

// batchesOf cuts commands into batches.
func (a *author) batchesOf(t *testing.T, commands []changeset.Command) (numbers []int) {
	t.Helper()
	var batch []changeset.Command
	for _, c := range commands {
		batch = append(batch, c)
		if c.App() != ledger {
			continue
		}
		n := slices.Index(a.batches, encoded(t, batch))
		if n < 0 {
			t.Fatalf("%s has not staged %s", a.user.Email, encoded(t, batch))
		}
		numbers, batch = append(numbers, n), nil
	}
	if len(batch) > 0 {
		t.Fatalf("half of a batch is left: %s", encoded(t, batch))
	}
	return numbers
}
