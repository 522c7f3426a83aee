package render

import "github.com/setopsco/setops/pkg/api"

// HealthCheck lays out a container health check; without one there is only its empty command.
func HealthCheck(h *api.HealthCheck) *Block {
	b := new(Block)
	if h == nil {
		return b.Add("Command", Words(nil))
	}
	return b.Add("Command", OneLine(Words(h.Command))).
		Add("Interval", h.Interval).
		Add("Timeout", h.Timeout).
		Add("Retries", h.Retries).
		Add("Start Period", h.StartPeriod)
}

// Container lays out how an app's tasks are started. Timeouts are shown where they are not what follows by itself.
func Container(c api.Container) *Block {
	b := new(Block).
		Add("Command", OneLine(Words(c.Command))).
		Add("Entrypoint", OneLine(Words(c.Entrypoint))).
		Nest("Health Check", HealthCheck(c.HealthCheck))
	if c.StartTimeout != usualStartTimeout(c.HealthCheck) || c.StopTimeout != usualTimeout {
		b.Nest("Timeouts", new(Block).Add("Start", c.StartTimeout).Add("Stop", c.StopTimeout))
	}
	return b
}

// usualTimeout is the start and stop timeout, in seconds, of an app that sets none.
const usualTimeout = 60

// usualStartTimeout leaves a container health check the time that it may take at worst.
func usualStartTimeout(h *api.HealthCheck) int {
	if h == nil {
		return usualTimeout
	}
	return max(usualTimeout, h.StartPeriod+h.Retries*(h.Interval+h.Timeout))
}

// Resources lays out what each task gets.
func Resources(r api.Resources) *Block {
	return new(Block).Add("CPU", r.CPU).Add("Memory", r.Memory).Add("Scale", r.Scale)
}

// Network lays out how an app is reached.
func Network(n api.Network) *Block {
	b := new(Block).Add("Protocol", n.Protocol).Add("Public", n.Public).Add("Port", n.Port)
	if h := n.HealthCheck; h != nil && h.Path != "" {
		b.Nest("Health Check", new(Block).Add("Path", OneLine(h.Path)).Add("Status", h.Status))
	}
	return b
}
