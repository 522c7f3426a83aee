package wire

// The operations of a Request.
const (
	// Start runs the program of a container that is ready. Again: no effect.
	Start = "start"
	// Signal sends Request.Signal to the first process. One that has ended is no error.
	Signal = "signal"
	// Kill ends the container by SIGKILL, started or not.
	Kill = "kill"
	// Exec runs Request.Argv inside. Closing the connection kills it.
	Exec = "exec"
	// Attach runs Request.Argv inside. Behind the Response, which says that it has begun, frames go both ways (frames.go).
	// Closing the connection kills it.
	Attach = "attach"
	// Join carries the streams of the container's own program, which was given a Console: frames go both ways as with Attach. One at a
	// time; closing the connection ends the program's input, and no more.
	Join = "join"
	// Wait answers once the container has ended and its log is complete. Closing the connection is harmless.
	Wait = "wait"
)

// Request is one line from the server.
type Request struct {
	Version int      `json:"v"`
	Op      string   `json:"op"`
	Signal  int      `json:"signal,omitempty"`
	Argv    []string `json:"argv,omitempty"`

	// Of Attach.
	Terminal bool   `json:"terminal,omitempty"`
	Columns  uint16 `json:"columns,omitempty"`
	Rows     uint16 `json:"rows,omitempty"`
}

// Response is the one line that answers it.
type Response struct {
	Version int    `json:"v"`
	Error   string `json:"error,omitempty"`
	Refused bool   `json:"refused,omitempty"` // as Ready.Refused
	Code    int    `json:"code,omitempty"`    // of Exec
	Output  []byte `json:"output,omitempty"`  // of Exec, at most MaxOutput
	Exit    *Exit  `json:"exit,omitempty"`    // of Wait
}

// MaxOutput is how much of what Exec's program writes is kept, in bytes.
const MaxOutput = 4 << 10

// Exit codes of Exec for programs that did not run.
const (
	ExitNotExecutable = 126
	ExitNotFound      = 127
)
