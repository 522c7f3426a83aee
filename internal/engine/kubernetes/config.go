package kubernetes

import (
	"cmp"
	"log/slog"
	"time"

	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/engine/kubernetes/object"
	"github.com/setopsco/setops/internal/kube"
	"github.com/setopsco/setops/internal/setops"
)

// Config is what an Engine needs. Dir, Installation, Registry and Credentials must be set.
type Config struct {
	Dir          string   // records and logs are kept below it
	Kubeconfig   string   // path; empty: this process runs in the cluster
	Namespace    string   // of what the operator has put beside the server; empty: kube.DefaultNamespace
	ProbeArgs    []string // with which this program listens as isolation.Listen; none: network policies are not tried
	Domain       string   // what the cluster calls itself in DNS; empty: cluster.local
	Installation string   // 8 hexadecimal digits
	Registry     string   // HOST or HOST:PORT that nodes pull from
	// Credentials are those that nodes pull images of a stage with. They change, and are asked for at each look at everything.
	Credentials func(s setops.StageRef) (user, password string)
	Images      engine.ImageSource           // nil: images are not looked at before they are pulled, and nobody joins a task
	Latch       []byte                       // the program of package latch; nil: nobody joins a task
	Restricted  func(s setops.StageRef) bool // whose pods must satisfy the strictest standard; nil: nobody's
	Callers     []string                     // networks that a router outside of the cluster calls tasks from
	Routing     Routing                      // what of the cluster leads the world to apps
	Drainer     engine.Drainer               // nil: nothing routes to the tasks
	// Holds is asked before anything is changed on the cluster, and refuses that while another server may have it; nil: there are none.
	Holds    func() error
	LogsKept engine.LogRetention
	Logger   *slog.Logger
	Timings  Timings
}

// Timings are the durations that no user sets. Zero values mean the defaults; tests shorten them.
type Timings struct {
	// ProvenAfter is how long a task without any check must stay up to be RUNNING; default 10 s.
	ProvenAfter time.Duration
	// Linger is how long a pod that is told to end goes on serving; default 5 s.
	Linger time.Duration
	// Drain is the longest wait for requests in flight; default 60 s.
	Drain time.Duration
	// Check is the pause between runs of a check until the first that passes; default 1 s.
	Check time.Duration
	// Join is how long the program of an interactive task waits for who joins it; default engine.JoinLimit.
	Join time.Duration
	// Retry is the pause before what the cluster refused is tried again; default 1 s.
	Retry time.Duration
	// EndedFor is how long ended tasks are listed; default 1 h.
	EndedFor time.Duration
	// Mend is the pause between looks at everything; default 5 min.
	Mend time.Duration
	// Sweep is the pause between sweeps of logs and records; default 1 min.
	Sweep time.Duration
}

func (c Config) withDefaults() Config {
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Restricted == nil {
		c.Restricted = func(setops.StageRef) bool { return false }
	}
	c.Namespace = cmp.Or(c.Namespace, kube.DefaultNamespace)
	c.Domain = cmp.Or(c.Domain, "cluster.local")
	t := &c.Timings
	orElse(&t.ProvenAfter, setops.ProvenAfter)
	orElse(&t.Linger, object.Drain)
	orElse(&t.Drain, time.Minute)
	orElse(&t.Check, time.Second)
	orElse(&t.Join, engine.JoinLimit)
	orElse(&t.Retry, time.Second)
	orElse(&t.EndedFor, time.Hour)
	orElse(&t.Mend, 5*time.Minute)
	orElse(&t.Sweep, time.Minute)
	return c
}

func orElse(value *time.Duration, byDefault time.Duration) {
	if *value == 0 {
		*value = byDefault
	}
}
