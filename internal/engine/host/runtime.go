package host

import (
	"context"
	"syscall"
	"time"

	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/engine/verdict"
	"github.com/setopsco/setops/internal/setops"
)

// Runtime starts and ends single containers on this host. The supervisor decides which; a runtime decides nothing.
// Every method is idempotent for the id of a container and safe for concurrent use.
type Runtime interface {
	// EnsureNetwork makes the network of a stage; RemoveNetwork removes it once no container is on it; Networks lists
	// the ids of stages that have one.
	EnsureNetwork(ctx context.Context, s setops.StageRef) error
	RemoveNetwork(ctx context.Context, stageID string) error
	Networks(ctx context.Context) ([]string, error)
	// SetFronts makes exactly these private names resolve on the stage's network and listens for them; see engine.Fronts.
	// RemoveNetwork forgets them.
	SetFronts(ctx context.Context, stageID string, fronts []engine.Front) error

	// Prepare fetches and unpacks an image. An image that can never run here is an *ImageError.
	Prepare(ctx context.Context, i engine.Image) error
	// RemoveImages forgets the images of a repository prefix (ORG/PROJECT/STAGE) that no container uses.
	RemoveImages(ctx context.Context, repositoryPrefix string) error
	// RemoveImage forgets one image, unless a container uses it.
	RemoveImage(ctx context.Context, i engine.Image) error

	// Create makes the container, its mounts and its place on the stage's network; nothing runs yet. It gives the address
	// (IP without port) that the host reaches it at. A missing entrypoint or user in the image is a *StartError.
	Create(ctx context.Context, c Spec) (ip string, err error)
	// Start runs it. A program that cannot be executed (not found, wrong architecture) is a *StartError.
	Start(ctx context.Context, id string) error
	// Signal sends a signal to the container's first process. A container that has ended is no error.
	Signal(ctx context.Context, id string, s syscall.Signal) error
	// Wait returns when the container has ended and all it wrote is in its log.
	Wait(ctx context.Context, id string) (Exit, error)
	// Exec runs argv inside and returns its exit code and the first 4 KiB of its output. ctx ends it by SIGKILL.
	// A program that is not there is exit code 127, one that cannot be executed 126.
	Exec(ctx context.Context, id string, argv []string) (code int, output []byte, err error)
	// Attach runs argv inside and carries its streams; see engine.Attacher.
	Attach(ctx context.Context, id string, argv []string, s engine.Streams) (code int, err error)
	// Join carries the streams of the program of a container that was made with a Console and is not started. It calls ready once
	// nothing can be lost of what the program will write, and returns nil once the container has ended and all was passed on. When ctx
	// ends, or writing fails, the input is ended, on a terminal as by Ctrl-D; what the program writes goes to its log alone then.
	Join(ctx context.Context, id string, s engine.Streams, ready func()) error
	// Remove kills what still runs and frees all of the container (mounts, veth, cgroup, files, shim). It returns when nothing is left.
	Remove(ctx context.Context, id string) error
	// List gives the containers of this installation, running or ended, that were not removed.
	List(ctx context.Context) ([]Found, error)
	Close() error
}

// Spec is what a container is made from.
type Spec struct {
	ID        string // the task's id, 32 hexadecimal digits
	Stage     setops.StageRef
	App       string
	Container engine.Container
	Console   *engine.Console   // nil: the program reads nothing, and cannot be joined
	Labels    map[string]string // kept with the container and given back by List
	// Log is the directory and prefix of the files that the container's lines go to; see package logfile.
	LogDir, LogName string
}

// Exit is how a container ended.
type Exit = verdict.Exit

// Found is a container that outlived its supervisor.
type Found struct {
	ID        string
	Labels    map[string]string
	IP        string
	Running   bool
	StartedAt time.Time
}

// StartError is a fault of the image or the settings: trying again cannot mend it.
type StartError struct{ Reason string }

func (e *StartError) Error() string { return e.Reason }

// ImageError is an image that can never run here.
type ImageError struct{ Reason string }

func (e *ImageError) Error() string { return e.Reason }
