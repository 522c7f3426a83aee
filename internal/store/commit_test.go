package store

import (
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/setopsco/setops/internal/changeset"
	"github.com/setopsco/setops/internal/idempotency"
	"github.com/setopsco/setops/internal/plan"
	"github.com/setopsco/setops/internal/setops"
)

func TestCommitsOfAStageRunOneAfterTheOther(t *testing.T) {
	s := withStage(t)
	ctx := t.Context()
	_, err := s.Enqueue(ctx, ticket("c-0", ada))
	refused(t, err, setops.ChangesetDoesNotExist)
	stage(t, s, ada, create("web"))
	stage(t, s, bob, create("worker"))
	_, err = s.Enqueue(ctx, ticket("c-1", ada))
	must(t, err)
	c, err := s.Enqueue(ctx, ticket("c-2", bob))
	if err != nil || c.State != changeset.Queued || c.Ahead != 1 {
		t.Errorf("%+v, %v", c, err)
	}
	// Who has staged nothing since is told of the commit that takes what was staged.
	_, err = s.Enqueue(ctx, ticket("c-3", ada))
	var e *setops.Error
	if !errors.As(err, &e) || e.Code != setops.CommitAlreadyRunning || e.Temporary || !strings.HasPrefix(e.Message, "your commit c-1") {
		t.Errorf("got %v", err)
	}
	stage(t, s, ada, create("more"))
	hasty := ticket("c-4", ada)
	hasty.NoQueue = true
	if _, err = s.Enqueue(ctx, hasty); !errors.As(err, &e) || e.Code != setops.CommitAlreadyRunning || !e.Temporary {
		t.Errorf("got %v", err)
	}
	// The same ticket twice is one commit.
	if c, err = s.Enqueue(ctx, ticket("c-2", bob)); err != nil || c.ID != "c-2" {
		t.Errorf("%+v, %v", c, err)
	}
	var won atomic.Int32
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			c, ok, err := s.Claim(ctx, "s-1", fmt.Sprint("owner ", i), now, now.Add(time.Minute))
			if err != nil || ok && c.ID != "c-1" {
				t.Errorf("%+v, %v", c, err)
			}
			if ok {
				won.Add(1)
			}
		})
	}
	wg.Wait()
	if won.Load() != 1 {
		t.Errorf("%d owners have the turn", won.Load())
	}
	busy, err := s.MarkDestroying(ctx, "s-1", bob.Email, now)
	if err != nil || !busy {
		t.Errorf("%v, %v", busy, err)
	}
	if c, _, err := s.Commit(ctx, "s-1", "c-2"); err != nil || c.State != changeset.Cancelled || c.Cancelled != bob.Email {
		t.Errorf("%+v, %v", c, err)
	}
	if _, ok, err := s.Claim(ctx, "s-1", "owner", now, now); ok || err != nil {
		t.Errorf("a turn is given on a stage that is destroyed: %v", err)
	}
}

