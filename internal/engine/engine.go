// Package engine is the port to whatever runs containers: small interfaces, composed, that the embedded engine, Docker
// and Kubernetes implement, and that package enginetest holds them to. It decides nothing; it has no state.
//
// An engine implements generations, not single containers, so that a cluster can keep them alive by itself. Start with
// Workloads.
package engine

import (
	"context"
	"errors"
	"io"
	"syscall"
	"time"

	"github.com/setopsco/setops/internal/setops"
)

// Engine is all that the server needs of an engine.
type Engine interface {
	Workloads
	Tasks
	Stages
	Images
	Logs
	Teller
	Attacher
	Joiner
	// Close stops supervising and returns when its goroutines have ended. Tasks go on running.
	Close() error
}

// Container is what one task runs: everything that a new generation is made for.
type Container struct {
	Image      Image
	Command    []string // empty: the image's CMD, unless Entrypoint is set (as Docker does)
	Entrypoint []string // empty: the image's ENTRYPOINT
	Env        []string // KEY=value in clear, PORT and PROTOCOL included; wins over the image's; never written to disk
	CPU        int      // units, 1024 is one vCPU
	Memory     int      // MB, hard limit
	Port       int
}

// Image names an image in our registry. Digest is that of the manifest or of an index of them.
type Image struct {
	Repository string // ORG/PROJECT/STAGE/APP
	Digest     string // sha256:…
}

// Generation is a set of Scale identical tasks of one release.
type Generation struct {
	ID           string // unique for ever
	Stage        setops.StageRef
	App          string
	Release      int
	Container    Container
	Scale        int
	HealthCheck  *setops.HealthCheck
	NetworkCheck *setops.NetworkCheck
	StartTimeout time.Duration // how long a task may take from its start to RUNNING
	StopTimeout  time.Duration // from SIGTERM to SIGKILL
	Fence        int64         // of the lease under which it is declared
}

// HasCheck reports whether anything is asked of its tasks but that they stay up.
func (g Generation) HasCheck() bool { return g.HealthCheck != nil || g.NetworkCheck != nil }

// ErrFenced is the error of what is written under an older lease of a stage than one that has written already: whoever gets
// it is not the one any more who decides about the stage, and nothing was changed. Each lease of a stage has a number, its
// fence, that is higher than those before; 0 is for who needs no lease.
var ErrFenced = errors.New("somebody with a newer lease of the stage has written already")

// ErrClosed is the error of what an engine was asked for, or waited for, when it was closed.
var ErrClosed = errors.New("the engine is closed")

// Workloads keeps generations alive.
type Workloads interface {
	// Ensure makes the engine keep g alive from now on: it starts what is missing, adopts what runs already, and
	// replaces what ends or fails its check. It returns once g is accepted, not when it is ready. Called again with the
	// same id and another Scale, checks or timeouts, it follows them and touches no task that may stay; other fields are
	// taken for tasks made from then on. Errors: ErrFenced where the generation was declared, or is new and something of its
	// stage was written, under a newer lease.
	Ensure(ctx context.Context, g Generation) error

	// Await returns nil once Scale tasks of the generation are RUNNING, all checks passed. It returns a *GateError when
	// that is out of reach: a fault that no retry mends, the third task that ends before it was RUNNING, a container
	// health check that has failed Retries times without ever passing, or the start timeout. The engine goes on trying, with
	// a back-off, and until it has succeeded Await keeps returning that error. It returns ctx.Err() when ctx ends; where
	// that is by its deadline and a task has failed to start before, the *GateError of that task. It returns another
	// error for a generation that is not kept, and changes nothing itself.
	Await(ctx context.Context, id string) error

	// Prove asks the checks of g, which may be others than the kept generation of that id has, of its tasks that are
	// RUNNING. It returns a *GateError when one of them does not pass, and changes nothing.
	Prove(ctx context.Context, g Generation) error

	// Remove drains, stops and deletes every task of the generation and forgets it. It returns when nothing of them is
	// left. An unknown id is no error. A cancelled ctx stops the waiting, not the removal. Errors: ErrFenced where it was
	// declared under a newer lease.
	Remove(ctx context.Context, id string, fence int64) error

	// Observe lists the generations that the engine keeps (Ensure was called) or finds (adopted tasks), and the
	// stages that have a network.
	Observe(ctx context.Context) (Observed, error)

	// Watch calls changed after any task of any stage has changed; it returns when ctx ends or the engine is closed.
	// Calls carry the stage's id, come one after the other from within Watch, and may be coalesced. The first ones
	// name all stages that have tasks, so that a caller misses nothing.
	Watch(ctx context.Context, changed func(stageID string))
}

// Observed is what the engine says there is. Health of tasks is no part of it: the engine looks after that itself.
type Observed struct {
	Generations []ObservedGeneration
	Stages      []string // ids of stages that have a network
}

// ObservedGeneration is one generation that exists in the engine.
type ObservedGeneration struct {
	ID, StageID, App string
	Kept             bool // Ensure was called since this process started
}

// GateError says why a generation did not get ready: the first thing a person wants to know.
type GateError struct {
	App, TaskID string
	Check       string // "start", "container health check", "network health check", "image", or CheckBefore
	Cause       string // one sentence, for people; no control characters
	Last        setops.LastAnswer
	Fault       bool     // the infrastructure's fault (disk full, registry gone), not the app's
	Temporary   bool     // a Fault that may be over by itself
	Log         []string // the last lines of the task, at most 50
}

func (e *GateError) Error() string { return e.Cause }

