package history_test

import (
	"context"
	"reflect"
	"testing"
	"time"

	"github.com/setopsco/setops/internal/changeset"
	"github.com/setopsco/setops/internal/history"
	"github.com/setopsco/setops/internal/idempotency"
	"github.com/setopsco/setops/internal/plan"
	"github.com/setopsco/setops/internal/seal"
	"github.com/setopsco/setops/internal/setops"
)

// memory is a stage that one commit has changed. It stages as the store does, without keeping anything.
type memory struct {
	commit  changeset.Commit
	delta   changeset.Delta
	meets   int // how often a transaction is run again
	staged  changeset.Changeset
	receipt any
}

func (m *memory) Commit(context.Context, string, string) (changeset.Commit, error) {
	return m.commit, nil
}

func (m *memory) Commits(context.Context, string, string, int) ([]changeset.Commit, error) {
	return []changeset.Commit{m.commit}, nil
}

func (m *memory) CommitsSince(context.Context, string, string) ([]changeset.Commit, error) {
	return nil, nil
}
func (m *memory) Version(context.Context, string) (int64, error)         { return 0, nil }
func (m *memory) Delta(context.Context, string) (changeset.Delta, error) { return m.delta, nil }
func (m *memory) Steps(context.Context, string) ([]plan.Record, error)   { return nil, nil }
func (m *memory) Spec(context.Context, string) (setops.Spec, error)      { return m.delta.After, nil }

func (m *memory) StageRevert(_ context.Context, fresh changeset.Changeset, decide changeset.Decide,
	receipt idempotency.Receipt[[]changeset.Command],
) (err error) {
	for range m.meets + 1 {
		if fresh.Commands, err = decide(m.delta.After, nil, nil); err != nil {
			return err
		}
		m.staged, m.receipt = fresh, receipt.Answer(fresh.Commands)
	}
	return nil
}

// committed gives a stage on which one commit has scaled web and set a variable.
func committed(t *testing.T) (*history.Service, *memory) {
	t.Helper()
	box, err := seal.New(make([]byte, seal.KeySize))
	if err != nil {
		t.Fatal(err)
	}
	before, _ := changeset.Fold(setops.Spec{}, []changeset.Command{&changeset.AppCreate{AppName: "web"}})
	before.Apps["web"].Committed = true
	after, problems := changeset.Fold(before, []changeset.Command{
		&changeset.ResourceSet{AppName: "web", Scale: new(3)},
		&changeset.EnvSet{AppName: "web", Key: "A", Value: box.Seal(seal.EnvPurpose(stage.ID, "web", "A"), "canary")},
	})
	if len(problems) > 0 {
		t.Fatal(problems[0])
	}
	m := &memory{
		commit: changeset.Commit{ID: "c-1", StageID: stage.ID, State: changeset.Done, Passed: true},
		delta:  changeset.DeltaOf(before, after),
	}
	return &history.Service{
		Store: m, Running: m, Box: box, NewID: func() string { return "back" }, Now: func() time.Time { return now },
		Exists: func(context.Context, string, string) (bool, error) { return true, nil },
		Admit:  func(context.Context, setops.StageRef, changeset.Command) error { return nil },
	}, m
}

func TestARevertIsStagedWithAReceiptOfAllThatItAnswers(t *testing.T) {
	s, m := committed(t)
	m.meets = 2
	kept := idempotency.Receipt[history.Reverted]{Answer: func(done history.Reverted) any { return done }}
	done, err := s.Revert(t.Context(), stage, ada, history.Revert{Commit: "c-1"}, kept)
	if err != nil || done.After.Apps["web"].Resources.Scale != 1 || len(done.After.Apps["web"].Env) != 0 || done.Before.Apps["web"].Resources.Scale != 3 {
		t.Errorf("%+v, %v", done, err)
	}
	if m.staged.Reverts != "c-1" || m.staged.UserID != ada.ID || len(m.staged.Commands) != 2 || !reflect.DeepEqual(m.receipt, done) {
		t.Errorf("staged %+v, receipt %+v", m.staged, m.receipt)
	}
}
