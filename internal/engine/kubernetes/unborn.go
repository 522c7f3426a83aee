package kubernetes

import (
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/setopsco/setops/internal/engine/verdict"
	"github.com/setopsco/setops/internal/setops"
)

// unmadeSoon is when a one-off task that has no pod yet is asked why.
const unmadeSoon = 3 * time.Second

// unborn finds out why a one-off task has no pod, and gives up where the cluster refuses to make one.
func (a *attendant) unborn() {
	t := a.current
	events, err := a.e.events(t.namespace, "involvedObject.name", jobName(t.ID))
	if err != nil {
		a.e.cfg.Logger.Warn("it is not known why a task does not begin", "task", t.ID, "error", err)
	}
	a.look = time.After(unmadeSoon)
	for _, event := range events {
		if event.Reason != "FailedCreate" {
			continue
		}
		why := "the cluster does not make it: " + event.Message
		if strings.Contains(event.Message, "forbidden") {
			a.refused(t, why)
			return
		}
		a.e.change(t, func(n *setops.Task) { n.Reason = setops.Printable(why) }, nil)
	}
}

// refused ends a task that will never be, and is nobody's fault but the cluster's.
func (a *attendant) refused(t *task, why string) {
	a.e.deleteJob(t)
	a.look = nil
	exit := verdict.Exit{Unrun: why, At: time.Now()}
	a.close(t, exit, exit.Reason(0), false, &verdict.Failure{Fault: true})
}

// deleteJob takes away the Job of a task that will never be.
func (e *Engine) deleteJob(t *task) {
	background := meta.DeletePropagationBackground
	err := e.api.Batch.Jobs(t.namespace).Delete(e.ctx, jobName(t.ID), meta.DeleteOptions{PropagationPolicy: &background})
	if err != nil && !errors.IsNotFound(err) {
		e.cfg.Logger.Warn("the Job of a task that ended stays for a while", "task", t.ID, "error", err)
	}
}

// unmade ends a one-off task whose pod was never made.
func (a *attendant) unmade() {
	t := a.current
	if t == nil || t.isOver() {
		return
	}
	background := meta.DeletePropagationBackground
	name := jobName(t.ID)
	err := a.e.api.Batch.Jobs(t.namespace).Delete(a.e.ctx, name, meta.DeleteOptions{PropagationPolicy: &background})
	if err != nil && !errors.IsNotFound(err) {
		a.e.cfg.Logger.Warn("a task could not be stopped; it is tried again", "task", t.ID, "error", err)
		a.again = time.After(a.e.cfg.Timings.Retry)
		return
	}
	a.endUnrun(t)
}
