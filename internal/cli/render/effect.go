package render

import (
	"fmt"
	"io"

	"github.com/setopsco/setops/pkg/api"
)

// Effects prints the settings that staged commands touch, with the values that they will have.
func Effects(w io.Writer, effects []api.Effect) error {
	b := new(Block)
	for _, e := range effects {
		containerEffect(b, e)
		resourceEffect(b, e)
		networkEffect(b, e)
		domainEffect(b, e)
		scheduleEffect(b, e)
		stageEffect(b, e)
	}
	return b.Write(w)
}

func containerEffect(b *Block, e api.Effect) {
	if e.Command != nil {
		b.Add("Command", OneLine(Words(*e.Command)))
	}
	if e.Entrypoint != nil {
		b.Add("Entrypoint", OneLine(Words(*e.Entrypoint)))
	}
	if e.HealthCheck != nil || e.HealthCheckOff {
		b.Nest("Health Check", HealthCheck(e.HealthCheck))
	}
	if e.StartTimeout != nil {
		b.Add("Start Timeout", *e.StartTimeout)
	}
	if e.StopTimeout != nil {
		b.Add("Stop Timeout", *e.StopTimeout)
	}
}

func stageEffect(b *Block, e api.Effect) {
	if e.LogRetention != nil {
		b.Add("Log Retention", Days(*e.LogRetention))
	}
}

// Days is a number of days for people.
func Days(n int) string {
	if n == 1 {
		return "1 day"
	}
	return fmt.Sprintf("%d days", n)
}

func resourceEffect(b *Block, e api.Effect) {
	if e.CPU != nil {
		b.Add("CPU", *e.CPU)
	}
	if e.Memory != nil {
		b.Add("Memory", *e.Memory)
	}
	if e.Scale != nil {
		b.Add("Scale", *e.Scale)
	}
}

func networkEffect(b *Block, e api.Effect) {
	n, health := new(Block), new(Block)
	if e.Protocol != nil {
		n.Add("Protocol", *e.Protocol)
	}
	if e.Public != nil {
		n.Add("Public", *e.Public)
	}
	if e.Port != nil {
		n.Add("Port", *e.Port)
	}
	if e.HealthPath != nil {
		health.Add("Path", OneLine(*e.HealthPath))
	}
	if e.HealthStatus != nil {
		health.Add("Status", *e.HealthStatus)
	}
	if len(health.entries) > 0 {
		n.Nest("Health Check", health)
	}
	if len(n.entries) > 0 {
		b.Nest("Network", n)
	}
}
