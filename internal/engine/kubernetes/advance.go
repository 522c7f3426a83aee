package kubernetes

import (
	"context"
	"fmt"
	"strings"
	"time"

	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/engine/verdict"
	"github.com/setopsco/setops/internal/setops"
)

// settings are those of a task's generation now; nil: a one-off task, or nobody has declared it yet.
func (e *Engine) settings(t *task) *engine.Generation {
	e.mu.Lock()
	defer e.mu.Unlock()
	if t.gen == nil || !t.gen.kept {
		return nil
	}
	g := t.gen.Generation
	return &g
}

// advance makes the newest task RUNNING once nothing is left to wait for.
func (a *attendant) advance() {
	t := a.current
	if t == nil || t.isOver() || t.Status != setops.Activating || a.leaving {
		return
	}
	if t.OneOff() {
		a.e.change(t, func(n *setops.Task) { n.Status = setops.Running }, nil)
		return
	}
	g := a.e.settings(t)
	if g == nil {
		return // adopted, and what it must pass is not known yet
	}
	a.checks.attend(t)
	if !a.checks.pass() || !isReady(a.pod) || !a.isProven(t, g) {
		return
	}
	a.checks.late = nil
	a.e.change(t, func(n *setops.Task) {
		n.Status = setops.Running
		if g.HealthCheck != nil {
			n.Health = setops.Healthy
		}
	}, nil)
}

// late says why a task did not get ready in time. It goes on: the cluster does not give up either.
func (a *attendant) late() {
	a.checks.late = nil
	t := a.current
	g := a.e.settings(t)
	if g == nil || t.isOver() || t.Status != setops.Activating {
		return
	}
	f := a.checks.lateness(g.StartTimeout)
	if err := a.unheard(); err != nil {
		f = &verdict.Failure{
			Check: verdict.CheckStart, Fault: true, Final: true,
			Cause: fmt.Sprintf("the API server of the cluster does not answer, so nobody knows whether it is ready: %v (start timeout %s)", err, g.StartTimeout),
		}
	}
	a.e.tell(t, f.Reason())
	a.blame(t, f)
}

// answerLimit is how long the cluster may take to say how it is with a pod.
const answerLimit = 5 * time.Second

// unheard gives an error where nobody can be asked about the pod.
func (a *attendant) unheard() error {
	ctx, cancel := context.WithTimeout(a.e.ctx, answerLimit)
	defer cancel()
	_, err := a.e.api.Core.Pods(a.pod.Namespace).Get(ctx, a.pod.Name, meta.GetOptions{})
	return ignoreGone(err)
}

// isProven reports whether a task without checks was up long enough.
func (a *attendant) isProven(t *task, g *engine.Generation) bool {
	if g.HasCheck() {
		return true
	}
	left := a.e.cfg.Timings.ProvenAfter - time.Since(t.StartedAt)
	if left > 0 && a.checks.timer == nil {
		a.checks.timer = time.After(left)
	}
	return left <= 0
}

// health follows the cluster's opinion of a task that serves.
func (a *attendant) health() {
	t := a.current
	if t == nil || t.isOver() || t.Status != setops.Running || a.gen == nil || a.leaving {
		return
	}
	g := a.e.settings(t)
	if g == nil || g.HealthCheck == nil {
		return
	}
	health := setops.Healthy
	ready := condition(a.pod, core.PodReady)
	switch {
	case ready == nil || ready.Status == core.ConditionUnknown || isLost(a.pod):
		health = setops.Unknown
	case ready.Status == core.ConditionFalse:
		health = setops.Unhealthy
	}
	if health != t.Health {
		a.e.change(t, func(n *setops.Task) { n.Health = health }, nil)
	}
}

// isLost reports whether the node of a pod does not answer.
func isLost(pod *core.Pod) bool {
	return pod.Status.Reason == "NodeLost" || pod.DeletionTimestamp == nil && func() bool {
		c := condition(pod, core.DisruptionTarget)
		return c != nil && c.Reason == "DeletionByTaintManager"
	}()
}

