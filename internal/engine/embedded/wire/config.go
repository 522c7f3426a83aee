package wire

import "github.com/opencontainers/runtime-spec/specs-go"

// Version is that of the requests, responses and files.
const Version = 1

// Config is all that a shim needs for its container. It carries the environment in clear, so it goes through a pipe and
// never to a file.
type Config struct {
	ID   string
	Dir  string // the container's own directory; the shim's files go there
	Spec *specs.Spec
	// LogDir and LogName are for logfile.Open.
	LogDir, LogName string
	Console         *Console // nil: the program reads nothing
}

// Console is what the program reads from and writes to, besides the log, until Join tells otherwise.
type Console struct {
	Terminal      bool   // else pipes
	Columns, Rows uint16 // of the terminal at first
}

// Ready is the shim's one answer to its Config: the container exists and waits to be started, or it does not.
type Ready struct {
	Error string `json:"error,omitempty"`
	// Refused is set where trying again cannot help: the image or the settings are at fault.
	Refused bool `json:"refused,omitempty"`
	// Errno is the system's error behind Error, where there is one: a full disk wants to be recognised.
	Errno int `json:"errno,omitempty"`
}
