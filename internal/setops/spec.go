package setops

import (
	"maps"
	"slices"
	"time"
)

// Spec is what a stage should be. It is a plain value: commands change it, a plan compares it with what is there.
type Spec struct {
	Apps         map[string]*App
	LogRetention int // days that logs are kept; 0: the default, see KeptLogs
}

// App is a group of identical tasks that run one image.
type App struct {
	Name          string              `json:"name"`
	Container     Container           `json:"container"`
	Resources     Resources           `json:"resources"`
	Network       Network             `json:"network"`
	Env           map[string]EnvVar   `json:"env,omitempty"`
	Domains       map[string]Domain   `json:"domains,omitempty"` // custom ones, by their names in canonical form
	Schedules     map[string]Schedule `json:"schedules,omitempty"`
	Releases      []Release           `json:"-"`
	ActiveRelease int                 `json:"active_release,omitempty"` // 0: none
	Committed     bool                `json:"-"`                        // whether the app was there before this changeset; the protocol is fixed then
}

// Container is how an app's tasks are started and watched from inside.
type Container struct {
	Command      []string     `json:"command,omitempty"`
	Entrypoint   []string     `json:"entrypoint,omitempty"`
	HealthCheck  *HealthCheck `json:"health_check,omitempty"`
	StartTimeout int          `json:"start_timeout,omitempty"` // seconds; 0: the default, see App.StartDeadline
	StopTimeout  int          `json:"stop_timeout,omitempty"`  // seconds; 0: the default, 60
}

// HealthCheck is a command run inside the container; exit code 0 is healthy. The numbers are seconds, save Retries.
type HealthCheck struct {
	Command     []string `json:"command"`
	Interval    int      `json:"interval"`
	Timeout     int      `json:"timeout"`
	Retries     int      `json:"retries"`
	StartPeriod int      `json:"start_period"`
}

// Resources are reserved (CPU, 1024 is one vCPU) or limited (Memory, MB) per task; Scale is the number of tasks.
type Resources struct {
	CPU    int `json:"cpu"`
	Memory int `json:"memory"`
	Scale  int `json:"scale"`
}

// Protocol is how traffic reaches an app.
type Protocol string

// The protocols.
const (
	HTTP Protocol = "http"
	TCP  Protocol = "tcp"
)

// Network is how an app is reached and checked from outside. Path and Status are empty where they were never set; see
// App.NetworkCheck for what then holds.
type Network struct {
	Protocol          Protocol `json:"protocol"`
	Public            bool     `json:"public,omitempty"`
	Port              int      `json:"port"`
	HealthCheckPath   string   `json:"health_check_path,omitempty"`
	HealthCheckStatus string   `json:"health_check_status,omitempty"`
}

// EnvVar is one variable of an app's environment. The value is sealed: nothing in the pure core can read it.
type EnvVar struct {
	Value       Sealed `json:"value"`
	Description string `json:"description,omitempty"`
	Secret      bool   `json:"secret,omitempty"` // write-only: tasks get the value, and nobody is shown it
}

// Sealed is an encrypted value, as text. Equal values of the same variable have equal sealed text, so that a change
// can be recognised without opening it.
type Sealed string

// String never shows the sealed text: it has no business in an output.
func (Sealed) String() string { return "(sealed)" }

// Release is a numbered alias of an image digest.
type Release struct {
	ID        int       `json:"id"`
	Digest    string    `json:"digest"`
	Tag       string    `json:"tag,omitempty"`
	CreatedAt time.Time `json:"created_at"`
	CreatedBy string    `json:"created_by,omitempty"`

	ActivatedAt time.Time `json:"activated_at,omitzero"` // when it became the active one, for the last time; zero: never
	ActivatedBy string    `json:"activated_by,omitempty"`
}

// Defaults, as the behaviour reference gives them ("Values and limits").
const (
	DefaultCPU    = 128
	DefaultMemory = 256
	DefaultScale  = 1
	DefaultPort   = 5000

	DefaultInterval    = 10 // seconds
	DefaultTimeout     = 10 // seconds
	DefaultRetries     = 5
	DefaultStartPeriod = 15 // seconds

	DefaultHealthCheckPath   = "/"
	DefaultHealthCheckStatus = "200-499"

	DefaultStartTimeout = 60 // seconds
	DefaultStopTimeout  = 60 // seconds

	DefaultLogRetention = 14  // days
	LogRetentionMax     = 365 // days

	// ProvenAfter is how long a task without any check must stay up to count as started.
	ProvenAfter = 10 * time.Second
)

