package kubernetes

import (
	"time"

	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/setopsco/setops/internal/engine/verdict"
	"github.com/setopsco/setops/internal/setops"
)

// overdueAfter is how long after its last moment a pod may be there, until its node is taken for lost. A node that answers
// has killed it by then.
const overdueAfter = 30 * time.Second

// awaitEnd has a pod that is being deleted written off where its node does not do its part.
func (a *attendant) awaitEnd() {
	if !a.writtenOff {
		a.overdue = time.After(time.Until(a.pod.DeletionTimestamp.Add(overdueAfter)))
	}
}

// writeOff takes a pod from the cluster that its node should have ended, as nobody else will: left to itself the cluster waits until
// the node answers or is removed, and so would a commit, or a stage that is destroyed, also where the task itself has ended before. A
// node that comes again ends what it runs of it.
func (a *attendant) writeOff() {
	t := a.current
	err := a.e.api.Core.Pods(a.pod.Namespace).Delete(a.e.ctx, a.pod.Name, meta.DeleteOptions{
		GracePeriodSeconds: new(int64(0)), Preconditions: meta.NewUIDPreconditions(string(a.pod.UID)),
	})
	if ignoreGone(err) != nil && !errors.IsConflict(err) {
		a.e.cfg.Logger.Warn("a pod whose node does not answer could not be removed; it is tried again", "task", t.ID, "error", err)
		a.overdue = time.After(overdueAfter) // where nobody answers us, nobody has answered the node either
		return
	}
	a.writtenOff = true // the cluster tells when it is gone
	if t.isOver() {
		return
	}
	a.e.tell(t, "node "+a.pod.Spec.NodeName+" does not answer: it is not known whether this task still runs there")
	if t.OneOff() {
		a.e.deleteJob(t) // it would keep the pod until somebody has seen how that ended
	}
}

// silentAfter is how long a node that answers may take for its first word about a task, on a machine that has much to do.
const silentAfter = 10 * time.Second

// silent blames a node that was given a task of a generation and has not said a word about it since; nil: there is none. It is asked at
// the end of the wait only: where a node is lost, the cluster has the task begin on another one.
func (e *Engine) silent(g *generation) *judgement {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, t := range g.tasks {
		pod := e.podNamed(t.namespace, t.pod)
		if pod != nil && t.Status == setops.Pending && containerOf(pod) == nil && isPlacedFor(pod, silentAfter) {
			cause := "node " + pod.Spec.NodeName + ", where it is to begin, does not answer"
			return &judgement{taskID: t.ID, Failure: verdict.Failure{Check: verdict.CheckStart, Fault: true, Cause: cause}}
		}
	}
	return nil
}

// isPlacedFor reports whether a pod has had its node for so long.
func isPlacedFor(pod *core.Pod, d time.Duration) bool {
	c := condition(pod, core.PodScheduled)
	return c != nil && c.Status == core.ConditionTrue && time.Since(c.LastTransitionTime.Time) > d
}
