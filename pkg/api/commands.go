package api

// The arguments of the staged commands. Name is always the app, and not there where the stage is meant; pointers and empty lists are "not touched".

// AppCreate stages a new app.
type AppCreate struct {
	Name string `json:"name"`
}

// AppDestroy stages the end of an app.
type AppDestroy struct {
	Name string `json:"name"`
}

// ContainerSet stages container settings. One command argument that contains spaces is split as a shell would.
type ContainerSet struct {
	Name         string            `json:"name"`
	Command      []string          `json:"command,omitempty"`
	Entrypoint   []string          `json:"entrypoint,omitempty"`
	HealthCheck  *HealthCheckPatch `json:"health_check,omitempty"`
	StartTimeout *int              `json:"start_timeout,omitempty"`
	StopTimeout  *int              `json:"stop_timeout,omitempty"`
}

// HealthCheckPatch sets the container health check; what is left out takes its default.
type HealthCheckPatch struct {
	Command     []string `json:"command"`
	Interval    *int     `json:"interval,omitempty"`
	Timeout     *int     `json:"timeout,omitempty"`
	Retries     *int     `json:"retries,omitempty"`
	StartPeriod *int     `json:"start_period,omitempty"`
}

// ContainerUnset restores defaults of: command, entrypoint, health_check, start_timeout, stop_timeout.
type ContainerUnset struct {
	Name   string   `json:"name"`
	Fields []string `json:"fields"`
}

// NetworkSet stages network settings.
type NetworkSet struct {
	Name              string  `json:"name"`
	Protocol          *string `json:"protocol,omitempty"`
	Public            *bool   `json:"public,omitempty"`
	Port              *int    `json:"port,omitempty"`
	HealthCheckPath   *string `json:"health_check_path,omitempty"`
	HealthCheckStatus *string `json:"health_check_status,omitempty"`
}

// NetworkUnset restores defaults of: protocol, public, port, health_check_path, health_check_status.
type NetworkUnset struct {
	Name   string   `json:"name"`
	Fields []string `json:"fields"`
}

// ResourceSet stages resources.
type ResourceSet struct {
	Name   string `json:"name"`
	CPU    *int   `json:"cpu,omitempty"`
	Memory *int   `json:"memory,omitempty"`
	Scale  *int   `json:"scale,omitempty"`
}

// ResourceUnset restores defaults of: cpu, memory, scale.
type ResourceUnset struct {
	Name   string   `json:"name"`
	Fields []string `json:"fields"`
}

// EnvSet stages one variable. Secret makes it write-only; it stays so until it is unset.
type EnvSet struct {
	Name        string `json:"name"`
	Key         string `json:"key"`
	Value       string `json:"value"`
	Description string `json:"description,omitempty"`
	Secret      bool   `json:"secret,omitempty"`
}

// EnvUnset stages the removal of one variable.
type EnvUnset struct {
	Name string `json:"name"`
	Key  string `json:"key"`
}

// ReleaseCreate stages a release of an image in the app's repository.
type ReleaseCreate struct {
	Name   string `json:"name"`
	Digest string `json:"release_digest"`
}

// ReleaseActivate stages that a release becomes the active one. Before, where given, is run in a one-off task on that release
// as part of the commit, before any traffic moves: the commit fails where it does. Tag, where given, is what its image is known by
// from then on.
type ReleaseActivate struct {
	Name      string   `json:"name"`
	ReleaseID int      `json:"release_id"`
	Tag       *string  `json:"tag,omitempty"`
	Before    []string `json:"before,omitempty"`
}

// ReleaseDeactivate stages that the app has no active release any more, and no tasks. No command of the CLI stages it: it
// takes back the first activation of an app.
type ReleaseDeactivate struct {
	Name string `json:"name"`
}

// DomainCreate stages a custom domain. Primary takes the place of the app's present primary domain.
type DomainCreate struct {
	Name    string `json:"name"`
	Domain  string `json:"domain"`
	Primary bool   `json:"primary,omitempty"`
}

// DomainDestroy stages the end of a custom domain.
type DomainDestroy struct {
	Name   string `json:"name"`
	Domain string `json:"domain"`
}

// DomainValidate stages that a custom domain is served. Its validation record must be in DNS by then.
type DomainValidate struct {
	Name   string `json:"name"`
	Domain string `json:"domain"`
}

// DomainOptionSet stages options of a custom domain.
type DomainOptionSet struct {
	Name     string `json:"name"`
	Domain   string `json:"domain"`
	Primary  *bool  `json:"primary,omitempty"`
	StaticIP *bool  `json:"static_ip,omitempty"`

	RedirectToPrimary *bool `json:"redirect_to_primary,omitempty"`
}

// DomainOptionUnset restores defaults of: primary, static_ip, redirect_to_primary.
type DomainOptionUnset struct {
	Name   string   `json:"name"`
	Domain string   `json:"domain"`
	Fields []string `json:"fields"`
}

// ScheduleCreate stages a command of an app that is run regularly, as a one-off task of the active release.
type ScheduleCreate struct {
	Name     string   `json:"name"`
	Schedule string   `json:"schedule"`
	Cron     string   `json:"cron" doc:"Five fields as \"0 3 * * *\": minute, hour, day of the month, month, day of the week, in UTC"`
	Command  []string `json:"command"`
	Timeout  *int     `json:"timeout,omitempty" doc:"Seconds that a run may take, at most 86400; an hour where it is left out"`
}

// ScheduleDestroy stages the end of a schedule. A run that has begun goes on to its end.
type ScheduleDestroy struct {
	Name     string `json:"name"`
	Schedule string `json:"schedule"`
}

// LogSet stages settings of all logs of a stage.
type LogSet struct {
	Retention *int `json:"retention,omitempty" doc:"Days that lines are kept, 1 to 365"`
}

// LogUnset restores defaults of: retention.
type LogUnset struct {
	Fields []string `json:"fields"`
}

// CommandName is the stored name of the command; the same holds for the methods below.
func (AppCreate) CommandName() string         { return "app:create" }
func (AppDestroy) CommandName() string        { return "app:destroy" }
func (ContainerSet) CommandName() string      { return "app:container:set" }
func (ContainerUnset) CommandName() string    { return "app:container:unset" }
func (NetworkSet) CommandName() string        { return "app:network:set" }
func (NetworkUnset) CommandName() string      { return "app:network:unset" }
func (ResourceSet) CommandName() string       { return "app:resource:set" }
func (ResourceUnset) CommandName() string     { return "app:resource:unset" }
func (EnvSet) CommandName() string            { return "app:env:set" }
func (EnvUnset) CommandName() string          { return "app:env:unset" }
func (ReleaseCreate) CommandName() string     { return "app:release:create" }
func (ReleaseActivate) CommandName() string   { return "app:release:set" }
func (ReleaseDeactivate) CommandName() string { return "app:release:unset" }
func (ScheduleCreate) CommandName() string    { return "app:schedule:create" }
func (ScheduleDestroy) CommandName() string   { return "app:schedule:destroy" }
func (LogSet) CommandName() string            { return "log:set" }
func (LogUnset) CommandName() string          { return "log:unset" }
func (DomainCreate) CommandName() string      { return "app:domain:create" }
func (DomainDestroy) CommandName() string     { return "app:domain:destroy" }
func (DomainValidate) CommandName() string    { return "app:domain:validate" }
func (DomainOptionSet) CommandName() string   { return "app:domain:option:set" }
func (DomainOptionUnset) CommandName() string { return "app:domain:option:unset" }
