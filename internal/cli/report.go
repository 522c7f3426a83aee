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
	var usage *kit.Usage
	switch {
	case err == nil:
		return 0
	case errors.As(err, &code):
		return int(code)
	case errors.As(err, &failure):
		return reportFailure(k, failure)
	case errors.As(err, &usage):
		k.Note("Error: %s", usage.Error())
		return kit.ExitError
	case errors.Is(err, context.Canceled):
		return kit.ExitInterrupted
	}
	k.Note("Error: %s", explain(err))
	return kit.ExitError
}

func reportFailure(k *kit.Kit, f *kit.Failure) int {
	prefix := "Error: "
	if f.Plain {
		prefix = ""
	}
	k.Note("%s%s", prefix, f.Error())
	if f.Code != 0 {
		return f.Code
	}
	return kit.ExitError
}

// explain says what happened and what to type next.
func explain(err error) string {
	var refused *api.ServiceError
	var lost *client.ConnectionError
	switch {
	case errors.As(err, &refused):
		return explainRefusal(refused)
	case errors.As(err, &lost):
		if lost.Cut() {
			return kit.Sentence(lost.Error()) + asked(lost.Tries) + " Look whether it did what you asked for, then try again."
		}
		return kit.Sentence(lost.Error()) + " Is it running, and is the address right? `setops login --url` or SETOPS_URL choose another one."
	}
	return kit.Sentence(err.Error())
}

// asked says how often a request was sent that got no answer.
func asked(tries int) string {
	if tries < 2 {
		return ""
	}
	return fmt.Sprintf(" It was asked %d times.", tries)
}

func explainRefusal(e *api.ServiceError) string {
	text := kit.Sentence(e.Error())
	if e.Status == http.StatusUnauthorized && !e.HasCode("CredentialsInvalid") && !strings.Contains(text, "setops login") {
		text += " Run `setops login`."
	}
	if e.Status >= http.StatusInternalServerError && e.RequestID != "" {
		text += fmt.Sprintf(" The server's log knows more, as request %s.", e.RequestID)
	}
	return text
}
