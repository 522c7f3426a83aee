package engine

import (
	"context"
	"io"
	"time"

	"github.com/setopsco/setops/internal/setops"
)

// Attacher runs programs inside of tasks for people.
type Attacher interface {
	// Attach runs argv inside a running task, or one that is about to run, with the task's environment, and gives its exit code once it has ended and all that
	// it wrote was passed on. When ctx ends, or writing to the streams fails, the program and what it has started are ended by
	// SIGKILL. A program that is not there is exit code 127, one that cannot be executed 126, and what is wrong is written
	// to one of the streams. Errors: *setops.Error TaskDoesNotExist, also for a task that does not run.
	Attach(ctx context.Context, taskID string, argv []string, s Streams) (code int, err error)
}

// Joiner gives people the own program of a task.
type Joiner interface {
	// Join carries the streams of the program of a task that was run with a Console. The program is started once they are there, so that
	// nothing of what it writes is missing; it is in the log too. Join returns the task once it has ended and its log is complete. A task is
	// joined once, by one: when ctx ends, or writing to the streams fails, it is ended as by Stop. So is one that nobody joins within
	// JoinLimit, and one that an engine finds which was opened after it was joined. Errors: *setops.Error TaskDoesNotExist,
	// also for a task that cannot be joined.
	Join(ctx context.Context, taskID string, s Streams) (setops.Task, error)
}

// JoinLimit is how long the program of an interactive task waits for who reads what it writes.
const JoinLimit = time.Minute

// Console is what the program of an interactive task reads from and writes to.
type Console struct {
	Terminal bool // it is a terminal, else pipes
	Size     Size // of the terminal at first
}

// Streams are what an attached program reads and writes.
type Streams struct {
	In       <-chan []byte // closed: an end of the input, which is passed on
	Out, Err io.Writer     // Err is not used on a terminal
	Terminal bool          // the program gets a terminal of its own
	Size     Size          // of the terminal at first
	Resized  <-chan Size
}

// Size is that of a terminal; zero: not known.
type Size struct{ Columns, Rows uint16 }
