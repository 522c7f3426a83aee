package host

import (
	"log/slog"
	"time"

	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/setops"
)

// Config is what a Supervisor needs. Dir and Runtime must be set.
type Config struct {
	Dir     string // records, stages and logs are kept below it
	Runtime Runtime
	Drainer engine.Drainer   // nil: nothing routes to the tasks
	Logger  *slog.Logger     // nil: none
	Now     func() time.Time // nil: time.Now
	Logs    LogPolicy
	Timings Timings
}

// LogPolicy says how much of the logs is kept; zero values mean the defaults of package logfile.
type LogPolicy struct {
	Retention    engine.LogRetention // nil: logfile.DefaultRetention for all stages
	SegmentBytes int64
	AppBytes     int64 // of all tasks of an app
}

// Timings are the durations that no user sets. Zero values mean the defaults; tests shorten them.
type Timings struct {
	// ProvenAfter is how long a task without any check must stay up to be RUNNING; default 10 s.
	ProvenAfter time.Duration
	// CheckFirst is how often a container health check runs until its first success; default 1 s.
	CheckFirst time.Duration
	// CheckUnit is what the numbers of a container health check count; default 1 s.
	CheckUnit time.Duration
	// The network health check follows the start at once, then after ProbeFirst (3 ms), and so on with pauses that
	// grow by a quarter up to ProbeMost (1 s). ProbeTimeout (5 s) is for one answer.
	ProbeFirst, ProbeMost, ProbeTimeout time.Duration
	BackOff                             BackOff
	// Drain is the longest wait for requests in flight; default 60 s.
	Drain time.Duration
	// KillGrace is how long a killed container may take to end before it is removed all the same; default 10 s.
	KillGrace time.Duration
	// Retry is the pause before a clean-up that failed is tried again; default 1 s.
	Retry time.Duration
	// EndedFor is how long ended tasks are listed; default 1 h.
	EndedFor time.Duration
	// Sweep is the pause between sweeps of logs and records; default 1 min.
	Sweep time.Duration
}

// startLimit bounds making and starting a container, which goes on when the supervisor is closed amid it.
const startLimit = time.Minute

func (c Config) withDefaults() Config {
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	t := &c.Timings
	orElse(&t.ProvenAfter, setops.ProvenAfter)
	orElse(&t.CheckFirst, time.Second)
	orElse(&t.CheckUnit, time.Second)
	orElse(&t.ProbeFirst, 3*time.Millisecond)
	orElse(&t.ProbeMost, time.Second)
	orElse(&t.ProbeTimeout, 5*time.Second)
	orElse(&t.BackOff.First, time.Second)
	orElse(&t.BackOff.Most, 5*time.Minute)
	orElse(&t.BackOff.Reset, 10*time.Minute)
	orElse(&t.Drain, time.Minute)
	orElse(&t.KillGrace, 10*time.Second)
	orElse(&t.Retry, time.Second)
	orElse(&t.EndedFor, time.Hour)
	orElse(&t.Sweep, time.Minute)
	return c
}

func orElse[T ~int64](value *T, byDefault T) {
	if *value == 0 {
		*value = byDefault
	}
}
