package kit

import (
	"fmt"
	"strings"
)

// Exit codes that are not those of a task. They are documented in `setops help exit-codes`.
const (
	ExitError       = 1
	ExitNoChangeset = 78
	ExitInterrupted = 130
)

// Failure is an error that already says all that the user should read.
type Failure struct {
	Message string // sentences: what happened and why
	Next    string // a sentence: what to type next; may be empty
	Code    int    // exit code; 0 means ExitError
	Plain   bool   // Message says by itself that it is an error
	Err     error  // the cause, if any
}

// Error says what happened and what to do.
func (f *Failure) Error() string {
	switch {
	case f.Next == "" || strings.HasSuffix(f.Message, "\n"):
		return f.Message + f.Next
	case strings.Contains(f.Message, "\n"):
		return f.Message + "\n" + f.Next
	}
	return f.Message + " " + f.Next
}

// Unwrap gives the cause.
func (f *Failure) Unwrap() error { return f.Err }

// Usage is a command line that cannot be understood; Next says what to type instead.
type Usage struct{ Message, Next string }

// Error says what is wrong with the command line.
func (u *Usage) Error() string { return u.Message + " " + u.Next }

// ExitCode ends the program with a code and nothing more to say: the code of a task, for example.
type ExitCode int

// Error names the code.
func (c ExitCode) Error() string { return fmt.Sprintf("exit code %d", int(c)) }
