// Package commit makes changesets live. A commit is: wait for its turn → fold and validate → observe, plan, write the
// journal → run the steps → done. It belongs to the server, not to the request that began it: it goes on when nobody
// listens, and what a crash interrupts is undone or carried forward at the next start (resume.go), or by another server.
//
// What can happen to a commit is written down in changeset.State. Start with Service.Start; queue.go gives commits their
// turn, run.go is the life of one.
package commit

import (
	"context"
	"encoding/json"
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
	Enqueue(ctx context.Context, t changeset.Ticket) (changeset.Commit, error)
	EnqueueUnstaged(ctx context.Context, t changeset.Ticket, fresh changeset.Changeset, decide changeset.Decide) (changeset.Commit, error)
	Claim(ctx context.Context, stageID, owner string, now, until time.Time) (changeset.Commit, bool, error)
	TakeOver(ctx context.Context, id, owner string, now, until time.Time) (changeset.Commit, bool, error)
	Renew(ctx context.Context, c changeset.Commit, until time.Time) (cancelledBy string, err error)
	Cancel(ctx context.Context, stageID, id, by string, now time.Time) (changeset.Commit, error)
	GiveUp(ctx context.Context, now time.Time, why changeset.Failure) ([]changeset.Commit, error)
	Waiting(ctx context.Context) ([]setops.StageRef, error)
	Expired(ctx context.Context, now time.Time) ([]changeset.Commit, error)

	Commit(ctx context.Context, stageID, id string) (changeset.Commit, bool, error)
	Where(ctx context.Context, stageID, id string) (changeset.Commit, bool, error)
	RunningCommits(ctx context.Context) ([]changeset.Commit, error)
	SetPhase(ctx context.Context, c changeset.Commit, p changeset.Phase) error
	Pass(ctx context.Context, c changeset.Commit, after setops.Spec, p plan.Plan, now time.Time) error
	EndCommit(ctx context.Context, c changeset.Commit, end changeset.State, failure *changeset.Failure, now time.Time) error

	WriteJournal(ctx context.Context, c changeset.Commit, p plan.Plan, fingerprints map[string]string, delta changeset.Delta, now time.Time) error
	Journal(ctx context.Context, commitID string) (p plan.Plan, started, done map[int]bool, err error)
	Unfinished(ctx context.Context) (map[string]setops.StageRef, error)
	apply.Journal

	Changeset(ctx context.Context, stageID, userID string) (changeset.Changeset, bool, error)
	Spec(ctx context.Context, stageID string) (setops.Spec, error)
	Version(ctx context.Context, stageID string) (int64, error)
	Fence(ctx context.Context, stageID string) (int64, error)
	Serving(ctx context.Context, stageID string) (map[string]plan.Generation, error)
	Generations(ctx context.Context) (map[string]bool, error)
	Ports(ctx context.Context, stageID string) (map[string]int, error)
	StageRef(ctx context.Context, id string) (setops.StageRef, bool, error)
	StageRefs(ctx context.Context) ([]setops.StageRef, error)
}

// Config is what a Service is made from.
type Config struct {
	Store   Store
	Engine  engine.Engine
	OpenEnv func(stageID string, app *setops.App) (map[string]string, error)
	Routes  Routes
	Ports   apply.PortKeeper                                                        // of public tcp apps
	Recheck func(ctx context.Context, s setops.StageRef, c changeset.Command) error // refuses what only the server knows
	Key     []byte                                                                  // of fingerprints
	Now     func() time.Time
	Logger  *slog.Logger
	// Owner names who runs commits here. Two processes of the same owner never live at the same time.
	Owner string
	// Lease is how long a commit belongs to who does not renew that; 0: 12 s.
	Lease time.Duration
	// Again is the time between two tries of what must be done in the end, and between two looks at the queues for what nobody
	// here has told of: commits whose time is over, and those of other servers; 0: 1 s.
	Again time.Duration
	// Shared says that servers of other owners have the same database: one takes over what another leaves.
	Shared bool
	// StandsBy says that this server has no engine: it takes commits into the queue, and another one runs them.
	StandsBy bool
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
	streams map[string]*stream // of commits that run here, by id, and of those that have failed
	failed  []failed           // the commits that have failed here lately, oldest first
	turns   map[string]*turn   // that run here, by the id of the commit
	busy    map[string]bool    // stages whose queue is worked on; true: it shall be looked at again
	moved   map[string]chan struct{}
	held    bool // no commit may begin
	running int
	idle    chan struct{} // closed while none runs
}

// errShutdown is why a commit is left where it is: the next start finds its journal.
var errShutdown = errors.New("the server stops")

const (
	defaultLease = 12 * time.Second
	defaultAgain = time.Second
)

// New makes the service. Resume must be called before the first Start.
func New(c Config) *Service {
	if c.Lease == 0 {
		c.Lease = defaultLease
	}
	if c.Again == 0 {
		c.Again = defaultAgain
	}
	s := &Service{
		Config: c, streams: map[string]*stream{}, turns: map[string]*turn{}, busy: map[string]bool{},
		moved: map[string]chan struct{}{}, idle: make(chan struct{}),
	}
	close(s.idle)
	s.ctx, s.cancel = context.WithCancelCause(context.Background())
	s.ports = apply.Ports{Engine: c.Engine, Journal: c.Store, OpenEnv: c.OpenEnv, Pass: s.pass, Ports: c.Ports, Now: c.Now}
	return s
}

// Close leaves running commits where they are and returns when nothing of them runs in this process.
func (s *Service) Close() {
	s.cancel(errShutdown)
	s.wg.Wait()
}

