package registry

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Identity is somebody who has proved who they are. It travels inside signed
// tokens and must therefore hold no secret.
type Identity struct {
	// User names the person or machine, in whatever form the ports know it.
	User string `json:"u"`
	// Credential may name what User signed in with, such as the id of an API
	// token, so that Authorizer can refuse it once it is revoked. The registry
	// carries it without looking at it.
	Credential string `json:"c,omitempty"`
}

// Action is what somebody wants to do with a repository.
type Action string

// The actions that Authorizer is asked about. Push includes uploading,
// mounting into and cancelling uploads of the repository; Delete removes
// manifests, tags and links to blobs.
const (
	Pull   Action = "pull"
	Push   Action = "push"
	Delete Action = "delete"
)

// Authenticator finds out who somebody is. A wrong password or token is
// ErrCredentials, too many attempts are a *ThrottleError; any other error
// means that the answer could not be found, and is logged but not shown.
type Authenticator interface {
	// Authenticate takes a password, or an API token in a password's place.
	Authenticate(ctx context.Context, username, password string) (Identity, error)
	// AuthenticateToken takes an API token sent on its own.
	AuthenticateToken(ctx context.Context, token string) (Identity, error)
}

// Authorizer says whether somebody may do something with a repository, named
// ORGANIZATION/PROJECT/STAGE/APP. A refusal is a *DeniedError, made by Denied;
// any other error means that the answer could not be found, and is logged but
// not shown.
type Authorizer interface {
	Authorize(ctx context.Context, who Identity, repository string, action Action) error
}

// ErrCredentials says that the user, the password or the token is wrong.
var ErrCredentials = errors.New("wrong user, password or token")

// ThrottleError says that there were too many attempts to sign in.
type ThrottleError struct {
	// RetryAfter is how long to wait; 0 when that is not known.
	RetryAfter time.Duration
}

func (e *ThrottleError) Error() string {
	if e.RetryAfter <= 0 {
		return "too many attempts to sign in, try again later"
	}
	return fmt.Sprintf("too many attempts to sign in, try again in %s", e.RetryAfter.Round(time.Second))
}

// DeniedError refuses an action. Its sentence is what `docker push` prints
// behind "denied:".
type DeniedError struct{ Sentence string }

func (e *DeniedError) Error() string { return e.Sentence }

// Denied makes a *DeniedError from a format.
func Denied(format string, args ...any) error {
	return &DeniedError{Sentence: fmt.Sprintf(format, args...)}
}
