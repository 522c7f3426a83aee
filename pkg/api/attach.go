package api

// AttachTask says what to run inside a task. It is the first message, a text, on the WebSocket of
// GET …/apps/{app}/tasks/{id}/attach. All others are binary: a byte for the kind and what belongs to it. A client that goes away
// ends the program.
type AttachTask struct {
	Arguments []string `json:"arguments,omitempty"`
	Join      bool     `json:"join,omitempty" doc:"Take the task's own program, of a task that was run interactively, in place of running one. It can be done once"`
	Terminal  bool     `json:"terminal,omitempty" doc:"The program gets a terminal of its own"`
	TerminalSize
}

// TerminalSize is that of a terminal, in characters.
type TerminalSize struct {
	Columns uint16 `json:"columns,omitempty"`
	Rows    uint16 `json:"rows,omitempty"`
}

// AttachEnd is the content of the last message.
type AttachEnd struct {
	ExitCode *int          `json:"exit_code,omitempty" doc:"128+n after signal n; 127: there is no such program, 126: it cannot be executed"`
	Reason   string        `json:"reason,omitempty" doc:"Of a task that was joined: why it has ended, where that was not its program's doing"`
	Error    *ServiceError `json:"error,omitempty"`
}

// AttachProtocol names the messages below, as a subprotocol of WebSockets.
const AttachProtocol = "attach.v1.setops"

// AttachMessageMax is the longest message, in bytes.
const AttachMessageMax = 32 << 10

// The kinds of messages. The client sends AttachInput, AttachInputEnd and AttachResize; the server the others.
const (
	AttachInput    byte = iota // bytes that the program reads
	AttachInputEnd             // there are no more
	AttachResize               // TerminalSize as JSON
	AttachOutput               // bytes that the program wrote
	AttachErrors               // bytes that it wrote as errors; never on a terminal
	AttachEnded                // AttachEnd as JSON
)
