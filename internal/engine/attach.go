package engine

import (
	"context"
	"io"
)

// Attacher runs programs inside of tasks for people.
type Attacher interface {
	// Attach runs argv inside a running task, or one that is about to run, with the task's environment, and gives its exit code once it has ended and all that
	// it wrote was passed on. When ctx ends, or writing to the streams fails, the program and what it has started are ended by
	// SIGKILL. A program that is not there is exit code 127, one that cannot be executed 126, and what is wrong is written
	// to one of the streams. Errors: *setops.Error TaskDoesNotExist, also for a task that does not run.
	Attach(ctx context.Context, taskID string, argv []string, s Streams) (code int, err error)
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
