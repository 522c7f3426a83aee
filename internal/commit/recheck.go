package commit

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/setopsco/setops/internal/changeset"
	"github.com/setopsco/setops/internal/setops"
)

// recheck adds to the problems of a changeset the commands that fold, but that the rest of the server does not allow any
// more: a domain that another stage has validated meanwhile. The transaction of the commit point has the last word.
func (s *Service) recheck(ctx context.Context, stage setops.StageRef, commands []changeset.Command, problems []changeset.Problem) ([]changeset.Problem, error) {
	for i, c := range commands {
		if slices.ContainsFunc(problems, func(p changeset.Problem) bool { return p.Index == i }) {
			continue
		}
		err := s.Recheck(ctx, stage, c)
		var refused *setops.Error
		switch {
		case errors.As(err, &refused):
			problems = append(problems, changeset.Problem{Index: i, Command: c, Err: refused})
		case err != nil:
			return nil, fmt.Errorf("check command %s again: %w", c.Name(), err)
		}
	}
	slices.SortFunc(problems, func(a, b changeset.Problem) int { return cmp.Compare(a.Index, b.Index) })
	return problems, nil
}