func TestACommitTakesTheChangesetAndNewCommandsOpenAnother(t *testing.T) {
	s := withStage(t)
	ctx := t.Context()
	stage(t, s, ada, create("web"), scale("web", 2))
	c := begin(t, s, "c-1", ada)
	if c.State != changeset.Running || c.Phase != changeset.Initializing || c.UserEmail != ada.Email || len(c.Changeset.Commands) != 2 {
		t.Errorf("%+v", c)
	}
	if got := staged(t, s, ada); got != nil {
		t.Errorf("still staged: %v", got)
	}
	stage(t, s, ada, create("worker"))
	commands, err := s.StagedCommands(ctx, "s-1", ada.ID)
	if err != nil || len(commands) != 3 {
		t.Errorf("all that is staged: %v, %v", commands, err)
	}
	// It fails: what was staged meanwhile goes behind what comes back.
	must(t, s.EndCommit(ctx, c, changeset.Failed, &changeset.Failure{Code: "CommitFailed", Message: "no", Step: "await", Log: []string{"a secret"}}, now))
	if got := staged(t, s, ada); !slices.Equal(got, []string{"app:create web", "app:resource:set web", "app:create worker"}) {
		t.Errorf("staged %v", got)
	}
	c, ok, err := s.Commit(ctx, "s-1", "c-1")
	if err != nil || !ok || c.State != changeset.Failed || c.FinishedAt != now || c.Failure.Step != "await" || c.Failure.Log != nil {
		t.Errorf("%+v, %v", c, err)
	}
	// It can be committed again, and then nothing is staged.
	c = begin(t, s, "c-2", ada)
	must(t, s.EndCommit(ctx, c, changeset.Done, nil, now))
	if got := staged(t, s, ada); got != nil {
		t.Errorf("staged %v", got)
	}
	if running, err := s.RunningCommits(ctx); err != nil || len(running) > 0 {
		t.Errorf("%v, %v", running, err)
	}
	if _, ok, err := s.Commit(ctx, "s-2", "c-2"); ok || err != nil {
		t.Errorf("another stage's commit is found: %v", err)
	}
}

// TestCommandsComeBackInTheOrderInWhichTheyWereStaged has three changesets of one user, two of them in commits that are given up
// in either order. Of the last one a command was dropped.
func TestACommitIsListedWithoutItsCommands(t *testing.T) {
	s := withStage(t)
	stage(t, s, ada, create("web"), scale("web", 2))
	c := begin(t, s, "c-1", ada)
	if c.Commands != 2 || len(c.Changeset.Commands) != 2 {
		t.Errorf("%+v", c)
	}
	all, err := s.Commits(t.Context(), "s-1", "", 10)
	if err != nil || len(all) != 1 || all[0].Commands != 2 || all[0].Changeset.Commands != nil {
		t.Errorf("%+v, %v", all, err)
	}
	where, ok, err := s.Where(t.Context(), "s-1", "c-1")
	if err != nil || !ok || where.State != changeset.Running || where.Lease != c.Lease || where.Changeset.Commands != nil {
		t.Errorf("%+v, %v", where, err)
	}
	for _, other := range [][2]string{{"s-2", "c-1"}, {"s-1", "c-"}, {"s-1", "%"}} {
		if _, ok, err := s.Where(t.Context(), other[0], other[1]); ok || err != nil {
			t.Errorf("%q: %v, %v", other, ok, err)
		}
	}
}

func TestCommandsComeBackInTheOrderInWhichTheyWereStaged(t *testing.T) {
	for _, order := range [][]string{{"c-1", "c-2"}, {"c-2", "c-1"}} {
		s := withStage(t)
		for i, name := range []string{"one", "two"} {
			stage(t, s, ada, &changeset.AppCreate{AppName: name}, &changeset.ResourceSet{AppName: name, Scale: new(2)})
			_, err := s.Enqueue(t.Context(), ticket(fmt.Sprint("c-", i+1), ada))
			must(t, err)
		}
		stage(t, s, ada, &changeset.AppCreate{AppName: "gone"}, &changeset.AppCreate{AppName: "three"}, &changeset.AppDestroy{AppName: "one"})
		stage(t, s, bob, &changeset.AppCreate{AppName: "other"})
		_, err := s.RemoveCommand(t.Context(), "s-1", ada.ID, 0, now, idempotency.Receipt[changeset.Staged]{})
		must(t, err)
		for _, id := range order {
			_, err := s.Cancel(t.Context(), "s-1", id, ada.Email, now)
			must(t, err)
		}
		stage(t, s, ada, &changeset.AppCreate{AppName: "four"})
		want := []string{
			"app:create one", "app:resource:set one", "app:create two", "app:resource:set two", "app:create three", "app:destroy one", "app:create four",
		}
		if got := staged(t, s, ada); !slices.Equal(got, want) {
			t.Errorf("cancelled in the order %v: %v", order, got)
		}
	}
}

