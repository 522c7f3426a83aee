package changeset

import (
	"strings"

	"github.com/google/shlex"

	"github.com/setopsco/setops/internal/setops"
)

// Limits of the container settings, in seconds save Retries. The rule: behaviour reference, "Values and limits".
const (
	intervalMax     = 300
	timeoutMax      = 60
	retriesMax      = 30
	startPeriodMax  = 300
	startTimeoutMax = 3600
	stopTimeoutMin  = 60
	stopTimeoutMax  = 3600
)

// ContainerSet changes how tasks are started and checked from inside; what is nil is not touched.
type ContainerSet struct {
	AppName      string       `json:"name"`
	Command      []string     `json:"command,omitempty"`
	Entrypoint   []string     `json:"entrypoint,omitempty"`
	HealthCheck  *HealthCheck `json:"health_check,omitempty"`
	StartTimeout *int         `json:"start_timeout,omitempty"`
	StopTimeout  *int         `json:"stop_timeout,omitempty"`
}

// HealthCheck is a container health check in which nil stands for the default.
type HealthCheck struct {
	Command     []string `json:"command"`
	Interval    *int     `json:"interval,omitempty"`
	Timeout     *int     `json:"timeout,omitempty"`
	Retries     *int     `json:"retries,omitempty"`
	StartPeriod *int     `json:"start_period,omitempty"`
}

// ContainerUnset restores the defaults of the named fields.
type ContainerUnset struct {
	AppName string   `json:"name"`
	Fields  []string `json:"fields"`
}

func (c *ContainerSet) Name() string { return "app:container:set" }
func (c *ContainerSet) App() string  { return c.AppName }

func (c *ContainerSet) Arguments() map[string]any {
	return arguments(c.AppName,
		list("command", c.Command), list("entrypoint", c.Entrypoint), c.HealthCheck.argument(),
		optional("start_timeout", c.StartTimeout), optional("stop_timeout", c.StopTimeout))
}

func (h *HealthCheck) argument() argument {
	if h == nil {
		return argument{}
	}
	return argument{"health_check", arguments("", list("command", h.Command), optional("interval", h.Interval),
		optional("timeout", h.Timeout), optional("retries", h.Retries), optional("start_period", h.StartPeriod))}
}

func (c *ContainerSet) apply(d *draft) error {
	return d.edit(c.AppName, func(a *setops.App) error {
		if c.Command == nil && c.Entrypoint == nil && c.HealthCheck == nil && c.StartTimeout == nil && c.StopTimeout == nil {
			return invalid("arguments", setops.Required, "name a setting to change")
		}
		var broken [][]setops.Violation
		setArgv(&a.Container.Command, "command", c.Command, &broken)
		setArgv(&a.Container.Entrypoint, "entrypoint", c.Entrypoint, &broken)
		if c.HealthCheck != nil {
			a.Container.HealthCheck = c.HealthCheck.resolve(&broken)
		}
		setRange(&a.Container.StartTimeout, "start_timeout", c.StartTimeout, 1, startTimeoutMax, &broken)
		setRange(&a.Container.StopTimeout, "stop_timeout", c.StopTimeout, stopTimeoutMin, stopTimeoutMax, &broken)
		return check(broken...)
	})
}

// resolve fills in defaults and checks the limits.
func (h *HealthCheck) resolve(broken *[][]setops.Violation) *setops.HealthCheck {
	full := &setops.HealthCheck{
		Command: h.Command, Interval: setops.DefaultInterval, Timeout: setops.DefaultTimeout,
		Retries: setops.DefaultRetries, StartPeriod: setops.DefaultStartPeriod,
	}
	*broken = append(*broken, setops.CheckArgv("health_check.command", h.Command))
	setRange(&full.Interval, "health_check.interval", h.Interval, 1, intervalMax, broken)
	setRange(&full.Timeout, "health_check.timeout", h.Timeout, 1, timeoutMax, broken)
	setRange(&full.Retries, "health_check.retries", h.Retries, 1, retriesMax, broken)
	setRange(&full.StartPeriod, "health_check.start_period", h.StartPeriod, 0, startPeriodMax, broken)
	return full
}

// setArgv takes an argument vector. One argument with spaces is split as a shell would.
func setArgv(field *[]string, name string, argv []string, broken *[][]setops.Violation) {
	if argv == nil {
		return
	}
	if len(argv) == 1 && strings.ContainsAny(argv[0], " \t\n") {
		split, err := shlex.Split(argv[0])
		if err != nil {
			*broken = append(*broken, []setops.Violation{{Field: name, Validator: setops.InvalidFormat, Message: "a quote is not closed"}})
			return
		}
		argv = split
	}
	*broken = append(*broken, setops.CheckArgv(name, argv))
	*field = argv
}

func setRange(field *int, name string, value *int, lowest, highest int, broken *[][]setops.Violation) {
	if value == nil {
		return
	}
	*broken = append(*broken, setops.CheckRange(name, *value, lowest, highest))
	*field = *value
}

func (c *ContainerUnset) Name() string { return "app:container:unset" }
func (c *ContainerUnset) App() string  { return c.AppName }
func (c *ContainerUnset) Arguments() map[string]any {
	return arguments(c.AppName, list("fields", c.Fields))
}

func (c *ContainerUnset) apply(d *draft) error {
	return d.edit(c.AppName, func(a *setops.App) error {
		return unset(c.Fields, map[string]func(){
			"command":       func() { a.Container.Command = nil },
			"entrypoint":    func() { a.Container.Entrypoint = nil },
			"health_check":  func() { a.Container.HealthCheck = nil },
			"start_timeout": func() { a.Container.StartTimeout = 0 },
			"stop_timeout":  func() { a.Container.StopTimeout = 0 },
		})
	})
}
