package staging

import (
	"context"
	"slices"

	"github.com/setopsco/setops/internal/changeset"
	"github.com/setopsco/setops/internal/idempotency"
	"github.com/setopsco/setops/internal/setops"
)

// Removed is a command that was dropped from a changeset.
type Removed struct {
	Command changeset.Command
	Left    int      // how many are still staged
	Broken  []string // which of them do not apply without it, and why
}

// Remove drops one command of what a user has staged; the first is number 1. The others stay, also those that do not apply
// without it: they are named. Errors: ChangesetDoesNotExist, ValidationFailed.
func (s *Service) Remove(ctx context.Context, stage setops.StageRef, user setops.User, number int,
	receipt idempotency.Receipt[Removed],
) (Removed, error) {
	signed := idempotency.Receipt[changeset.Staged]{
		Request: receipt.Request, Answer: func(was changeset.Staged) any { return receipt.Answer(removed(was, number)) },
	}
	was, err := s.Store.RemoveCommand(ctx, stage.ID, user.ID, number-1, s.Now(), signed)
	if err != nil {
		return Removed{}, err
	}
	return removed(was, number), nil
}

// removed compares what is staged without a command to what was staged with it.
func removed(was changeset.Staged, number int) Removed {
	left := slices.Delete(slices.Clone(was.Commands), number-1, number)
	r := Removed{Command: was.Commands[number-1], Left: len(left)}
	_, before := changeset.Fold(was.Committed, was.Commands)
	_, problems := changeset.Fold(was.Committed, left)
	for _, p := range problems {
		if !slices.ContainsFunc(before, func(b changeset.Problem) bool { return b.Command == p.Command }) {
			r.Broken = append(r.Broken, p.Error())
		}
	}
	return r
}
