package setops

import (
	"errors"
	"fmt"
	"strings"
)

// Kind is the `type` of an API error.
type Kind string

// The four kinds of error.
const (
	Fault               Kind = "Fault"
	AuthenticationError Kind = "AuthenticationError"
	ValidationError     Kind = "ValidationError"
	StateError          Kind = "StateError"
)

// Code is the `code` of an API error. The spelling is an interface: some codes begin with "Code", and clients
// compare them without that prefix.
type Code string

// The codes that SetOps emits today.
const (
	ServerFailure              Code = "ServerFailure"
	SessionInvalid             Code = "SessionInvalid"
	CredentialsInvalid         Code = "CredentialsInvalid"
	ValidationFailed           Code = "ValidationFailed"
	OrganizationAlreadyExists  Code = "CodeOrganizationAlreadyExists"
	OrganizationDoesNotExist   Code = "CodeOrganizationDoesNotExist"
	ProjectDoesNotExist        Code = "ProjectDoesNotExist"
	ProjectAlreadyExists       Code = "ProjectAlreadyExists"
	ProjectNameInvalid         Code = "ProjectNameInvalid"
	StageDoesNotExist          Code = "StageDoesNotExist"
	StageAlreadyExists         Code = "StageAlreadyExists"
	CodeStageNameInvalid       Code = "StageNameInvalid"
	AppDoesNotExist            Code = "AppDoesNotExist"
	AppAlreadyExists           Code = "AppAlreadyExists"
	CodeAppNameInvalid         Code = "AppNameInvalid"
	AppHasNoActiveRelease      Code = "AppHasNoActiveRelease"
	ReleaseDoesNotExist        Code = "ReleaseDoesNotExist"
	ChangesetDoesNotExist      Code = "ChangesetDoesNotExist"
	ChangesetInvalid           Code = "ChangesetInvalid"
	ChangesetLocked            Code = "ChangesetLocked"
	CommitFailed               Code = "CommitFailed"
	CommitAlreadyRunning       Code = "CommitAlreadyRunning"
	CommitNotFound             Code = "CommitNotFound"
	AlreadyCommitted           Code = "AlreadyCommitted"
	CommitAlreadyEnded         Code = "CommitAlreadyEnded"
	PlanStale                  Code = "PlanStale"
	TaskDoesNotExist           Code = "TaskDoesNotExist"
	CodeReleaseDigestInvalid   Code = "CodeReleaseDigestInvalid"
	CodeInsufficientPrivileges Code = "CodeInsufficientPrivileges"
	CodePermissionAlreadyExist Code = "CodePermissionAlreadyExist"
	CodePermissionDoesNotExist Code = "CodePermissionDoesNotExist"
	CodeCantRemoveLastAdmin    Code = "CodeCantRemoveLastAdmin"
	CodeCurrentlyNotSupported  Code = "CodeCurrentlyNotSupported"
	Overload                   Code = "Overload"
)

// Validator names the rule that a field breaks.
type Validator string

// The validators that SetOps emits today.
const (
	Invalid                   Validator = "invalid"
	InvalidFormat             Validator = "invalid_format"
	Required                  Validator = "required"
	TooShort                  Validator = "too_short"
	TooLong                   Validator = "too_long"
	GreaterThanOrEqual        Validator = "greater_than_or_equal_to_threshold"
	LessThanOrEqual           Validator = "less_than_or_equal_to_threshold"
	NotAnInteger              Validator = "not_an_integer"
	NotIncluded               Validator = "not_included"
	MultipleOfInvalid         Validator = "multiple_of_invalid"
	Taken                     Validator = "taken"
	NotFound                  Validator = "not_found"
	NotAnEmailAddress         Validator = "not_an_email_address"
	StageNameInvalid          Validator = "stage_name_invalid"
	AppNameInvalid            Validator = "app_name_invalid"
	ReleaseDigestInvalid      Validator = "release_digest_invalid"
	ReleaseDigestDoesNotExist Validator = "release_digest_does_not_exist"
)

// Violation is one field that breaks one rule, with a sentence that says what would be right.
type Violation struct {
	Field     string
	Validator Validator
	Message   string
}

// Error is an error that a user may see: what it is for scripts (Kind, Code), what it says to people (Message), and
// whether the same request may succeed later (Temporary). Err, where set, is the cause for the server's own log.
type Error struct {
	Kind       Kind
	Code       Code
	Message    string
	Temporary  bool
	Violations []Violation
	Told       bool // Message tells of the violations already
	Err        error
}

// Error says the message and, where there are violations, each of them.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Message)
	if e.Told {
		return b.String()
	}
	for i, v := range e.Violations {
		if i > 0 || e.Message != "" {
			b.WriteString("; ")
		}
		fmt.Fprintf(&b, "%s: %s", v.Field, v.Message)
	}
	return b.String()
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// IsCode reports whether err is, or wraps, an Error of that code.
func IsCode(err error, code Code) bool {
	var e *Error
	return errors.As(err, &e) && e.Code == code
}

// Refuse makes a StateError: the request is well formed, and what there is does not allow it.
func Refuse(code Code, format string, args ...any) *Error {
	return &Error{Kind: StateError, Code: code, Message: fmt.Sprintf(format, args...)}
}

// InvalidInput makes a ValidationError from what is wrong, or nil when nothing is.
func InvalidInput(code Code, violations []Violation) error {
	if len(violations) == 0 {
		return nil
	}
	return &Error{Kind: ValidationError, Code: code, Violations: violations}
}
