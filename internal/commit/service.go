// Package commit makes changesets live. A commit is: lock the stage → fold and validate → observe, plan, write the
// journal → run the steps → done. It belongs to the server, not to the request that began it: it goes on when nobody
// listens, and what a crash interrupts is undone or carried forward at the next start (resume.go).
//
// Start with Service.Start; run.go is the life of one commit.
package commit

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/setopsco/setops/internal/apply"
	"github.com/setopsco/setops/internal/changeset"
	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/plan"
	"github.com/setopsco/setops/internal/setops"
)

// Store is what commits need of the store; see there for what each method does.
type Store interface {
	BeginCommit(ctx context.Context, id, stageID, userID string, now time.Time) (changeset.Commit, error)
	Commit(ctx context.Context, stageID, id string) (changeset.Commit, bool, error)
	RunningCommits(ctx context.Context) ([]changeset.Commit, error)
	SetPhase(ctx context.Context, commitID string, p changeset.Phase) error
	Pass(ctx context.Context, commitID, stageID string, after setops.Spec, p plan.Plan) error
	EndCommit(ctx context.Context, c changeset.Commit, failure *changeset.Failure, now time.Time) error

	WriteJournal(ctx context.Context, commitID, stageID string, p plan.Plan, fingerprints map[string]string, now time.Time) error
	Journal(ctx context.Context, commitID string) (p plan.Plan, started, done map[int]bool, err error)
	Unfinished(ctx context.Context) (map[string]setops.StageRef, error)
	apply.Journal

	Spec(ctx context.Context, stageID string) (setops.Spec, error)
	Serving(ctx context.Context, stageID string) (map[string]plan.Generation, error)
	Generations(ctx context.Context) (map[string]bool, error)
	Ports(ctx context.Context, stageID string) (map[string]int, error)
	StageRefs(ctx context.Context) (refs []setops.StageRef, destroying []bool, err error)
}

// Config is what a Service is made from.
type Config struct {
	Store        Store
	Engine       engine.Engine
	OpenEnv      func(stageID string, app *setops.App) (map[string]string, error)
	Routes       Routes
	Ports        apply.PortKeeper // of public tcp apps
	RemoveImages func(ctx context.Context, repository string) error
	Recheck      func(ctx context.Context, s setops.StageRef, c changeset.Command) error // refuses what only the server knows
	Key          []byte                                                                  // of fingerprints
	Now          func() time.Time
	Logger       *slog.Logger
	// Predecessor, where set, returns when no earlier process of the server sends requests to tasks any more: the switch waits
	// for that, or somebody could get an answer of the old tasks after one of the new ones.
	Predecessor func(ctx context.Context) error
}

// Routes is the router as commits see it: Refresh makes the routes of a stage what the committed state says.
type Routes interface {
	Refresh(ctx context.Context, s setops.StageRef) error
}

// Service runs commits.
type Service struct {
	Config
	ports  apply.Ports
	ctx    context.Context // ends when the server stops
	cancel context.CancelCauseFunc
	wg     sync.WaitGroup

	mu      sync.Mutex
	streams map[string]*stream // of running commits, by id
	held    bool               // no commit may begin
	running int
	idle    chan struct{} // closed while none runs
}

// errShutdown is why a commit is left where it is: the next start finds its journal.
var errShutdown = errors.New("the server stops")

// New makes the service. Resume must be called before the first Start.
func New(c Config) *Service {
	s := &Service{Config: c, streams: map[string]*stream{}, idle: make(chan struct{})}
	close(s.idle)
	s.ctx, s.cancel = context.WithCancelCause(context.Background())
	s.ports = apply.Ports{
		Engine: c.Engine, Journal: c.Store, OpenEnv: c.OpenEnv, Pass: s.pass, Ports: c.Ports, RemoveImages: c.RemoveImages, Now: c.Now,
	}
	return s
}

// Close leaves running commits where they are and returns when nothing of them runs in this process.
func (s *Service) Close() {
	s.cancel(errShutdown)
	s.wg.Wait()
}

// Start begins to commit what a user has staged and returns at once. Errors: ChangesetDoesNotExist,
// CommitAlreadyRunning (temporary), ChangesetLocked, Overload (temporary) while commits are held. A commit that has that very
// id already is the one that was asked for.
func (s *Service) Start(ctx context.Context, stage setops.StageRef, user setops.User, id string) (changeset.Commit, error) {
	if c, ok, err := s.Store.Commit(ctx, stage.ID, id); ok || err != nil {
		return c, err
	}
	if err := s.begin(); err != nil {
		return changeset.Commit{}, err
	}
	c, err := s.Store.BeginCommit(ctx, id, stage.ID, user.ID, s.Now())
	if err != nil {
		s.done()
		return c, err
	}
	c.UserEmail = user.Email
	st := s.open(c)
	s.wg.Go(func() {
		defer s.done()
		s.run(s.ctx, stage, c, st)
	})
	return c, nil
}

// Commit gives a commit of a stage. Errors: CommitNotFound.
func (s *Service) Commit(ctx context.Context, stageID, id string) (changeset.Commit, error) {
	c, ok, err := s.Store.Commit(ctx, stageID, id)
	if err == nil && !ok {
		err = setops.Refuse(setops.CommitNotFound, "there is no commit %s on this stage", id)
	}
	if f := s.failure(id); f != nil {
		c.Failure = f
	}
	return c, err
}
