package cli

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/setopsco/setops/internal/cli/kit"
	"github.com/setopsco/setops/pkg/api"
	"github.com/setopsco/setops/pkg/client"
)

// report says on standard error what went wrong, if anything, and returns the exit code.
func report(k *kit.Kit, err error) int {
	var code kit.ExitCode
	var failure *kit.Failure
	switch {
	case err == nil:
		return 0
	case errors.As(err, &code):
		return int(code)
	case errors.As(err, &failure) && failure.Plain:
		return complain(k, "", describe(err))
	case failure == nil && errors.Is(err, context.Canceled):
		return kit.ExitInterrupted
	}
	return complain(k, "Error: ", describe(err))
}

func complain(k *kit.Kit, prefix string, p api.Problem) int {
	k.Complain(prefix, p)
	return p.ExitCode
}

// describe says what happened, what to type next, and what programs want to know of it.
func describe(err error) api.Problem {
	p := api.Problem{ExitCode: kit.ExitError}
	var failure *kit.Failure
	var usage *kit.Usage
	switch {
	case errors.As(err, &failure):
		p.Message, p.Next = failure.Message, failure.Next
		if failure.Code != 0 {
			p.ExitCode = failure.Code
		}
	case errors.As(err, &usage):
		p.Message, p.Next = usage.Message, usage.Next
	default:
		p.Message, p.Next = explain(err)
	}
	var refused *api.ServiceError
	if errors.As(err, &refused) {
		p.Type, p.Code, p.Temporary, p.RequestID = refused.Type, refused.Code, refused.Temporary, refused.RequestID
		p.ValidationErrors = refused.ValidationErrors
	}
	return p
}

// explain says what happened and what to type next.
func explain(err error) (message, next string) {
	var refused *api.ServiceError
	var lost *client.ConnectionError
	var other *client.VersionError
	switch {
	case errors.As(err, &other):
		return kit.Sentence(other.Error()), "Install the setops of the server's version."
	case errors.As(err, &refused):
		return explainRefusal(refused)
	case errors.As(err, &lost):
		if lost.Cut() {
			return kit.Sentence(lost.Error()) + asked(lost.Tries), "Look whether it did what you asked for, then try again."
		}
		return kit.Sentence(lost.Error()), "Is it running, and is the address right? `setops login --url` or SETOPS_URL choose another one."
	}
	return kit.Sentence(err.Error()), ""
}

// asked says how often a request was sent that got no answer.
func asked(tries int) string {
	if tries < 2 {
		return ""
	}
	return fmt.Sprintf(" It was asked %d times.", tries)
}

func explainRefusal(e *api.ServiceError) (message, next string) {
	message = kit.Sentence(e.Error())
	switch {
	case e.Status == http.StatusUnauthorized && !e.HasCode("CredentialsInvalid") && !strings.Contains(message, "setops login"):
		next = "Run `setops login`."
	case e.Status >= http.StatusInternalServerError && e.RequestID != "":
		next = fmt.Sprintf("The server's log knows more, as request %s.", e.RequestID)
	}
	return message, next
}
