package transport

import (
	"errors"
	"fmt"
)

// DialError says that no connection could be made, so that nothing was sent.
type DialError struct {
	Addr string
	Err  error
}

func (e *DialError) Error() string { return fmt.Sprintf("connect to %s: %v", e.Addr, e.Err) }
func (e *DialError) Unwrap() error { return e.Err }

// NotSentError says that a connection took not one byte of the request, and that nothing of its body was read.
type NotSentError struct {
	Addr string
	Err  error
}

func (e *NotSentError) Error() string { return fmt.Sprintf("send request to %s: %v", e.Addr, e.Err) }
func (e *NotSentError) Unwrap() error { return e.Err }

// Unsent reports whether an error of RoundTrip says for certain that nobody received anything of the request. The
// request's body is closed, but unread.
func Unsent(err error) bool {
	var dial *DialError
	var unsent *NotSentError
	return errors.As(err, &dial) || errors.As(err, &unsent)
}

var (
	errHeaderTooLarge = errors.New("the header of the answer is too large")
	errNoHTTP1        = errors.New("the answer is not of HTTP/1")
	errBadStatus      = errors.New("the answer has no status between 100 and 999")
	errAnswered       = errors.New("the request was answered before its body was wanted")
	errClosed         = errors.New("read from the body of an answer after Close")
)
