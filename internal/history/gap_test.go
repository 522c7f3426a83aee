package history_test

import (
	"context"
	"testing"
	"time"

	"github.com/setopsco/setops/internal/changeset"
	"github.com/setopsco/setops/internal/history"
	"github.com/setopsco/setops/internal/idempotency"
	"github.com/setopsco/setops/internal/setops"
)

// gap is a store with three commits, that set the scale of web to 1, 2 and 3, less those that a clean-up has removed.
type gap struct {
	history.Store
	version int64
	removed map[int64]bool
	staged  []changeset.Command
}

func scaled(n int) setops.Spec {
	app := setops.NewApp("web")
	app.Committed, app.Resources.Scale = true, n
	return setops.Spec{Apps: map[string]*setops.App{"web": app}}
}

func commitOf(version int64) changeset.Commit {
	return changeset.Commit{ID: string(rune('a' + version)), Version: version, Passed: true, State: changeset.Done}
}

func (p *gap) Commit(_ context.Context, _, id string) (changeset.Commit, error) {
	return commitOf(int64(id[0] - 'a')), nil
}

func (p *gap) CommitsSince(_ context.Context, _, id string) (all []changeset.Commit, err error) {
	for version := int64(id[0]-'a') + 1; version <= 3; version++ {
		if !p.removed[version] {
			all = append(all, commitOf(version))
		}
	}
	return all, nil
}

func (p *gap) Delta(_ context.Context, id string) (changeset.Delta, error) {
	version := int(id[0] - 'a')
	return changeset.Delta{Before: scaled(version - 1), After: scaled(version)}, nil
}

func (p *gap) Version(context.Context, string) (int64, error)       { return p.version, nil }
func (p *gap) Spec(context.Context, string) (setops.Spec, error)    { return scaled(3), nil }
func (p *gap) exists(context.Context, string, string) (bool, error) { return true, nil }
func (p *gap) StageRevert(_ context.Context, _ changeset.Changeset, decide changeset.Decide,
	_ idempotency.Receipt[[]changeset.Command],
) (err error) {
	p.staged, err = decide(scaled(3), nil, nil)
	return err
}

// TestAStageIsNotBroughtBackToWhatNobodyKnows has an old commit that is left, and one behind it that a clean-up has removed.
func TestAStageIsNotBroughtBackToWhatNobodyKnows(t *testing.T) {
	for name, test := range map[string]struct {
		version int64
		removed map[int64]bool
		known   bool
	}{
		"all are known":      {3, nil, true},
		"one between":        {3, map[int64]bool{2: true}, false},
		"the newest":         {3, map[int64]bool{3: true}, false},
		"one that is coming": {2, nil, true},
	} {
		t.Run(name, func(t *testing.T) {
			p := &gap{version: test.version, removed: test.removed}
			s := history.Service{
				Store: p, Running: p, Exists: p.exists, NewID: func() string { return "new" }, Now: func() time.Time { return now },
				Admit: func(context.Context, setops.StageRef, changeset.Command) error { return nil },
			}
			done, err := s.Revert(t.Context(), stage, setops.User{ID: "u-1"}, history.Revert{Commit: commitOf(1).ID, To: true}, idempotency.Receipt[history.Reverted]{})
			switch {
			case test.known && (err != nil || len(p.staged) != 1 || done.After.Apps["web"].Resources.Scale != 1):
				t.Errorf("%v: %+v", err, p.staged)
			case !test.known && (!setops.IsCode(err, setops.ChangesetInvalid) || p.staged != nil):
				t.Errorf("%v: %+v", err, p.staged)
			}
		})
	}
}
