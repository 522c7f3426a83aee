package verdict

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/setopsco/setops/internal/probe"
	"github.com/setopsco/setops/internal/setops"
)

// CheckFailure is what a run of a container health check gave that did not pass.
type CheckFailure struct {
	Answer setops.LastAnswer
	err    error // the command was not run to its end
}

// CheckFailed tells a run that passed, which gives nil, from one that did not.
func CheckFailed(command []string, code int, output []byte, err error, timeout time.Duration) *CheckFailure {
	if err == nil && code == 0 {
		return nil
	}
	f := &CheckFailure{Answer: setops.LastAnswer{Request: setops.Excerpt(strings.Join(command, " "))}}
	if err == nil {
		f.Answer.ExitCode, f.Answer.Output = &code, setops.Excerpt(string(output))
		return f
	}
	if f.err = err; errors.Is(err, context.DeadlineExceeded) {
		f.err = fmt.Errorf("no answer within %s", timeout)
	}
	f.Answer.ConnectError = f.err.Error()
	return f
}

// Error says it within a sentence.
func (f *CheckFailure) Error() string {
	switch {
	case f.err != nil:
		return f.err.Error()
	case f.Answer.Output == "":
		return fmt.Sprintf("exit code %d", *f.Answer.ExitCode)
	}
	return fmt.Sprintf("exit code %d, %s", *f.Answer.ExitCode, f.Answer.Output)
}

// Heard is the answer that a failed network health check got.
func Heard(err error) setops.LastAnswer {
	var f *probe.Failure
	if !errors.As(err, &f) {
		return setops.LastAnswer{}
	}
	a := setops.LastAnswer{Request: f.Request, Status: f.Status, Body: f.Body}
	if a.Request == "" {
		a.Request = "connect"
	}
	if f.Kind != probe.KindStatus {
		a.ConnectError = f.Error()
	}
	return a
}

// Changed is the failure of tasks that serve at a check that is to be theirs.
func Changed(check string, err error) Failure {
	last := Heard(err)
	var f *CheckFailure
	if errors.As(err, &f) {
		last = f.Answer
	}
	cause := fmt.Sprintf("the tasks that serve now do not pass the changed %s: %s", check, err)
	return Failure{Check: check, Cause: cause, Last: last, Final: true}
}

// NetworkProbe is a network health check as package probe runs it; nil stays nil.
func NetworkProbe(c *setops.NetworkCheck) (probe.Check, error) {
	if c == nil {
		return nil, nil
	}
	if c.Protocol == setops.TCP {
		return probe.TCP{}, nil
	}
	status, err := probe.ParseStatus(c.Status)
	if err != nil {
		return nil, fmt.Errorf("network health check: %w", err)
	}
	return probe.HTTP{Path: c.Path, Status: status}, nil
}

// NetworkTries is how often the router lets a check fail in a row before it takes a task out: who fails so often here
// would be out soon.
const NetworkTries = 3

// Tries calls f until it gives no error, at most n times with pauses between.
func Tries(ctx context.Context, n int, pause time.Duration, f func() error) (err error) {
	for i := range n {
		if i > 0 {
			select {
			case <-time.After(pause):
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		if err = f(); err == nil {
			return nil
		}
	}
	return err
}

// Readable rounds to what a person wants to know.
func Readable(d time.Duration) time.Duration {
	if d < time.Second {
		return d.Round(time.Millisecond)
	}
	return d.Round(time.Second)
}

// times says how often.
func times(n int) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}
