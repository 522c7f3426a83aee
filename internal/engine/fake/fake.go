package fake

import (
	"context"
	"log/slog"
	"os"
	"time"

	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/engine/host"
	"github.com/setopsco/setops/internal/setops"
)

// Config is how a fake engine is made; every field may be left out.
type Config struct {
	Dir     string   // default: a new directory in the system's one for temporary files, deleted by Close
	Runtime *Runtime // where tasks run; pass that of a closed engine to adopt its tasks. Default: a new one
	Drainer engine.Drainer
	Serve   engine.Serve // answers private names; nil: they are remembered, and nobody listens
	Logger  *slog.Logger
	Now     func() time.Time
	Logs    host.LogPolicy
	Timings *host.Timings // default: Quick
	Speed   int           // start and stop timeouts are divided by this; default 30: 60 s are 2 s
	Default *Image        // what images do for which SetImage was not called; default: Serve
}

// Quick are timings for tests: what takes seconds for real takes milliseconds. The numbers of a container health check
// count as units of 10 ms.
var Quick = host.Timings{
	ProvenAfter:  50 * time.Millisecond,
	CheckFirst:   5 * time.Millisecond,
	CheckUnit:    10 * time.Millisecond,
	ProbeFirst:   time.Millisecond,
	ProbeMost:    10 * time.Millisecond,
	ProbeTimeout: 2 * time.Second,
	BackOff:      host.BackOff{First: 5 * time.Millisecond, Most: 50 * time.Millisecond, Reset: time.Minute},
	Drain:        5 * time.Second,
	KillGrace:    5 * time.Second,
	Retry:        5 * time.Millisecond,
}

// Engine is an engine.Engine whose containers are goroutines.
type Engine struct {
	*host.Supervisor
	Runtime *Runtime
	speed   time.Duration
	remove  string
}

// New makes an engine, or goes on with that of cfg.Dir and cfg.Runtime.
func New(ctx context.Context, cfg Config) (*Engine, error) {
	e := &Engine{Runtime: cfg.Runtime, speed: time.Duration(cfg.Speed)}
	if e.speed <= 0 {
		e.speed = 30
	}
	if e.Runtime == nil {
		e.Runtime = NewRuntime()
	}
	if cfg.Default != nil {
		e.Runtime.setDefault(*cfg.Default)
	}
	if cfg.Serve != nil {
		e.Runtime.ServeFronts(cfg.Serve)
	}
	if cfg.Timings == nil {
		cfg.Timings = &Quick
	}
	var err error
	if cfg.Dir == "" {
		if cfg.Dir, err = os.MkdirTemp("", "setops-fake-"); err != nil {
			return nil, err
		}
		e.remove = cfg.Dir
	}
	e.Supervisor, err = host.New(ctx, host.Config{
		Dir: cfg.Dir, Runtime: e.Runtime, Drainer: cfg.Drainer, Logger: cfg.Logger, Now: cfg.Now, Logs: cfg.Logs, Timings: *cfg.Timings,
	})
	return e, err
}

// Ensure implements engine.Workloads.
func (e *Engine) Ensure(ctx context.Context, g engine.Generation) error {
	g.StartTimeout /= e.speed
	g.StopTimeout /= e.speed
	return e.Supervisor.Ensure(ctx, g)
}

// Run implements engine.Tasks.
func (e *Engine) Run(ctx context.Context, t engine.OneOff) (setops.Task, error) {
	t.StopTimeout /= e.speed
	return e.Supervisor.Run(ctx, t)
}

// Close stops supervising. Tasks go on in the Runtime, whose Close ends them.
func (e *Engine) Close() error {
	err := e.Supervisor.Close()
	e.Runtime.closeFronts()
	if e.remove == "" {
		return err
	}
	if closeErr := e.Runtime.Close(); err == nil {
		err = closeErr
	}
	if removeErr := os.RemoveAll(e.remove); err == nil {
		err = removeErr
	}
	return err
}

// SetImage says what containers of an image do that are started from now on.
func (e *Engine) SetImage(digest string, i Image) { e.Runtime.SetImage(digest, i) }