// TestPositionsOfAnEarlierVersionStillMakeOneChangeset is for changesets that were frozen when each was counted for itself.
func TestPositionsOfAnEarlierVersionStillMakeOneChangeset(t *testing.T) {
	s := withStage(t)
	ctx := t.Context()
	stage(t, s, ada, &changeset.AppCreate{AppName: "one"}, &changeset.AppCreate{AppName: "two"})
	_, err := s.Enqueue(ctx, ticket("c-1", ada))
	must(t, err)
	stage(t, s, ada, &changeset.AppCreate{AppName: "three"}, &changeset.AppCreate{AppName: "four"})
	for _, from := range []int{2, 3} {
		must(t, s.change(ctx, func(tx *sql.Tx) error {
			_, err := exec(ctx, tx, `UPDATE commands SET position = position - 2 WHERE position = $1`, from)
			return err
		}))
	}
	_, err = s.Cancel(ctx, "s-1", "c-1", ada.Email, now)
	must(t, err)
	if got := staged(t, s, ada); !slices.Equal(got, []string{"app:create one", "app:create two", "app:create three", "app:create four"}) {
		t.Errorf("%v", got)
	}
}

func TestTheJournalTellsWhatWasBegunAndDone(t *testing.T) {
	s := withStage(t)
	ctx := t.Context()
	stage(t, s, ada, create("web"), release("web", 1), activate("web", 1))
	c := begin(t, s, "c-1", ada)
	p := start("web", "g-1")
	p.Steps = append(p.Steps, plan.Step{ID: "remove g-0", Kind: plan.RemoveGeneration, App: "web", Generation: "g-0", Needs: []string{"switch"}, After: true})
	must(t, s.WriteJournal(ctx, c, p, map[string]string{"web": "f"}, changeset.Delta{}, now))
	must(t, s.SetPhase(ctx, c, changeset.Applying))
	must(t, s.StepStarted(ctx, "c-1", c.Lease.Fence, 0, now))
	must(t, s.StepDone(ctx, "c-1", c.Lease.Fence, 0, p.Steps[0], now))
	must(t, s.StepStarted(ctx, "c-1", c.Lease.Fence, 1, now))

	back, started, done, err := s.Journal(ctx, "c-1")
	must(t, err)
	if back.String() != p.String() || !started[0] || !started[1] || started[2] || !done[0] || done[1] || done[2] {
		t.Errorf("%s started %v done %v", back, started, done)
	}
	running, err := s.RunningCommits(ctx)
	if err != nil || len(running) != 1 || running[0].Done != 1 || running[0].Total != 2 || running[0].Phase != changeset.Applying || running[0].Passed {
		t.Errorf("%+v, %v", running, err)
	}
	if serving, err := s.Serving(ctx, "s-1"); err != nil || len(serving) > 0 {
		t.Errorf("a generation serves before the commit point: %v, %v", serving, err)
	}

	spec, err := s.Spec(ctx, "s-1")
	must(t, err)
	after, _ := changeset.Fold(spec, c.Changeset.Commands)
	must(t, s.Pass(ctx, c, after, p, now))
	serving, err := s.Serving(ctx, "s-1")
	if err != nil || serving["web"] != (plan.Generation{ID: "g-1", App: "web", Fingerprint: "f"}) {
		t.Errorf("%v, %v", serving, err)
	}
	if st, _, err := s.Stage(ctx, "p-1", "production"); err != nil || st.Version != 1 {
		t.Errorf("version %d, %v", st.Version, err)
	}
	must(t, s.EndCommit(ctx, c, changeset.Done, nil, now))
	isJournalled(t, s, "c-1", stepDone, stepDone, stepPlanned)
	unfinished, err := s.Unfinished(ctx)
	if err != nil || unfinished["c-1"].Name != "production" {
		t.Errorf("%v, %v", unfinished, err)
	}
	must(t, s.StepDone(ctx, "c-1", 0, 2, p.Steps[2], now))
	if unfinished, err = s.Unfinished(ctx); err != nil || len(unfinished) > 0 {
		t.Errorf("%v, %v", unfinished, err)
	}
}

