package fake

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"path"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/engine/enginetest/script"
	"github.com/setopsco/setops/internal/engine/host"
)

// container is a goroutine and what it can touch.
type container struct {
	spec    host.Spec
	resolve func(stageID, address string) (string, error) // private names
	image   Image
	ip      string
	files   files
	out     output

	ctx     context.Context // ends by SIGKILL
	kill    context.CancelFunc
	signals chan syscall.Signal
	ended   chan struct{} // closed when exit is set
	exit    host.Exit
	done    sync.WaitGroup

	mu          sync.Mutex
	startedAt   time.Time
	killed      bool
	oom         bool
	console     *console // nil: nobody has joined
	interrupted bool
	listeners   []net.Listener
}

func newContainer(spec host.Spec, image Image, resolve func(stageID, address string) (string, error)) *container {
	c := &container{
		spec: spec, resolve: resolve, image: image, files: files{names: map[string]bool{}},
		// The whole of 127.0.0.0/8 is this host: each container has an address of its own there.
		ip:      fmt.Sprintf("127.%d.%d.%d", 64+rand.IntN(128), rand.IntN(256), 1+rand.IntN(254)),
		signals: make(chan syscall.Signal, 8), ended: make(chan struct{}),
	}
	c.out = output{dir: spec.LogDir, name: spec.LogName}
	c.ctx, c.kill = context.WithCancel(context.Background())
	return c
}

// argv gives what is run, by Docker's rules.
func (c *container) argv() []string {
	entrypoint, command := c.spec.Container.Entrypoint, c.spec.Container.Command
	if len(entrypoint) == 0 {
		entrypoint = c.image.Entrypoint
		if len(command) == 0 {
			command = c.image.Command
		}
	}
	return append(append([]string{}, entrypoint...), command...)
}

func (c *container) start() error {
	if c.image.StartErr != nil {
		return c.image.StartErr
	}
	program := c.image.Program
	argv := c.argv()
	if program == nil {
		if program = lookUp(argv); program == nil {
			return &host.StartError{Reason: fmt.Sprintf("there is no program %s in the image", strings.Join(argv, " "))}
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.startedAt.IsZero() {
		return nil
	}
	c.startedAt = time.Now()
	p := c.process(argv)
	c.furnish(&p)
	c.done.Go(func() { c.finish(program(c.ctx, p)) })
	return nil
}

// lookUp finds the program for a command line, nil where there is none.
func lookUp(argv []string) Program {
	if len(argv) == 0 {
		return nil
	}
	switch path.Base(argv[0]) {
	case "testapp":
		return script.Run
	case "true":
		return func(context.Context, script.Process) int { return 0 }
	case "false":
		return func(context.Context, script.Process) int { return 1 }
	}
	return nil
}

func (c *container) process(argv []string) script.Process {
	var args []string
	if len(argv) > 0 {
		args = argv[1:]
	}
	return script.Process{
		Args: args, Getenv: c.getenv, Listen: c.listen, Dial: c.dial, Files: &c.files, Allocate: c.allocate,
		Size: func() (columns, rows int) { return 0, 0 },
	}
}

func (c *container) getenv(key string) string {
	for _, pair := range c.spec.Container.Env {
		if k, v, _ := strings.Cut(pair, "="); k == key {
			return v
		}
	}
	return ""
}

// finish notes the end of the program.
func (c *container) finish(code int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, l := range c.listeners {
		l.Close() //nolint:errcheck // most are closed already
	}
	c.exit = host.Exit{Code: code, OOMKilled: c.oom, At: time.Now()}
	if c.killed {
		c.exit.Code, c.exit.Signal = engine.ExitOfSignal(syscall.SIGKILL), syscall.SIGKILL
	}
	if c.interrupted {
		c.exit.Code, c.exit.Signal = engine.ExitOfSignal(syscall.SIGINT), syscall.SIGINT
	}
	c.kill()
	c.out.close()
	close(c.ended)
}

func (c *container) signal(s syscall.Signal) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if s == syscall.SIGKILL {
		c.killed = c.killed || c.ctx.Err() == nil
		for _, l := range c.listeners {
			l.Close() //nolint:errcheck // most are closed already
		}
		c.kill()
		return
	}
	select {
	case c.signals <- s:
	default: // as in a kernel, pending signals are one
	}
}

// allocate kills the container when it takes more memory than it may have.
func (c *container) allocate(ctx context.Context, megabytes int) {
	if c.spec.Container.Memory == 0 || megabytes < c.spec.Container.Memory {
		return
	}
	c.mu.Lock()
	c.oom = true
	c.mu.Unlock()
	c.signal(syscall.SIGKILL)
	<-ctx.Done()
}

func (c *container) found() host.Found {
	c.mu.Lock()
	defer c.mu.Unlock()
	f := host.Found{ID: c.spec.ID, Labels: c.spec.Labels, IP: c.ip, StartedAt: c.startedAt}
	select {
	case <-c.ended:
	default:
		f.Running = !c.startedAt.IsZero()
	}
	return f
}
