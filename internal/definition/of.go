package definition

import (
	"fmt"
	"strings"
	"time"

	"github.com/setopsco/setops/internal/setops"
)

// Source is what a definition is written from besides the spec.
type Source struct {
	Stage setops.StageRef
	// Open opens the value of a variable.
	Open func(app, key string, value setops.Sealed) (string, error)
	// Image names the image of an app's active release, by a tag or its digest.
	Image func(app string, active setops.Release) (string, error)
}

// Of writes down what a stage is. Each value stands there, be it a default or not, so that the file means the same where
// defaults change; what nobody ever set is left out where "not set" is a state of its own. Errors: those of Source.
func Of(spec setops.Spec, s Source) (Definition, error) {
	d := Definition{SchemaVersion: Version, Project: s.Stage.Project, Stage: s.Stage.Name, Apps: map[string]App{}}
	if spec.LogRetention != 0 {
		d.LogRetention = &spec.LogRetention
	}
	for name, a := range spec.Apps {
		app := App{
			Container:     containerOf(a.Container),
			CustomDomains: domainsOf(a.Domains),
			Network: Network{
				Protocol: string(a.Network.Protocol), Public: a.Network.Public, Ports: []int{a.Network.Port},
				HealthCheck: NetworkCheck{Path: a.Network.HealthCheckPath, Status: a.Network.HealthCheckStatus},
			},
			Resources: Resources{CPU: &a.Resources.CPU, Memory: &a.Resources.Memory, Scale: &a.Resources.Scale},
			Schedule:  schedulesOf(a.Schedules),
		}
		var err error
		if app.Env, err = envOf(a, s); err != nil {
			return Definition{}, err
		}
		if active, ok := a.Release(a.ActiveRelease); ok {
			if app.ImageTag, err = s.Image(name, active); err != nil {
				return Definition{}, fmt.Errorf("image of app %s: %w", name, err)
			}
		}
		d.Apps[name] = app
	}
	return d, nil
}

func containerOf(c setops.Container) Container {
	written := Container{Command: c.Command, Entrypoint: c.Entrypoint}
	if h := c.HealthCheck; h != nil {
		written.HealthCheck = &HealthCheck{
			Command: h.Command, Interval: &h.Interval, Timeout: &h.Timeout, Retries: &h.Retries, StartPeriod: &h.StartPeriod,
		}
	}
	if c.StartTimeout != 0 {
		written.Timeouts.StartTimeout = &c.StartTimeout
	}
	if c.StopTimeout != 0 {
		written.Timeouts.StopTimeout = &c.StopTimeout
	}
	return written
}

func schedulesOf(schedules map[string]setops.Schedule) map[string]Schedule {
	all := make(map[string]Schedule, len(schedules))
	for name, s := range schedules {
		all[name] = Schedule{Cron: s.Cron, Command: s.Command, Timeout: shortDuration(s.Limit())}
	}
	return all
}

// shortDuration is 1h where time says 1h0m0s.
func shortDuration(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

func domainsOf(domains map[string]setops.Domain) map[string]CustomDomain {
	all := make(map[string]CustomDomain, len(domains))
	for name, d := range domains {
		all[name] = CustomDomain{Primary: d.Primary, Validated: d.Validated, RedirectToPrimary: new(!d.Direct), StaticIP: d.StaticIP}
	}
	return all
}

func envOf(a *setops.App, s Source) (map[string]Variable, error) {
	all := make(map[string]Variable, len(a.Env))
	for key, v := range a.Env {
		value := reference(key)
		if !v.Secret {
			plain, err := s.Open(a.Name, key, v.Value)
			if err != nil {
				return nil, fmt.Errorf("variable %s of app %s: %w", key, a.Name, err)
			}
			value = quote(plain)
		}
		all[key] = Variable{Value: &value, Description: v.Description}
	}
	return all, nil
}
