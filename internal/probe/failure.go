package probe

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"syscall"
	"time"
)

// Kind says how far a probe got before it failed.
type Kind string

// The kinds of failure, from the first thing that can go wrong to the last.
const (
	KindConnect  Kind = "connect"  // no connection: refused, no route
	KindTimeout  Kind = "timeout"  // no connection or no answer within the time given
	KindProtocol Kind = "protocol" // an answer that is not HTTP, or a connection closed without one
	KindStatus   Kind = "status"   // an answer whose code is not accepted
)

// Failure is what a probe met instead of an accepted answer. Error says it in a sentence for users.
type Failure struct {
	Kind     Kind
	Addr     string
	Request  string        // such as "GET /up"; empty for a plain connect
	Status   int           // code of the answer, for KindStatus
	Accepted Status        // the codes that would have passed, for KindStatus
	Body     string        // first line of the answer, at most 200 bytes, no control characters, for KindStatus
	Within   time.Duration // the time that was given, for KindTimeout; 0 when ctx had no deadline
	Err      error         // the cause; nil for KindStatus
}

// Unwrap gives the cause.
func (f *Failure) Unwrap() error { return f.Err }

// Error names the last answer, or what came in its place.
func (f *Failure) Error() string {
	switch f.Kind {
	case KindStatus:
		return f.statusSentence()
	case KindTimeout:
		return f.timeoutSentence()
	case KindProtocol:
		return f.protocolSentence()
	case KindConnect:
		return f.connectSentence()
	}
	return fmt.Sprintf("check of %s: %v", f.Addr, f.Err)
}

func (f *Failure) statusSentence() string {
	body := ""
	if f.Body != "" {
		body = fmt.Sprintf(" (%q)", f.Body)
	}
	answer := fmt.Sprint(f.Status)
	if text := http.StatusText(f.Status); text != "" {
		answer += " " + text
	}
	return fmt.Sprintf("%s on %s answered %s%s, accepted are %s", f.Request, f.Addr, answer, body, f.Accepted)
}

func (f *Failure) timeoutSentence() string {
	within := "in time"
	if f.Within > 0 {
		within = "within " + readable(f.Within).String()
	}
	if f.Request == "" || isDialError(f.Err) {
		return fmt.Sprintf("no connection to %s %s", f.Addr, within)
	}
	return fmt.Sprintf("%s on %s got no answer %s", f.Request, f.Addr, within)
}

func (f *Failure) protocolSentence() string {
	if errors.Is(f.Err, io.EOF) || errors.Is(f.Err, io.ErrUnexpectedEOF) || errors.Is(f.Err, syscall.ECONNRESET) {
		return fmt.Sprintf("%s on %s got no answer: the connection was closed", f.Request, f.Addr)
	}
	return fmt.Sprintf("%s on %s got no valid HTTP answer: %v", f.Request, f.Addr, f.Err)
}

func (f *Failure) connectSentence() string {
	if errors.Is(f.Err, syscall.ECONNREFUSED) {
		_, port, _ := net.SplitHostPort(f.Addr)
		return fmt.Sprintf("connection to %s refused: nothing listens on port %s", f.Addr, port)
	}
	// The wrapped errors repeat the address; the innermost says why.
	cause := f.Err
	var op *net.OpError
	if errors.As(f.Err, &op) {
		cause = op.Err
	}
	return fmt.Sprintf("no connection to %s: %v", f.Addr, cause)
}

// classify turns a transport's error into a Failure. within is the time that the probe had.
func classify(ctx context.Context, request, addr string, within time.Duration, err error) error {
	if errors.Is(ctx.Err(), context.Canceled) {
		return fmt.Errorf("check %s: %w", addr, ctx.Err())
	}
	f := &Failure{Kind: KindProtocol, Addr: addr, Request: request, Err: err}
	var network net.Error
	switch {
	case ctx.Err() != nil, errors.As(err, &network) && network.Timeout():
		f.Kind, f.Within = KindTimeout, within
	case isDialError(err):
		f.Kind = KindConnect
	}
	return f
}

func isDialError(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "dial"
}

// readable gives 5s for the 4.9998s that are left of it when a probe begins.
func readable(d time.Duration) time.Duration {
	if d >= time.Second {
		return d.Round(100 * time.Millisecond)
	}
	return d.Round(20 * time.Millisecond)
}

// timeGiven is how long ctx still lasts, 0 without a deadline.
func timeGiven(ctx context.Context) time.Duration {
	deadline, limited := ctx.Deadline()
	if !limited {
		return 0
	}
	return time.Until(deadline)
}