// NewApp makes an app as `app:create` does: every setting at its default.
func NewApp(name string) *App {
	return &App{
		Name:      name,
		Resources: Resources{CPU: DefaultCPU, Memory: DefaultMemory, Scale: DefaultScale},
		Network:   Network{Protocol: HTTP, Port: DefaultPort},
	}
}

// Release gives the release of that id.
func (a *App) Release(id int) (Release, bool) {
	i := slices.IndexFunc(a.Releases, func(r Release) bool { return r.ID == id })
	if i < 0 {
		return Release{}, false
	}
	return a.Releases[i], true
}

// NetworkCheck is the check of an app from outside.
type NetworkCheck struct {
	Protocol Protocol
	Path     string // http only
	Status   string // http only: codes and ranges, as "200,300-399"
}

// NetworkCheck gives the app's network health check, or nil where it has none: it is on for public apps, and for any
// app whose path or status was set.
func (a *App) NetworkCheck() *NetworkCheck {
	n := a.Network
	if !n.Public && n.HealthCheckPath == "" && n.HealthCheckStatus == "" {
		return nil
	}
	if n.Protocol == TCP {
		return &NetworkCheck{Protocol: TCP}
	}
	return &NetworkCheck{Protocol: HTTP, Path: a.HealthCheckPath(), Status: a.HealthCheckStatus()}
}

// NeedsPort reports whether the app needs a TCP port of the router: tcp has no host names to tell apps apart by.
func (a *App) NeedsPort() bool { return a.Network.Public && a.Network.Protocol == TCP }

// HealthCheckPath is the path of the network health check, set or default.
func (a *App) HealthCheckPath() string {
	if a.Network.HealthCheckPath != "" {
		return a.Network.HealthCheckPath
	}
	return DefaultHealthCheckPath
}

// HealthCheckStatus is the list of accepted codes, set or default.
func (a *App) HealthCheckStatus() string {
	if a.Network.HealthCheckStatus != "" {
		return a.Network.HealthCheckStatus
	}
	return DefaultHealthCheckStatus
}

// StartDeadline is how long a new task may take to pass its checks: the set start timeout, else 60 s or the worst case
// of the container health check where that is longer.
func (a *App) StartDeadline() time.Duration {
	if a.Container.StartTimeout > 0 {
		return time.Duration(a.Container.StartTimeout) * time.Second
	}
	seconds := DefaultStartTimeout
	if h := a.Container.HealthCheck; h != nil {
		seconds = max(seconds, h.StartPeriod+h.Retries*(h.Interval+h.Timeout))
	}
	return time.Duration(seconds) * time.Second
}

// StopTimeout is the time between SIGTERM and SIGKILL.
func (a *App) StopTimeout() time.Duration {
	if a.Container.StopTimeout > 0 {
		return time.Duration(a.Container.StopTimeout) * time.Second
	}
	return DefaultStopTimeout * time.Second
}

// Clone copies the spec so deeply that a change of one is none of the other.
func (s Spec) Clone() Spec {
	apps := make(map[string]*App, len(s.Apps))
	for name, app := range s.Apps {
		apps[name] = app.Clone()
	}
	return Spec{Apps: apps, LogRetention: s.LogRetention}
}

// KeptLogs is for how many days the logs of the stage are kept, set or default.
func (s Spec) KeptLogs() int {
	if s.LogRetention > 0 {
		return s.LogRetention
	}
	return DefaultLogRetention
}

// Clone copies the app.
func (a *App) Clone() *App {
	c := *a
	c.Container.Command = slices.Clone(a.Container.Command)
	c.Container.Entrypoint = slices.Clone(a.Container.Entrypoint)
	if h := a.Container.HealthCheck; h != nil {
		check := *h
		check.Command = slices.Clone(h.Command)
		c.Container.HealthCheck = &check
	}
	c.Env = maps.Clone(a.Env)
	c.Domains = maps.Clone(a.Domains)
	c.Schedules = maps.Clone(a.Schedules) // a command is never changed in place
	c.Releases = slices.Clone(a.Releases)
	return &c
}
