package transact

import (
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/setopsco/setops/internal/changeset"
	"github.com/setopsco/setops/internal/commit"
	"github.com/setopsco/setops/internal/engine/fake"
	"github.com/setopsco/setops/internal/engine/host"
	"github.com/setopsco/setops/internal/gc"
	"github.com/setopsco/setops/internal/history"
	"github.com/setopsco/setops/internal/idempotency"
	"github.com/setopsco/setops/internal/setops"
)

// past is a world whose every committed state is remembered.
type past struct {
	*world
	dice
	depot   *depot
	gc      *gc.Service
	version int64
	were    map[string]setops.Spec // by commit: what the stage was right after it
	counted map[string]int         // what has happened how often
	pushed  int
}

func newPast(t *testing.T, seed uint64) *past {
	t.Helper()
	d := newDepot(t)
	p := &past{world: newWorld(t, d), dice: dicesOf(seed), depot: d, were: map[string]setops.Spec{}, counted: map[string]int{}}
	p.serve(t)
	p.gc = &gc.Service{
		Store: p.store, Images: d, Engine: p.engine, Logger: slog.New(slog.DiscardHandler), Limits: gc.Limits{Commits: 8, Releases: 2},
	}
	return p
}

// brokenImage cannot be started. One that exits could be up for a moment, and count as live.
var brokenImage = fake.Image{StartErr: &host.StartError{Reason: "it is broken"}}

// commitsOfARun is how many a seed has before its states are brought back.
const commitsOfARun = 50

// TestEveryStateOfTheHistoryCanBeHadAgain has users commit, fail, cancel, discard and revert at random, with clean-up between, and
// looks after each step at all that must hold. In the end each state that the history still knows is brought back.
func TestEveryStateOfTheHistoryCanBeHadAgain(t *testing.T) {
	t.Parallel()
	total := map[string]int{}
	each(t, 2, func(t *testing.T, seed uint64) {
		p := newPast(t, seed)
		for p.counted["done"]+p.counted["failed"]+p.counted["cancelled"] < commitsOfARun {
			p.step(t)
		}
		p.allAgain(t)
		t.Log(p.counted)
		for what, n := range p.counted {
			total[what] += n
		}
	})
	for _, what := range []string{"done", "failed", "cancelled", "reverted", "reverted to", "conflicts", "cleaned up", "images collected", "discarded"} {
		if total[what] == 0 && !t.Failed() {
			t.Errorf("nothing was %s in any run: %v", what, total)
		}
	}
}

func (p *past) step(t *testing.T) {
	t.Helper()
	switch n := p.IntN(20); {
	case n < 3:
		p.revertOne(t)
	case n < 5:
		p.revertTo(t)
	case n < 7:
		p.cleanUp(t)
	case n < 8:
		p.discardSome(t)
	case n < 10:
		p.cancelOne(t)
	case n < 12: // bob has staged for a stage that ada changes before he commits
		p.stageSome(t, bob)
		p.stageSome(t, ada)
		p.commit(t, ada)
		p.commit(t, bob)
	default:
		p.stageSome(t, ada)
		if p.in(8) {
			p.cleanUp(t)
		}
		p.commit(t, ada)
	}
}

// stageSome stages some commands that apply.
func (p *past) stageSome(t *testing.T, u setops.User) {
	t.Helper()
	for wanted := 1 + p.IntN(5); wanted > 0; wanted-- {
		spec, _ := changeset.Fold(p.spec(t), p.staged(t, u))
		if p.in(3) {
			p.release(t, u, spec)
			continue
		}
		p.stage(t, u, p.command(spec))
	}
}

// release pushes an image, and stages a release of it and its activation.
func (p *past) release(t *testing.T, u setops.User, spec setops.Spec) {
	t.Helper()
	app := spec.Apps[pick(p.dice, appNames...)]
	if app == nil || !app.Committed {
		return
	}
	p.pushed++
	digest := p.depot.push(t, app.Name, fmt.Sprint("image ", p.pushed))
	if p.in(8) {
		p.runtime.SetImage(digest, brokenImage)
	}
	results, ok := p.stage(t, u, &changeset.ReleaseCreate{AppName: app.Name, Digest: digest})
	if ok && !p.in(6) {
		p.stage(t, u, p.activate(app.Name, results[0].Command.(*changeset.ReleaseCreate).ID))
	}
}

// commit commits what a user has staged, and checks how it ended.
func (p *past) commit(t *testing.T, u setops.User) changeset.Commit {
	t.Helper()
	before, staged := p.spec(t), p.staged(t, u)
	if len(staged) == 0 {
		return changeset.Commit{}
	}
	r := commit.Request{ID: newID()}
	if preview, err := p.commits.Preview(t.Context(), stage, u); err == nil && p.in(3) {
		r.Plan = preview.Hash
	}
	c, err := p.commits.Start(t.Context(), stage, u, r)
	must(t, err)
	return p.ended(t, u, p.await(t, p.commits, c.ID), before, staged)
}