// CheckBefore is the Check of a pre-activation task that did not succeed. Its cause is what became of it: exited with code 3.
const CheckBefore = "task before activation"

// Tasks handles single tasks.
type Tasks interface {
	// Run starts a one-off task and returns it at once, in PROVISIONING. Run with the id of a one-off task that is there, or
	// has ended within the hour, returns that task and starts none: whoever does not know whether it has started asks again.
	Run(ctx context.Context, t OneOff) (setops.Task, error)
	// Stop ends a task by SIGTERM, then SIGKILL, after it was drained where it has traffic; a task of a generation is
	// replaced, at once. It returns at once, and does nothing to a task that has ended.
	// Errors: *setops.Error TaskDoesNotExist.
	Stop(ctx context.Context, taskID string) error
	// List gives the tasks of a stage, of one app where app is set, oldest first: running ones, and ended ones for an
	// hour after their end.
	List(ctx context.Context, stageID, app string) ([]setops.Task, error)
	// Wait returns the task once it has ended (STOPPED) and its log is complete.
	Wait(ctx context.Context, taskID string) (setops.Task, error)
}

// OneOff is a task that is run once, outside any generation.
type OneOff struct {
	ID          string // 32 hexadecimal digits
	Stage       setops.StageRef
	App         string
	Release     int
	Tag         string // of its image, where it was asked for by that
	Container   Container
	StopTimeout time.Duration
	Limit       time.Duration // it is stopped after that, OneOffLimit at most
	Console     *Console      // it waits to be joined; nil: it reads nothing
	Note        string        // is the first line of its log; empty: there is none
	Fence       int64         // of the lease of the commit that it belongs to; 0: it is run for somebody
}

// OneOffLimit is the longest that a one-off task runs. The rule: behaviour reference, "one-off task".
const OneOffLimit = 24 * time.Hour

// Stages handles what the tasks of a stage share.
type Stages interface {
	// EnsureStage makes the stage's network. It is idempotent. Errors: ErrFenced.
	EnsureStage(ctx context.Context, s setops.StageRef, fence int64) error
	// RemoveStage stops every task of the stage and removes its network, images and logs. Idempotent. No lease of the stage
	// can write any more from then on.
	RemoveStage(ctx context.Context, stageID string) error
	// RemoveApp removes the logs and records of an app that has no generation any more. Idempotent. Errors: ErrFenced where
	// the app has a generation that was declared under a newer lease.
	RemoveApp(ctx context.Context, stageID, app string, fence int64) error
}

// Images brings images to where tasks start.
type Images interface {
	// Prepare fetches and unpacks the image, so that a start does not wait for it. It is idempotent and returns a
	// *GateError with Check "image" for an image that cannot run here (another architecture, no layers that fit).
	Prepare(ctx context.Context, i Image) error
}

// ImageForgetter is what engines have that keep images beside the registry.
type ImageForgetter interface {
	// ForgetImages frees what Prepare has made of images that the registry does not have any more. What a task uses stays.
	// It is idempotent.
	ForgetImages(ctx context.Context, images []Image) error
}

// Logs reads what tasks wrote.
type Logs interface {
	// ReadLogs calls yield for each line that the query selects, oldest first, until yield says false, the lines end or,
	// with Follow, ctx ends.
	ReadLogs(ctx context.Context, q LogQuery, yield func(LogLine) bool) error
}

// Teller writes into logs.
type Teller interface {
	// Tell writes a line of source system into the log of a task that has not ended. Errors: *setops.Error TaskDoesNotExist.
	Tell(ctx context.Context, taskID, line string) error
}

// LogRetention says how long the lines of a stage's logs are kept.
type LogRetention func(ctx context.Context, stageID string) (time.Duration, error)

// LogQuery selects lines of an app's log.
type LogQuery struct {
	StageID, App string
	TaskID       string // empty: all tasks
	Source       string // empty: all sources
	// Behind says by task what a reader has had: only what was written behind it. Of all other tasks it is only what is after
	// Since. Both are about what is there when the reading begins.
	Behind        map[string]LogPosition
	Since         time.Time
	After, Before time.Time // both exclusive; zero: no limit
	Limit         int       // the last so many lines; 0: all
	Follow        bool      // go on with lines as they come; with TaskID set it ends when the task has ended and its log is complete
	Past          func()    // with Follow: called when what was there has been read; nil: not
	// All includes the lines of health checks that passed.
	All bool
}

// The sources of lines.
const (
	SourceApp    = "app"    // what a task wrote
	SourceSystem = "system" // what the engine says of it
)

// LogLine is one line. With Gap, which only a follower gets, it is none: lines of the task may be missing there, because they
// were deleted before they were read.
type LogLine struct {
	Time   time.Time
	TaskID string
	Source string
	Text   string
	Gap    bool
	End    LogPosition // where a reader of this task's log who has had this line and all before it goes on
}

// ImageSource is where an engine on this host reads images from: the registry, without its HTTP.
type ImageSource interface {
	Manifest(ctx context.Context, repository, digest string) (body []byte, mediaType string, err error)
	Blob(ctx context.Context, repository, digest string) (io.ReadCloser, error)
}

// Drainer lets an engine wait for requests in flight before it stops a task.
type Drainer interface {
	// Drain takes the task out of every route and returns when nothing is in flight to it, or when ctx ends.
	Drain(ctx context.Context, t setops.Task) error
}

// ExitOfSignal is the exit code that stands for a death by signal.
func ExitOfSignal(s syscall.Signal) int { return 128 + int(s) }
