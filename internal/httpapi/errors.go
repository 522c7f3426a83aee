package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"syscall"

	"github.com/danielgtaylor/huma/v2"

	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/setops"
	"github.com/setopsco/setops/pkg/api"
)

// translate turns what a use case says into the body of an answer.
func (s *Server) translate(ctx context.Context, err error) error {
	var said *api.OAuthError
	if errors.As(err, &said) {
		return said
	}
	var known *setops.Error
	if errors.As(err, &known) {
		if known.Err != nil {
			s.Logger.Error("request failed", "request", requestID(ctx), "error", known.Err)
		}
		return body(known)
	}
	if errors.Is(err, context.Canceled) && ctx.Err() != nil {
		return &api.ServiceError{Status: 499, Type: string(setops.Fault), Code: string(setops.ServerFailure), Message: "the client went away", Temporary: true}
	}
	s.Logger.Error("request failed", "request", requestID(ctx), "error", err)
	e := internal()
	var gate *engine.GateError
	switch {
	case errors.Is(err, syscall.ENOSPC):
		e.Message = "the server's disk is full; ask its operator to make room, then try again"
	case errors.As(err, &gate):
		e.Message = gate.Error()
	}
	return e
}

func body(e *setops.Error) *api.ServiceError {
	b := &api.ServiceError{
		Status: statusOf(e), Type: string(e.Kind), Code: string(e.Code), Message: shortened(e.Error()), Temporary: e.Temporary,
	}
	if b.Status == http.StatusUnprocessableEntity {
		b.ValidationErrors = map[string][]string{}
		for _, v := range e.Violations {
			b.ValidationErrors[v.Field] = append(b.ValidationErrors[v.Field], string(v.Validator))
		}
	}
	return b
}

func statusOf(e *setops.Error) int {
	switch {
	case e.Code == setops.Overload:
		return http.StatusTooManyRequests
	case e.Kind == setops.AuthenticationError:
		return http.StatusUnauthorized
	case e.Kind == setops.ValidationError:
		return http.StatusUnprocessableEntity
	case e.Kind == setops.Fault:
		return http.StatusInternalServerError
	case e.Code == setops.CodeInsufficientPrivileges:
		return http.StatusForbidden
	case strings.HasSuffix(string(e.Code), "DoesNotExist"), e.Code == setops.CommitNotFound:
		return http.StatusNotFound
	}
	return http.StatusConflict
}

func internal() *api.ServiceError {
	return &api.ServiceError{
		Status: http.StatusInternalServerError, Type: string(setops.Fault), Code: string(setops.ServerFailure),
		Message: "something went wrong in the server",
	}
}

func noRoute(r *http.Request) *api.ServiceError {
	return &api.ServiceError{
		Status: http.StatusNotFound, Type: string(setops.StateError), Code: string(setops.ValidationFailed),
		Message: "the API has no " + r.Method + " " + r.URL.Path + "; " + api.OpenAPIPath + " describes what it has",
	}
}

// newError makes the errors that huma itself finds: bodies and parameters that do not fit.
func newError(status int, message string, causes ...error) huma.StatusError {
	if status >= http.StatusInternalServerError {
		return internal()
	}
	e := &api.ServiceError{Status: status, Type: string(setops.ValidationError), Code: string(setops.ValidationFailed), Message: message}
	var sentences []string
	fields := map[string][]string{}
	for _, cause := range causes {
		field, validator := "body", setops.InvalidFormat
		if d, ok := errors.AsType[*huma.ErrorDetail](cause); ok {
			field, validator = fieldOf(d), validatorOf(d.Message)
		}
		fields[field] = append(fields[field], string(validator))
		sentences = append(sentences, field+": "+sentenceOf(cause))
	}
	if len(sentences) > 0 {
		e.Message = shortened(strings.Join(sentences, "; "))
	}
	if status == http.StatusUnprocessableEntity {
		e.ValidationErrors = fields
	}
	return e
}

// longestMessage is longer than any sentence of ours, unless what it quotes is long.
const longestMessage = 4000

// shortened keeps an error from repeating all of a request that is nothing but long.
func shortened(message string) string {
	if len(message) <= longestMessage {
		return message
	}
	return strings.ToValidUTF8(message[:longestMessage], "") + "…"
}

func sentenceOf(cause error) string {
	if d, ok := errors.AsType[*huma.ErrorDetail](cause); ok {
		return d.Message
	}
	return cause.Error()
}

// fieldOf names the field behind a finding of huma's; a missing one is named only in its sentence.
func fieldOf(d *huma.ErrorDetail) string {
	field := d.Location
	if name, ok := strings.CutPrefix(field, "header."); ok {
		return strings.ReplaceAll(strings.ToLower(name), "-", "_")
	}
	for _, part := range []string{"body", "query", "path"} {
		field = strings.TrimPrefix(strings.TrimPrefix(field, part+"."), part)
	}
	if name, ok := strings.CutPrefix(d.Message, "expected required property "); ok {
		name, _, _ = strings.Cut(name, " ")
		return strings.TrimPrefix(field+"."+name, ".")
	}
	if field == "" {
		return "body"
	}
	return field
}

// validatorOf names the rule behind a sentence of huma's.
func validatorOf(message string) setops.Validator {
	for _, rule := range []struct {
		part      string
		validator setops.Validator
	}{
		{"required property", setops.Required},
		{"required", setops.Required},
		{"expected length >=", setops.TooShort},
		{"expected array length >=", setops.TooShort},
		{"expected length <=", setops.TooLong},
		{"expected array length <=", setops.TooLong},
		{"expected integer", setops.NotAnInteger},
		{"invalid integer", setops.NotAnInteger},
		{"expected number >=", setops.GreaterThanOrEqual},
		{"expected number <=", setops.LessThanOrEqual},
		{"expected value to be one of", setops.NotIncluded},
		{"unexpected property", setops.NotIncluded},
	} {
		if strings.Contains(message, rule.part) {
			return rule.validator
		}
	}
	return setops.InvalidFormat
}

// addRequestID is huma's last look at a body.
func addRequestID(ctx huma.Context, _ string, v any) (any, error) {
	switch e := v.(type) {
	case *api.ServiceError:
		e.RequestID = requestID(ctx.Context())
	case *api.OAuthError:
		e.RequestID = requestID(ctx.Context())
	}
	return v, nil
}

// writeError answers where huma is not asked.
func writeError(w http.ResponseWriter, r *http.Request, e *api.ServiceError) {
	if e.RequestID = requestID(r.Context()); e.RequestID == "" {
		e.RequestID = newRequestID()
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(e.Status)
	json.NewEncoder(w).Encode(e)
}