// ended checks that a commit has done all or nothing.
func (p *past) ended(t *testing.T, u setops.User, c changeset.Commit, before setops.Spec, staged []changeset.Command) changeset.Commit {
	t.Helper()
	p.counted[string(c.State)]++
	want, problems := changeset.Fold(before, staged)
	switch c.State {
	case changeset.Done:
		if p.version++; len(problems) > 0 || c.Version != p.version {
			t.Fatalf("commit %s made version %d, %v", c.ID, c.Version, problems)
		}
		same(t, "after commit "+c.ID, p.spec(t), want, true)
		p.were[c.ID] = p.spec(t)
	case changeset.Failed, changeset.Cancelled:
		p.nothingOf(t, c, before, problems)
		if encoded(t, p.staged(t, u)) != encoded(t, staged) {
			t.Fatalf("commit %s has %s, and staged is %s", c.ID, c.State, encoded(t, p.staged(t, u)))
		}
		p.discard(t, u)
	default:
		t.Fatalf("commit %s ended as %s", c.ID, c.State)
	}
	p.settled(t)
	p.nothingToDo(t)
	return c
}

// nothingOf checks that a commit that is not done has changed nothing, and failed for a reason.
func (p *past) nothingOf(t *testing.T, c changeset.Commit, before setops.Spec, problems []changeset.Problem) {
	t.Helper()
	same(t, "after commit "+c.ID+" was given up", p.spec(t), before, true)
	if c.State == changeset.Cancelled {
		return
	}
	want := string(setops.CommitFailed)
	if len(problems) > 0 {
		want = string(setops.ChangesetInvalid)
	}
	if c.Failure == nil || c.Failure.Code != want {
		t.Fatalf("commit %s failed by %+v, and of its commands do not apply: %v", c.ID, c.Failure, problems)
	}
}

func (p *past) discardSome(t *testing.T) {
	t.Helper()
	before := p.spec(t)
	p.stageSome(t, ada)
	p.discard(t, ada)
	same(t, "after a discard", p.spec(t), before, true)
	p.nothingToDo(t)
	p.counted["discarded"]++
}

// cancelOne cancels a commit at once, or while its task runs.
func (p *past) cancelOne(t *testing.T) {
	t.Helper()
	p.stageSome(t, ada)
	staged, before := p.staged(t, ada), p.spec(t)
	spec, problems := changeset.Fold(before, staged)
	for _, name := range appNames {
		if app := spec.Apps[name]; app != nil && app.ActiveRelease != 0 && len(problems) == 0 {
			p.stage(t, ada, &changeset.ReleaseActivate{AppName: app.Name, ID: app.ActiveRelease, Before: []string{"wait"}})
			break
		}
	}
	staged = p.staged(t, ada)
	if len(staged) == 0 {
		return
	}
	c, err := p.commits.Start(t.Context(), stage, ada, commit.Request{ID: newID()})
	must(t, err)
	until := pick(p.dice, changeset.Initializing, changeset.Applying)
	must(t, p.commits.Watch(t.Context(), stage.ID, c.ID, 0, func(now commit.Progress) bool {
		return now.State == changeset.Queued || now.Phase != until && now.Phase != changeset.Applying
	}))
	if _, err = p.commits.Cancel(t.Context(), stage, bob, c.ID); !setops.IsCode(err, setops.AlreadyCommitted) && !setops.IsCode(err, setops.CommitAlreadyEnded) {
		must(t, err)
	}
	p.ended(t, ada, p.await(t, p.commits, c.ID), before, staged)
}

// passed gives the commits that the history knows and that are live, or were, the oldest first.
func (p *past) passed(t *testing.T) []changeset.Commit {
	t.Helper()
	return slices.DeleteFunc(p.commitsInOrder(t), func(c changeset.Commit) bool { return !c.Passed })
}

func (p *past) revertOne(t *testing.T) {
	t.Helper()
	all := p.passed(t)
	if len(all) == 0 || !p.revert(t, pick(p.dice, all...), p.in(4)) {
		return
	}
	if p.in(3) {
		p.cleanUp(t)
	}
	p.commit(t, ada)
}

// revert stages what takes one commit back. It may be refused only for a conflict, or where nothing is left to take back.
func (p *past) revert(t *testing.T, c changeset.Commit, force bool) (staged bool) {
	t.Helper()
	delta, err := p.store.Delta(t.Context(), c.ID)
	must(t, err)
	now := p.spec(t)
	target, conflicts := changeset.Inverse(delta.Before, delta.After, now)
	done, err := p.history.Revert(t.Context(), stage, ada, history.Revert{Commit: c.ID, Force: force}, idempotency.Receipt[history.Reverted]{})
	if setops.IsCode(err, setops.ChangesetInvalid) {
		if len(conflicts) == 0 || force {
			if len(changeset.Between(now, target)) > 0 {
				t.Fatalf("the revert of commit %s is refused: %v", c.ID, err)
			}
			return false
		}
		p.counted["conflicts"]++
		return false
	}
	must(t, err)
	if len(conflicts) > 0 && !force {
		t.Fatalf("commit %s is reverted in spite of %+v", c.ID, conflicts)
	}
	same(t, "what a revert stages", done.After, target, false)
	p.counted["reverted"]++
	return true
}

