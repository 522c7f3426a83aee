// Package definition is the stage as a file describes it: Parse reads one and says where in it something is wrong, Of writes
// down what a stage is, and Target is what a stage shall be by a definition. It is pure: what is secret is sealed and opened by
// functions that come in, and images are looked up by whoever calls. Making commands of it is package changeset's.
//
// Start with Definition, then Parse and Target. The meaning of the fields is in docs/definitions.md, the reasons for it in ADR 15.
package definition

// Version is the schema that is written. Those that are read: Versions.
const Version = "2"

// Versions are the schemas that are read. They have the same fields with the same meaning.
var Versions = []string{"1", "2"}

// Definition is a stage. What is absent has its default, and what the stage has besides is not to be there any more, but for
// images: an app without image_tag keeps what it runs.
type Definition struct {
	SchemaVersion string         `json:"schema_version" required:"true" doc:"Of this file: 2; 1 is read, too"`
	Project       string         `json:"project,omitempty" doc:"The file is for this project only"`
	Stage         string         `json:"stage,omitempty" doc:"The file is for this stage only"`
	LogRetention  *int           `json:"log_retention,omitempty" minimum:"1" maximum:"365" default:"14" doc:"Days that logs are kept"`
	Apps          map[string]App `json:"apps,omitempty" doc:"All apps of the stage by name; one that is missing here is destroyed"`
	Services      map[string]any `json:"services,omitempty" doc:"Not supported yet"`
	Notifications map[string]any `json:"notifications,omitempty" doc:"Not supported yet"`
}

// App is one app.
type App struct {
	ImageTag      string                  `json:"image_tag,omitempty" doc:"A tag or digest in the app's repository: the image to run. Absent: the app runs what it does"`
	Container     Container               `json:"container,omitzero" doc:"How its tasks are started and checked from inside"`
	CustomDomains map[string]CustomDomain `json:"custom_domains,omitempty" doc:"By name, as www.example.com or *.example.com"`
	Env           map[string]Variable     `json:"env,omitempty" doc:"Its environment"`
	Links         map[string]any          `json:"links,omitempty" doc:"Not supported yet"`
	Network       Network                 `json:"network,omitzero" doc:"How it is reached and checked from outside"`
	Resources     Resources               `json:"resources,omitzero" doc:"What each task gets, and how many there are"`
	Schedule      map[string]Schedule     `json:"schedule,omitempty" doc:"Commands that are run regularly, by name"`
}

// Schedule is a command that is run regularly.
type Schedule struct {
	Cron    string   `json:"cron" required:"true" doc:"When, in UTC: minute, hour, day of the month, month, day of the week, as 0 3 * * *"`
	Command []string `json:"command" required:"true" doc:"In place of the app's command, word by word"`
	Timeout string   `json:"timeout,omitempty" default:"1h" doc:"How long one run may take, as 90s, 10m or 1h30m; a day at most"`
}

// Container is how tasks are started and watched from inside.
type Container struct {
	Command     []string     `json:"command,omitempty" doc:"In place of the image's command, word by word"`
	Entrypoint  []string     `json:"entrypoint,omitempty" doc:"In place of the image's entrypoint, word by word"`
	HealthCheck *HealthCheck `json:"health_check,omitempty" doc:"A command in the container whose exit code 0 is healthy"`
	Timeouts    Timeouts     `json:"timeouts,omitzero"`
}

// HealthCheck is the container health check. The numbers are seconds, save Retries.
type HealthCheck struct {
	Command     []string `json:"command" required:"true" doc:"Word by word"`
	Interval    *int     `json:"interval,omitempty" minimum:"1" maximum:"300" default:"10" doc:"Seconds"`
	Timeout     *int     `json:"timeout,omitempty" minimum:"1" maximum:"60" default:"10" doc:"Seconds"`
	Retries     *int     `json:"retries,omitempty" minimum:"1" maximum:"30" default:"5"`
	StartPeriod *int     `json:"start_period,omitempty" minimum:"0" maximum:"300" default:"15" doc:"Seconds in which failures do not count"`
}

// Timeouts are seconds.
type Timeouts struct {
	StartTimeout *int `json:"start_timeout,omitempty" minimum:"1" maximum:"3600" doc:"Seconds for a new task to pass its checks; default 60, or the checks' worst case"`
	StopTimeout  *int `json:"stop_timeout,omitempty" minimum:"60" maximum:"3600" default:"60" doc:"Seconds between SIGTERM and SIGKILL"`
}

// CustomDomain is a domain of the owner's.
type CustomDomain struct {
	Primary           bool  `json:"primary" doc:"The app's other domains redirect to it"`
	Validated         bool  `json:"validated" doc:"true: it is validated, its record must be in DNS. false takes no validation away"`
	RedirectToPrimary *bool `json:"redirect_to_primary,omitempty" default:"true" doc:"Whether it redirects to the primary domain"`
	StaticIP          bool  `json:"static_ip,omitempty" doc:"Addresses are published for it in place of a CNAME record"`
}

// Variable is a variable of the environment.
type Variable struct {
	Value       *string `json:"value" required:"true" doc:"A text; {{ .Secrets.NAME }} stands for one that is not in this file"`
	Description string  `json:"description,omitempty"`
}

// Network is how an app is reached.
type Network struct {
	Protocol    string       `json:"protocol,omitempty" enum:"http,tcp" default:"http"`
	Public      bool         `json:"public" default:"false" doc:"Whether it is reached from outside the stage"`
	Ports       []int        `json:"ports,omitempty" minimum:"1" maximum:"65535" maxItems:"1" doc:"What the tasks listen on; default [5000]"`
	HealthCheck NetworkCheck `json:"health_check,omitzero" doc:"Of apps that speak http"`
}

// NetworkCheck is the network health check.
type NetworkCheck struct {
	Path   string `json:"path,omitempty" default:"/"`
	Status string `json:"status,omitempty" default:"200-499" doc:"Codes and ranges, as 200-299,301"`
}

// Resources of an app. Memory has another default here than an app that is created by a command.
type Resources struct {
	CPU    *int `json:"cpu,omitempty" minimum:"128" multipleOf:"128" default:"128" doc:"1024 is one vCPU"`
	Memory *int `json:"memory,omitempty" minimum:"128" multipleOf:"128" default:"128" doc:"MB"`
	Scale  *int `json:"scale,omitempty" minimum:"0" maximum:"16" default:"1" doc:"How many tasks"`
}

// DefaultMemory is the memory of an app, in MB, whose definition names none.
const DefaultMemory = 128
