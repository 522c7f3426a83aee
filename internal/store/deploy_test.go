package store

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/setopsco/setops/internal/changeset"
	"github.com/setopsco/setops/internal/idempotency"
	"github.com/setopsco/setops/internal/setops"
)

// deployed asks for a commit of commands that nobody has staged.
func deployed(t *testing.T, s *Store, id string, u setops.User, commands ...changeset.Command) (changeset.Commit, error) {
	t.Helper()
	fresh := changeset.Changeset{ID: "of " + id, StageID: "s-1", UserID: u.ID, CreatedAt: now}
	return s.EnqueueUnstaged(t.Context(), ticket(id, u), fresh,
		func(setops.Spec, []changeset.Command, func(string) (int, error)) ([]changeset.Command, error) {
			return commands, nil
		})
}

func TestCommandsThatWereNeverStagedGoWithTheirCommit(t *testing.T) {
	s := withStage(t)
	ctx := t.Context()
	for i, end := range []changeset.State{changeset.Failed, changeset.Cancelled, changeset.Done} {
		id := "c-" + string(end)
		c, err := deployed(t, s, id, ada, create("web"))
		must(t, err)
		if c.State != changeset.Queued || !c.Unstaged || len(c.Changeset.Commands) != 1 || staged(t, s, ada) != nil {
			t.Errorf("%d: %+v, staged %v", i, c, staged(t, s, ada))
		}
		// Asked for again it is the same one.
		if again, err := deployed(t, s, id, ada, create("other")); err != nil || again.ID != c.ID || len(again.Changeset.Commands) != 1 {
			t.Errorf("%+v, %v", again, err)
		}
		c, _, err = s.Claim(ctx, "s-1", "owner", now, now.Add(time.Minute))
		must(t, err)
		stage(t, s, ada, create("worker")) // meanwhile
		must(t, s.EndCommit(ctx, c, end, nil, now))
		if got := staged(t, s, ada); !slices.Equal(got, []string{"app:create worker"}) {
			t.Errorf("after %s %v are staged", end, got)
		}
		if _, err := deployed(t, s, "c-0", ada, create("web")); !isInvalid(err) {
			t.Errorf("with something staged: %v", err)
		}
		if all, err := s.StagedCommands(ctx, "s-1", ada.ID); err != nil || len(all) != 1 {
			t.Errorf("left behind: %v, %v", all, err)
		}
		_, _, err = s.Discard(ctx, "s-1", ada.ID, now, idempotency.Receipt[int]{})
		must(t, err)
	}
}

func isInvalid(err error) bool {
	var e *setops.Error
	return errors.As(err, &e) && e.Code == setops.ChangesetInvalid
}

func TestADeployThatIsGivenUpInTheQueueLeavesNothing(t *testing.T) {
	s := withStage(t)
	_, err := deployed(t, s, "c-1", ada, create("web"))
	must(t, err)
	ended, err := s.GiveUp(t.Context(), now.Add(2*time.Hour), changeset.Failure{Code: "CommitFailed", Message: "late"})
	if err != nil || len(ended) != 1 || !ended[0].Failure.Dropped || staged(t, s, ada) != nil {
		t.Errorf("%+v, %v, staged %v", ended, err, staged(t, s, ada))
	}
}

func TestWithoutCommandsThereIsNoCommit(t *testing.T) {
	s := withStage(t)
	c, err := deployed(t, s, "c-1", ada)
	if err != nil || c.ID != "" || staged(t, s, ada) != nil {
		t.Errorf("%+v, %v, staged %v", c, err, staged(t, s, ada))
	}
	stage(t, s, ada, create("web")) // there is no changeset that would be in the way
	if got := staged(t, s, ada); len(got) != 1 {
		t.Errorf("staged %v", got)
	}
	_, err = s.EnqueueUnstaged(t.Context(), ticket("c-2", bob), changeset.Changeset{ID: "x", StageID: "s-1", UserID: bob.ID, CreatedAt: now},
		func(setops.Spec, []changeset.Command, func(string) (int, error)) ([]changeset.Command, error) {
			return nil, errors.New("no")
		})
	if err == nil || staged(t, s, bob) != nil {
		t.Errorf("%v, staged %v", err, staged(t, s, bob))
	}
}