// blame notes why a task is not ready, once for good.
func (a *attendant) blame(t *task, f *verdict.Failure) {
	a.e.mu.Lock()
	defer a.e.mu.Unlock()
	if t.judged || t.gen == nil {
		return
	}
	t.judged = f.Final
	t.blame(*f, f.Final)
	t.gen.wake()
}

// waitReason is what a container waits for.
func waitReason(r run) string {
	switch r.reason {
	case "", "ContainerCreating", "PodInitializing":
		return ""
	}
	return strings.TrimSpace(strings.TrimSuffix(r.reason+": "+r.message, ": "))
}

// obstacle says what keeps a container from being made, where that may be more than a moment's delay.
func (a *attendant) obstacle(r run, reason string) *verdict.Failure {
	f := &verdict.Failure{Check: verdict.CheckStart, Cause: reason, Fault: true}
	switch r.reason {
	case "ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "RegistryUnavailable", "ImageInspectError", "SignatureValidationFailed":
		f = imageFailure(r.message)
		a.unread = a.unread || strings.Contains(r.message, anonymously)
	case "CreateContainerConfigError", "CreateContainerError", "RunContainerError":
		f.Cause = "the container cannot be made: " + r.message
		if why := rootless(r.message); why != "" {
			f.Cause, f.Fault, f.Final = why, false, true
		}
		if strings.Contains(r.message, "secret") && strings.Contains(r.message, "not found") {
			a.e.findBereft(a.gen)
		}
	case "":
		if reason == "" {
			return nil
		}
	default:
		return nil
	}
	if g := a.gen; !f.Final && g != nil {
		a.lateObstacle(f)
	}
	return f
}

// rootless says what to do where the stage's standard refuses who an image runs as; empty: that is not it.
func rootless(message string) string {
	switch {
	case !strings.Contains(message, "runAsNonRoot"):
		return ""
	case strings.Contains(message, "non-numeric"):
		return "the image names the user that it runs as, and on this stage only a number proves that it is not root; write USER 10001 in its " +
			"Dockerfile, with the number of that user (" + message + ")"
	}
	return "the image runs as root, which this stage does not allow; write USER 10001, or the number of another user, in its Dockerfile, and " +
		"let it listen at a port above 1023 (" + message + ")"
}

// anonymously is in what a node says of a pull for which it did not have the secret of the stage.
const anonymously = "fetch anonymous token"

// readsAgain is how long a pod may be there, whatever its start timeout, whose node has not read that secret: one that is new is missed by a
// node that has much to do, which pulls again 10 s later, and then after 20 s.
const readsAgain = 45 * time.Second

// lateObstacle makes a verdict of what has not passed by within the start timeout.
func (a *attendant) lateObstacle(f *verdict.Failure) {
	g := a.e.settings(a.current)
	if g == nil {
		return
	}
	limit := g.StartTimeout
	if a.unread {
		limit = max(limit, readsAgain)
	}
	left := limit - time.Since(a.pod.CreationTimestamp.Time)
	if left <= 0 {
		f.Cause = fmt.Sprintf("%s (start timeout %s)", f.Cause, g.StartTimeout)
		f.Final = true
		return
	}
	a.look = time.After(left)
}

// imageFailure tells images that can never run from registries that cannot be had.
func imageFailure(message string) *verdict.Failure {
	f := &verdict.Failure{Check: verdict.CheckImage, Cause: "the cluster cannot pull the image: " + message, Fault: true}
	switch {
	case strings.Contains(message, "no match for platform"):
		f.Cause, f.Fault, f.Final = "the image is not made for the machines of the cluster: "+message, false, true
	case strings.Contains(message, "Back-off pulling"):
		f.Cause = "the cluster cannot pull the image and tries again: " + message
	}
	return f
}
