package api

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// ServiceError is the body of every answer with a status of 400 and above.
type ServiceError struct {
	Status           int                 `json:"-"`
	Type             string              `json:"type" enum:"Fault,AuthenticationError,ValidationError,StateError" doc:"What kind of error it is"`
	Code             string              `json:"code" doc:"What it is, for programs; compare it without a leading 'Code'"`
	Message          string              `json:"message,omitempty" doc:"What happened, why, and what to do, for people"`
	ValidationErrors map[string][]string `json:"validation_errors,omitempty" doc:"At status 422: the validators that each field breaks"`
	Temporary        bool                `json:"temporary" doc:"Whether the same request may succeed later"`
	RequestID        string              `json:"request_id" minLength:"8" maxLength:"8" doc:"Names the request in the server's log"`
}

// Error says the message; where there is none, the code and the fields.
func (e *ServiceError) Error() string {
	if e.Message != "" {
		return e.Message
	}
	if len(e.ValidationErrors) == 0 {
		return e.Code
	}
	var parts []string
	for _, field := range slices.Sorted(maps.Keys(e.ValidationErrors)) {
		parts = append(parts, fmt.Sprintf("%s: %s", field, strings.Join(e.ValidationErrors[field], ", ")))
	}
	return e.Code + ": " + strings.Join(parts, "; ")
}

// HasCode reports whether e has that code, with or without its leading "Code".
func (e *ServiceError) HasCode(code string) bool {
	return strings.TrimPrefix(e.Code, "Code") == strings.TrimPrefix(code, "Code")
}

// GetStatus is the HTTP status of the answer.
func (e *ServiceError) GetStatus() int { return e.Status }
