package load

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/setopsco/setops/pkg/api"
	"github.com/setopsco/setops/pkg/client"
)

// user is one client with its book.
type user struct {
	Config
	*client.Client
	number int
	random *rand.Rand
	books  []*book

	staged, commits int
	reads           []time.Duration
	faults          []string
}

// book is what a user has done on one stage.
type book struct {
	ref     client.StageRef
	staged  []string // marks of commands, in order
	open    int      // how many of them are staged since the last commit
	commits []string // ids, in order
}

// stagesEach is how many stages a user works on.
const stagesEach = 4

func newUser(c Config, number int) *user {
	u := &user{Config: c, number: number, random: rand.New(rand.NewPCG(c.Seed, uint64(number)))}
	u.Client = client.New(c.URL, c.Tokens[number], client.Options{Trace: u.hear})
	for _, i := range u.random.Perm(c.Stages)[:min(stagesEach, c.Stages)] {
		u.books = append(u.books, &book{ref: c.stage(i)})
	}
	return u
}

// hear counts what must not happen. A user does one thing at a time.
func (u *user) hear(t client.Trace) {
	if t.Status == 0 || t.Status >= http.StatusInternalServerError {
		u.faults = append(u.faults, fmt.Sprintf("%s %s: %d %v", t.Method, t.URL, t.Status, t.Err))
	}
}

// work does what one user does.
func (u *user) work(ctx context.Context, began time.Time) error {
	for n := 0; u.goesOn(n, began); n++ {
		if err := u.pause(ctx); err != nil {
			return err
		}
		if err := u.once(ctx); err != nil {
			return fmt.Errorf("user %d, operation %d: %w", u.number, n, err)
		}
	}
	return nil
}

func (u *user) goesOn(n int, began time.Time) bool {
	return (u.Operations == 0 || n < u.Operations) && (u.Duration == 0 || time.Since(began) < u.Duration)
}

func (u *user) pause(ctx context.Context) error {
	if u.Pause == 0 {
		return ctx.Err()
	}
	select {
	case <-time.After(time.Duration(u.random.ExpFloat64() * float64(u.Pause))):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// once reads, stages or commits: of twenty operations fourteen are the first, five the second.
func (u *user) once(ctx context.Context) error {
	b := u.books[u.random.IntN(len(u.books))]
	n := u.random.IntN(20)
	switch {
	case n < 14 || u.ReadOnly:
		began := time.Now()
		err := u.read(ctx, b, n)
		u.reads = append(u.reads, time.Since(began))
		return err
	case n == 14 && b.open > 0:
		return u.commit(ctx, b)
	}
	return u.stage(ctx, b)
}

func (u *user) read(ctx context.Context, b *book, n int) error {
	app := client.AppRef{StageRef: b.ref, App: App}
	var err error
	switch n % 4 {
	case 0:
		_, err = u.App(ctx, app)
	case 1:
		_, err = u.Releases(ctx, app)
	case 2:
		_, err = u.Apps(ctx, b.ref)
	case 3:
		_, err = u.Changeset(ctx, b.ref)
		if isCode(err, "ChangesetDoesNotExist") {
			err = nil
		}
	}
	return err
}

// variables is how many a user sets on a stage: those of a stage must not grow without end.
const variables = 3

// stage sets a variable with a mark that nobody else uses.
func (u *user) stage(ctx context.Context, b *book) error {
	mark := fmt.Sprintf("user %d, command %d", u.number, u.staged)
	_, err := u.StageCommands(ctx, b.ref, api.EnvSet{
		Name: App, Key: fmt.Sprintf("U%d_%d", u.number, u.random.IntN(variables)), Value: mark, Description: mark,
	})
	if err != nil {
		return err
	}
	b.staged = append(b.staged, mark)
	b.open++
	u.staged++
	return nil
}

// commit commits, behind the commits of others, and waits for the end.
func (u *user) commit(ctx context.Context, b *book) error {
	commit, err := u.StartCommit(ctx, b.ref, api.StartCommit{})
	if err != nil {
		return err
	}
	b.commits, b.open = append(b.commits, commit.ID), 0
	u.commits++
	end, err := u.WatchCommit(ctx, b.ref, commit.ID, func(api.Progress) {})
	if err == nil && end.State != done {
		err = fmt.Errorf("commit %s ended as %s: %+v", commit.ID, end.State, end.Failure)
	}
	return err
}

func isCode(err error, code string) bool {
	var refused *api.ServiceError
	return errors.As(err, &refused) && refused.HasCode(code)
}
