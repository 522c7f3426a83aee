package kubernetes

import (
	"time"

	core "k8s.io/api/core/v1"

	"github.com/setopsco/setops/internal/setops"
)

// waits is PROVISIONING until there is a node, then PENDING.
func (a *attendant) waits(t *task, r run) {
	status, reason := setops.Pending, waitReason(r)
	if c := condition(a.pod, core.PodScheduled); c == nil || c.Status != core.ConditionTrue {
		status, reason = setops.Provisioning, ""
		if c != nil && c.Reason == core.PodReasonUnschedulable {
			reason = "it does not fit any node: " + c.Message
		}
	}
	if f := a.obstacle(r, reason); f != nil {
		a.blame(t, f)
	}
	if t.Status == status && t.Reason == reason || !toStart(t.Status) {
		return
	}
	a.e.change(t, func(n *setops.Task) { n.Status, n.Reason = status, setops.Printable(reason) }, nil)
}

// runs is ACTIVATING; what makes it RUNNING is in advance.
func (a *attendant) runs(t *task, r run) {
	if t.isHeldBack() {
		a.holds(t)
		return
	}
	if t.console != "" {
		r.startedAt = time.Now() // its container began before
	}
	if toStart(t.Status) {
		a.e.change(t, func(n *setops.Task) {
			n.Status, n.Reason, n.StartedAt = setops.Activating, "", exact(r.startedAt)
			n.Address = address(a.pod.Status.PodIP, t.port)
		}, nil)
	}
	if a.limit == nil && t.OneOff() {
		a.limit = time.After(t.limit - time.Since(t.StartedAt))
	}
	if t == a.current {
		a.checks.attend(t)
	}
	a.ship(t)
}
