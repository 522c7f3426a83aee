package setops

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// LastAnswer is the last that was heard of a task, or of what checks it, before it was given up. Fields at zero say
// nothing. Texts that come from an app are made by Excerpt.
type LastAnswer struct {
	Request      string   `json:"request,omitempty"`       // what the check asked: "GET /up", "connect", or its command
	Status       int      `json:"status,omitempty"`        // of the HTTP answer
	Body         string   `json:"body,omitempty"`          // its first line
	ConnectError string   `json:"connect_error,omitempty"` // why there was no such answer
	ListensOn    []string `json:"listens_on,omitempty"`    // HOST:PORT inside the task, where it refused the connection; nil: not known
	ExitCode     *int     `json:"exit_code,omitempty"`     // of the task, or of its container health check
	Output       string   `json:"output,omitempty"`        // of the container health check
	Signal       string   `json:"signal,omitempty"`        // that ended the task, as SIGKILL
	OutOfMemory  bool     `json:"out_of_memory,omitempty"`
}

// excerptMax is how many characters of what an app says are quoted.
const excerptMax = 200

// Excerpt makes what an app, or a library that quotes it, has said fit for a sentence: one line of at most 200 characters,
// without anything that could steer a terminal.
func Excerpt(text string) string {
	text = Printable(strings.Join(strings.Fields(text), " "))
	if utf8.RuneCountInString(text) <= excerptMax {
		return text
	}
	return string([]rune(text)[:excerptMax]) + "…"
}

// Printable drops all that could move a cursor or break an encoding.
func Printable(text string) string {
	return strings.Map(func(c rune) rune {
		if c == utf8.RuneError || !unicode.IsPrint(c) {
			return -1
		}
		return c
	}, text)
}