// Request is how a commit is asked for.
type Request struct {
	ID      string // of the commit: 32 hexadecimal digits. One of the same user that has it already is the one that is asked for
	Message string
	Plan    string         // hash of the plan that it must turn out to have; empty: whatever its commands make of the stage
	NoQueue bool           // refuse it where it would have to wait
	Wait    time.Duration  // for its turn, at most; 0: an hour
	Events  []setops.Event // of the audit log, that tell of it
}

const defaultWait = time.Hour

// Start takes what a user has staged, puts the commit of it behind those of the stage and returns at once. Errors:
// ChangesetDoesNotExist, ChangesetLocked, Overload (temporary) while commits are held, CommitAlreadyRunning with NoQueue
// (temporary), or for a user who has staged nothing since the last commit was asked for.
func (s *Service) Start(ctx context.Context, stage setops.StageRef, user setops.User, r Request) (changeset.Commit, error) {
	return s.start(stage, user, r, func(t changeset.Ticket) (changeset.Commit, error) { return s.Store.Enqueue(ctx, t) })
}

// StartUnstaged is Start of commands that decide gives: they are not staged, and where the commit does not succeed, they are
// gone. Without commands there is no commit; its id is empty then. Errors: as Start and decide, and ChangesetInvalid where the user
// has staged something.
func (s *Service) StartUnstaged(ctx context.Context, stage setops.StageRef, user setops.User, r Request, decide changeset.Decide) (changeset.Commit, error) {
	return s.start(stage, user, r, func(t changeset.Ticket) (changeset.Commit, error) {
		fresh := changeset.Changeset{ID: t.ID, StageID: stage.ID, UserID: user.ID, CreatedAt: t.Now}
		return s.Store.EnqueueUnstaged(ctx, t, fresh, decide)
	})
}

func (s *Service) start(stage setops.StageRef, user setops.User, r Request, enqueue func(changeset.Ticket) (changeset.Commit, error)) (changeset.Commit, error) {
	if err := s.accepts(); err != nil {
		return changeset.Commit{}, err
	}
	if r.Wait == 0 {
		r.Wait = defaultWait
	}
	now := s.Now()
	c, err := enqueue(changeset.Ticket{
		ID: r.ID, StageID: stage.ID, UserID: user.ID, Message: r.Message, PlanHash: r.Plan, NoQueue: r.NoQueue,
		Now: now, QueueUntil: now.Add(r.Wait), Events: r.Events,
	})
	if err == nil && c.State == changeset.Queued {
		s.kick(stage)
	}
	return c, err
}

// Commit gives a commit of a stage by its id, or a beginning of it that no other has. Errors: CommitNotFound.
func (s *Service) Commit(ctx context.Context, stageID, id string) (changeset.Commit, error) {
	c, ok, err := s.Store.Commit(ctx, stageID, id)
	if err == nil && !ok {
		err = noCommit(id)
	}
	if f := s.failure(c.ID); f != nil {
		c.Failure = f
	}
	return c, err
}

func noCommit(id string) error {
	return setops.Refuse(setops.CommitNotFound, "there is no commit %s on this stage, or several begin like that; `setops changeset:log` lists them", id)
}

// Cancel ends a commit that has not passed: one that waits at once, one that runs as soon as what it has begun is undone.
// Errors: CommitNotFound, AlreadyCommitted, CommitAlreadyEnded.
func (s *Service) Cancel(ctx context.Context, stage setops.StageRef, user setops.User, id string) (changeset.Commit, error) {
	c, err := s.Commit(ctx, stage.ID, id)
	if err != nil {
		return c, err
	}
	if c, err = s.Store.Cancel(ctx, stage.ID, c.ID, user.Email, s.Now()); err != nil {
		return c, err
	}
	s.mu.Lock()
	t := s.turns[c.ID]
	s.mu.Unlock()
	if t != nil {
		t.stop(changeset.ErrCancelled)
	}
	s.moves(c.StageID)
	return c, nil
}

// Preview is what a commit of a changeset would do.
type Preview struct {
	Hash          string
	Plan          plan.Plan
	Before, After setops.Spec
	Gates         map[string][]string // by app, the argv of its pre-activation task
}

// Preview folds and plans what a user has staged as a commit would, and changes nothing. Where nothing is staged, that is an
// empty plan. Errors: ChangesetInvalid, with the commands that do not apply any more.
func (s *Service) Preview(ctx context.Context, stage setops.StageRef, user setops.User) (Preview, error) {
	open, _, err := s.Store.Changeset(ctx, stage.ID, user.ID)
	if err != nil {
		return Preview{}, err
	}
	return s.PreviewOf(ctx, stage, open.Commands)
}

// PreviewOf is Preview of commands that are not staged.
func (s *Service) PreviewOf(ctx context.Context, stage setops.StageRef, commands []changeset.Command) (Preview, error) {
	version, err := s.Store.Version(ctx, stage.ID) // before all else: what changes meanwhile makes the hash stale
	if err != nil {
		return Preview{}, err
	}
	before, after, err := s.fold(ctx, stage, commands)
	if err != nil {
		return Preview{}, err
	}
	observed, err := s.observe(ctx)
	if err != nil {
		return Preview{}, err
	}
	in, err := s.input(ctx, stage, before, after, observed, "new")
	if err != nil {
		return Preview{}, err
	}
	in.Commit, in.Gates = len(commands) > 0, changeset.Gates(after, commands)
	in.NewTaskID = func(string) string { return "" }
	hash, err := hashOf(in, version, commands)
	return Preview{Hash: hash, Plan: plan.Make(in), Before: before, After: after, Gates: in.Gates}, err
}

func hashOf(in plan.Input, version int64, commands []changeset.Command) (string, error) {
	text, err := changeset.EncodeList(commands)
	if err != nil {
		return "", err
	}
	return plan.Hash(in, version, json.RawMessage(text)), nil
}
