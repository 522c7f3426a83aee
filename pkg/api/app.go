package api

import "time"

// AppName is one row of the list of apps.
type AppName struct {
	Name string `json:"name"`
}

// App is the last committed state of an app, with its tasks of this moment.
type App struct {
	Name          string         `json:"name"`
	Container     Container      `json:"container"`
	Resources     Resources      `json:"resources"`
	Network       Network        `json:"network"`
	Env           []EnvVar       `json:"env" doc:"Sorted by key"`
	Domains       []CustomDomain `json:"custom_domains"`
	ActiveRelease int            `json:"active_release" doc:"0: none"`
	Status        AppStatus      `json:"status"`
}

// Container is how tasks are started and checked from inside. Empty lists mean what the image says.
type Container struct {
	Command      []string     `json:"command"`
	Entrypoint   []string     `json:"entrypoint"`
	HealthCheck  *HealthCheck `json:"health_check,omitempty"`
	StartTimeout int          `json:"start_timeout" doc:"Seconds that a new task may take to pass its checks"`
	StopTimeout  int          `json:"stop_timeout" doc:"Seconds from SIGTERM to SIGKILL"`
}

// HealthCheck is a command run inside the container. Interval, Timeout and StartPeriod are seconds.
type HealthCheck struct {
	Command     []string `json:"command"`
	Interval    int      `json:"interval"`
	Timeout     int      `json:"timeout"`
	Retries     int      `json:"retries"`
	StartPeriod int      `json:"start_period"`
}

// Resources of each task.
type Resources struct {
	CPU    int `json:"cpu" doc:"1024 is one vCPU"`
	Memory int `json:"memory" doc:"MB"`
	Scale  int `json:"scale" doc:"Number of tasks"`
}

// Network is how the app is reached. HealthCheck is nil where the app has no network health check.
type Network struct {
	Protocol    string              `json:"protocol" enum:"http,tcp"`
	Public      bool                `json:"public"`
	Port        int                 `json:"port"`
	HealthCheck *NetworkHealthCheck `json:"health_check,omitempty"`
}

// NetworkHealthCheck is the check from outside; Path and Status are empty for tcp.
type NetworkHealthCheck struct {
	Path   string `json:"path,omitempty"`
	Status string `json:"status,omitempty"`
}

// EnvVar is one variable of the environment.
type EnvVar struct {
	Key         string  `json:"key"`
	Value       *string `json:"value,omitempty" doc:"Absent where it is secret"`
	Description string  `json:"description,omitempty"`
	Secret      bool    `json:"secret,omitempty" doc:"It was set write-only: tasks get the value, and nobody is shown it"`
}

// CustomDomain is one row of the domains in `app:info`.
type CustomDomain struct {
	Address   string `json:"address"`
	Primary   bool   `json:"primary"`
	Validated bool   `json:"validated"`
}

// AppStatus is what runs: Running and Pending count tasks of the serving generation, Desired is the scale.
type AppStatus struct {
	State   string `json:"state" enum:"ACTIVE"`
	Running int    `json:"running"`
	Desired int    `json:"desired"`
	Pending int    `json:"pending"`
	Tasks   []Task `json:"tasks"`
}

// Release is a numbered alias of an image digest.
type Release struct {
	ID        int       `json:"id"`
	Digest    string    `json:"digest"`
	Tag       string    `json:"tag,omitempty"`
	CreatedAt time.Time `json:"created_at"`
	CreatedBy string    `json:"created_by"`

	Active      bool       `json:"active" doc:"Whether the app's tasks run it"`
	ActivatedAt *time.Time `json:"activated_at,omitempty" doc:"When it became the active one, for the last time"`
	ActivatedBy string     `json:"activated_by,omitempty"`
}