func (p *past) revertTo(t *testing.T) {
	t.Helper()
	if all := p.passed(t); len(all) > 0 {
		p.bringBack(t, pick(p.dice, all...))
	}
}

// bringBack makes the stage what it was right after a commit.
func (p *past) bringBack(t *testing.T, c changeset.Commit) {
	t.Helper()
	was, now := p.were[c.ID], p.spec(t)
	_, err := p.history.Revert(t.Context(), stage, ada, history.Revert{Commit: c.ID, To: true}, idempotency.Receipt[history.Reverted]{})
	var refused *setops.Error
	if errors.As(err, &refused) && refused.Code == setops.ChangesetInvalid {
		if text(now, false) != text(was, false) && !p.isForgotten(t, c) {
			t.Fatalf("the stage cannot be what it was after commit %s: %v", c.ID, err)
		}
		p.counted["not reverted to"]++
		return
	}
	must(t, err)
	if p.isForgotten(t, c) {
		t.Fatalf("the stage shall be what it was after commit %s, and nobody knows that any more", c.ID)
	}
	p.counted["reverted to"]++
	if again := p.commit(t, ada); again.State != changeset.Done {
		t.Fatalf("what was cannot be again: %+v", again.Failure)
	}
	same(t, "back after commit "+c.ID, p.spec(t), was, false)
}

// isForgotten reports that what a later commit changed is not known any more.
func (p *past) isForgotten(t *testing.T, c changeset.Commit) bool {
	t.Helper()
	later := slices.DeleteFunc(p.passed(t), func(l changeset.Commit) bool { return l.Version <= c.Version })
	return int64(len(later)) < p.version-c.Version
}

// cleanUp runs the clean-up, at times when nothing is young any more, and checks that nothing is lost that is named.
func (p *past) cleanUp(t *testing.T) {
	t.Helper()
	p.gc.Now = time.Now
	if !p.in(3) {
		p.gc.Now = func() time.Time { return time.Now().Add(gc.Grace + time.Hour) }
	}
	before := p.spec(t)
	report, err := p.gc.Run(t.Context(), false)
	must(t, err)
	p.counted["cleaned up"]++
	p.counted["images collected"] += len(report.Images)
	same(t, "after the clean-up", p.spec(t), before, false)
	for app, digests := range p.named(t) {
		for digest := range digests {
			if !p.depot.has(t, app, digest) {
				t.Fatalf("image %s of app %s is named and was collected", digest, app)
			}
		}
	}
	p.nothingToDo(t)
}

// named gives the images, by app, that releases, changesets and the commits of the history name.
func (p *past) named(t *testing.T) map[string]map[string]bool {
	t.Helper()
	all := map[string]map[string]bool{}
	add := func(app, digest string) {
		if all[app] == nil {
			all[app] = map[string]bool{}
		}
		all[app][digest] = true
	}
	specs := []setops.Spec{p.spec(t)}
	commands := append(p.staged(t, ada), p.staged(t, bob)...)
	for _, c := range p.commitsInOrder(t) {
		commands = append(commands, c.Changeset.Commands...)
		delta, err := p.store.Delta(t.Context(), c.ID)
		must(t, err)
		specs = append(specs, delta.Before, delta.After)
	}
	for _, spec := range specs {
		for _, app := range spec.Apps {
			for _, r := range app.Releases {
				add(app.Name, r.Digest)
			}
		}
	}
	for _, c := range commands {
		if r, ok := c.(*changeset.ReleaseCreate); ok {
			add(r.AppName, r.Digest)
		}
	}
	return all
}

// allAgain brings every state back that the history knows: step by step to one of them, and then each at once, in random order.
func (p *past) allAgain(t *testing.T) {
	t.Helper()
	all := p.passed(t)
	p.stepByStep(t, all)
	rand.New(p.dice).Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	for _, c := range all {
		p.bringBack(t, c)
	}
}

// stepByStep reverts the last commits, the newest first. No conflict can be: each finds the stage as it has left it.
func (p *past) stepByStep(t *testing.T, all []changeset.Commit) {
	t.Helper()
	for i := len(all) - 1; i > 0 && i >= len(all)-6 && all[i].Version == all[i-1].Version+1; i-- {
		conflicts := p.counted["conflicts"]
		if p.revert(t, all[i], false) {
			if c := p.commit(t, ada); c.State != changeset.Done {
				t.Fatalf("commit %s cannot be taken back: %+v", all[i].ID, c.Failure)
			}
		}
		if p.counted["conflicts"] > conflicts {
			t.Fatalf("commit %s, the last one of those that are left, has conflicts", all[i].ID)
		}
		same(t, "without commit "+all[i].ID, p.spec(t), p.were[all[i-1].ID], false)
	}
}
