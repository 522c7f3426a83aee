package object

import (
	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/probe"
	"github.com/setopsco/setops/internal/setops"
)

// How nodes ask over the network. A task that fails so often in a row gets no requests until it passes again.
const (
	networkPeriod   = 2 // s
	networkTimeout  = 5 // s
	networkFailures = 3
)

// mostStartPeriod is how seldom, in seconds, a task that has not been healthy yet is asked.
const mostStartPeriod = 5

// check gives the container the checks of its generation. Only one of them can say that it is ready: the network's, where
// there is one.
func check(c *core.Container, g engine.Generation) {
	if h := g.HealthCheck; h != nil {
		c.StartupProbe, c.LivenessProbe = startup(h), inside(h, h.Interval, h.Retries)
		c.ReadinessProbe = inside(h, h.Interval, h.Retries)
	}
	if g.NetworkCheck != nil {
		c.ReadinessProbe = outside(*g.NetworkCheck)
	}
}

// startup holds the others back until the container health check has succeeded once. It allows for one failure more than the
// check does: we give the verdict, and with more to say than the cluster has.
func startup(h *setops.HealthCheck) *core.Probe {
	period := max(1, min(h.Interval, mostStartPeriod))
	patience := h.StartPeriod + (max(h.Retries, 1)+1)*max(h.Interval, 1)
	return inside(h, period, (patience+period-1)/period+1)
}

func inside(h *setops.HealthCheck, period, failures int) *core.Probe {
	return &core.Probe{
		ProbeHandler:  core.ProbeHandler{Exec: &core.ExecAction{Command: literal(h.Command)}},
		PeriodSeconds: int32(max(period, 1)), TimeoutSeconds: int32(max(h.Timeout, 1)), FailureThreshold: int32(max(failures, 1)),
	}
}

// outside asks for the path where a node accepts just codes that the check may accept, and else whether there is a
// connection: what exactly is answered we ask ourselves before a task gets its first request.
func outside(n setops.NetworkCheck) *core.Probe {
	p := &core.Probe{PeriodSeconds: networkPeriod, TimeoutSeconds: networkTimeout, FailureThreshold: networkFailures}
	if n.Protocol == setops.HTTP && succeeds(n.Status) {
		p.HTTPGet = &core.HTTPGetAction{Path: n.Path, Port: intstr.FromString(portName)}
		return p
	}
	p.TCPSocket = &core.TCPSocketAction{Port: intstr.FromString(portName)}
	return p
}

// succeeds reports whether all accepted codes are ones that a node takes for a success.
func succeeds(accepted string) bool {
	status, err := probe.ParseStatus(accepted)
	if err != nil {
		return false
	}
	for code := 100; code <= 599; code++ {
		if status.Accepts(code) && (code < 200 || code > 399) {
			return false
		}
	}
	return true
}
