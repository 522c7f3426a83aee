package load

import (
	"context"
	"fmt"
	"slices"

	"github.com/setopsco/setops/pkg/api"
)

// finding is where the server and the book of a user differ, and how many commands were committed.
type finding struct {
	committed int
	lost      []string
}

// compare reads all commits and changesets of a user.
func (u *user) compare(ctx context.Context) (f finding, err error) {
	for _, b := range u.books {
		committed, open, err := u.marks(ctx, b)
		if err != nil {
			return f, err
		}
		f.committed += len(committed)
		if got := append(committed, open...); !slices.Equal(got, b.staged) {
			f.lost = append(f.lost, fmt.Sprintf("user %d on %s has %q, not %q", u.number, b.ref.Stage, got, b.staged))
		}
	}
	return f, nil
}

// marks gives what a user's commits of a stage have committed, and what is staged.
func (u *user) marks(ctx context.Context, b *book) (committed, open []string, err error) {
	if len(b.staged) == 0 {
		return nil, nil, nil
	}
	for _, id := range b.commits {
		commit, err := u.Commit(ctx, b.ref, id)
		if err != nil {
			return nil, nil, err
		}
		committed = append(committed, marksOf(commit.Changeset)...)
	}
	changeset, err := u.Changeset(ctx, b.ref)
	if isCode(err, "ChangesetDoesNotExist") {
		return committed, nil, nil
	}
	return committed, marksOf(changeset), err
}

func marksOf(c api.Changeset) []string {
	var all []string
	for _, command := range c.Commands {
		all = append(all, fmt.Sprint(command.Arguments["description"]))
	}
	return all
}
