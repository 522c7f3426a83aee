// Package load is many users of one server at the same time: each reads, stages commands on a few stages, commits them, and
// keeps a book of it. In the end the books are compared with what the server says: no command may be lost, be there twice,
// or have changed places.
//
// It is used by the load test and by the bench. Start with Prepare, then Run.
package load

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/setopsco/setops/pkg/api"
	"github.com/setopsco/setops/pkg/client"
)

// App is the app of every stage.
const App = "web"

// Config says who asks whom for how much.
type Config struct {
	URL     string
	Project client.ProjectRef
	Stages  int      // their names are StageName(0) and on
	Tokens  []string // of the users: one client each
	// Each client ends after Operations, or when Duration has passed, whichever is set.
	Operations int
	Duration   time.Duration
	Pause      time.Duration // mean time between two operations of a client
	ReadOnly   bool
	Seed       uint64
}

// Report is what has come of it.
type Report struct {
	Staged, Committed, Commits int
	Reads                      []time.Duration // how long each took, sorted
	Took                       time.Duration
	Faults                     []string // requests without an answer, answers of a status of 500 and above
	Lost                       []string // where a user's book and the server differ
}

// Operations is how many there were.
func (r Report) Operations() int { return len(r.Reads) + r.Staged + r.Commits }

// Percentile is the time that p of a hundred reads took at most.
func (r Report) Percentile(p int) time.Duration {
	if len(r.Reads) == 0 {
		return 0
	}
	return r.Reads[min(len(r.Reads)*p/100, len(r.Reads)-1)]
}

// StageName names the i-th stage.
func StageName(i int) string { return fmt.Sprintf("stage%d", i) }

func (c Config) stage(i int) client.StageRef {
	return client.StageRef{ProjectRef: c.Project, Stage: StageName(i)}
}

// Prepare makes the project, where it is not there, and the stages, each with its app, as the user of a token who may.
func Prepare(ctx context.Context, c Config, token string) error {
	admin := client.New(c.URL, token, client.Options{})
	if _, err := admin.CreateProject(ctx, c.Project); err != nil && !isCode(err, "ProjectAlreadyExists") {
		return fmt.Errorf("create project: %w", err)
	}
	return Each(c.Stages, func(i int) error {
		if _, err := admin.CreateStage(ctx, c.stage(i)); err != nil {
			return fmt.Errorf("create stage %s: %w", StageName(i), err)
		}
		return Commit(ctx, admin, c.stage(i), api.AppCreate{Name: App})
	})
}

// workers is how many calls Each makes at once.
const workers = 8

// Each calls f for each number below n, several at once, and gives all errors.
func Each(n int, f func(i int) error) error { return EachOf(n, workers, f) }

// EachOf is Each with so many calls at once.
func EachOf(n, atOnce int, f func(i int) error) error {
	var all sync.WaitGroup
	errs := make([]error, n)
	for w := range atOnce {
		all.Go(func() {
			for i := w; i < n; i += atOnce {
				errs[i] = f(i)
			}
		})
	}
	all.Wait()
	return errors.Join(errs...)
}

// Commit stages commands, where there are any, and commits what is staged.
func Commit(ctx context.Context, c *client.Client, ref client.StageRef, commands ...api.Arguments) error {
	if len(commands) > 0 {
		if _, err := c.StageCommands(ctx, ref, commands...); err != nil {
			return fmt.Errorf("stage on %s: %w", ref.Stage, err)
		}
	}
	commit, err := c.StartCommit(ctx, ref, api.StartCommit{})
	if err != nil {
		return fmt.Errorf("commit on %s: %w", ref.Stage, err)
	}
	end, err := c.WatchCommit(ctx, ref, commit.ID, func(api.Progress) {})
	if err == nil && end.State != done {
		err = fmt.Errorf("commit on %s ended as %s: %+v", ref.Stage, end.State, end.Failure)
	}
	return err
}

// done is the state of a commit that went well.
const done = "done"

// Run lets all users work, waits until they have ended, and compares.
func Run(ctx context.Context, c Config) (Report, error) {
	users := make([]*user, len(c.Tokens))
	errs := make([]error, len(users))
	began := time.Now()
	var all sync.WaitGroup
	for i := range users {
		users[i] = newUser(c, i)
		all.Go(func() { errs[i] = users[i].work(ctx, began) })
	}
	all.Wait()
	report := Report{Took: time.Since(began)}
	if err := errors.Join(errs...); err != nil {
		return report, err
	}
	found := make([]finding, len(users))
	err := Each(len(users), func(i int) (err error) {
		found[i], err = users[i].compare(ctx)
		return err
	})
	for i, u := range users {
		report.add(u, found[i])
	}
	slices.Sort(report.Reads)
	return report, err
}

func (r *Report) add(u *user, f finding) {
	r.Committed += f.committed
	r.Lost = append(r.Lost, f.lost...)
	r.Staged += u.staged
	r.Commits += u.commits
	r.Reads = append(r.Reads, u.reads...)
	r.Faults = append(r.Faults, u.faults...)
}