func TestAFailedCommitForgetsTheGenerationsThatItStarted(t *testing.T) {
	s := withStage(t)
	ctx := t.Context()
	pass(t, s, "c-1", start("web", "g-1"), create("web"), release("web", 1), activate("web", 1))
	stage(t, s, ada, scale("web", 2))
	c := begin(t, s, "c-2", ada)
	must(t, s.WriteJournal(ctx, c, start("web", "g-2"), map[string]string{"web": "f2"}, changeset.Delta{}, now))
	must(t, s.EndCommit(ctx, c, changeset.Failed, &changeset.Failure{Code: "CommitFailed"}, now))
	var n int
	must(t, s.read.QueryRowContext(ctx, `SELECT count(*) FROM generations`).Scan(&n))
	serving, err := s.Serving(ctx, "s-1")
	if err != nil || n != 1 || serving["web"].ID != "g-1" {
		t.Errorf("%d generations, %v, %v", n, serving, err)
	}
}

func TestTheJournalOfAFailedCommitSaysThatItIsUndone(t *testing.T) {
	s := withStage(t)
	ctx := t.Context()
	stage(t, s, ada, create("web"), release("web", 1), activate("web", 1))
	c := begin(t, s, "c-1", ada)
	p := start("web", "g-1")
	p.Steps = append(p.Steps, plan.Step{ID: "await g-1", Kind: plan.AwaitGeneration, App: "web", Generation: "g-1"})
	must(t, s.WriteJournal(ctx, c, p, nil, changeset.Delta{}, now))
	must(t, s.StepStarted(ctx, "c-1", c.Lease.Fence, 0, now))
	must(t, s.StepDone(ctx, "c-1", c.Lease.Fence, 0, p.Steps[0], now))
	must(t, s.StepStarted(ctx, "c-1", c.Lease.Fence, 1, now))
	must(t, s.EndCommit(ctx, c, changeset.Failed, &changeset.Failure{Code: "CommitFailed"}, now))
	isJournalled(t, s, "c-1", stepUndone, stepUndone, stepPlanned)
	if ended, _, err := s.Commit(ctx, "s-1", "c-1"); err != nil || ended.Done != 1 {
		t.Errorf("%d steps were done, %v", ended.Done, err)
	}
}

// isJournalled looks for the states of a commit's steps.
func isJournalled(t *testing.T, s *Store, id string, want ...string) {
	t.Helper()
	steps, err := s.Steps(t.Context(), id)
	must(t, err)
	var got []string
	for _, step := range steps {
		got = append(got, step.State)
	}
	if !slices.Equal(got, want) {
		t.Errorf("the steps of %s are %q, not %q", id, got, want)
	}
}

func TestTheSwitchRetiresTheOldGenerationInTheSameTransaction(t *testing.T) {
	s := withStage(t)
	pass(t, s, "c-1", start("web", "g-1"), create("web"), release("web", 1), activate("web", 1))
	p := start("web", "g-2")
	p.Steps = append(p.Steps, plan.Step{ID: "remove g-1", Kind: plan.RemoveGeneration, App: "web", Generation: "g-1", After: true})
	pass(t, s, "c-2", p, scale("web", 2))
	serving, err := s.Serving(t.Context(), "s-1")
	if err != nil || serving["web"].ID != "g-2" {
		t.Errorf("%v, %v", serving, err)
	}
	must(t, s.StepDone(t.Context(), "c-2", 0, 2, p.Steps[2], now))
	left, err := s.Generations(t.Context())
	if err != nil || !maps.Equal(left, map[string]bool{"g-2": true}) {
		t.Errorf("generations left: %v, %v", left, err)
	}
}
