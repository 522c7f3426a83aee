package kubernetes

import (
	"context"
	"time"

	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/setopsco/setops/internal/setops"
)

// stop ends the newest task: where it has traffic it is drained first, then its pod is deleted. The place that it leaves in
// a generation the cluster fills again.
func (a *attendant) stop(reason string) {
	t := a.current
	if t == nil || t.isOver() || a.leaving {
		return
	}
	a.leaving, a.limit = true, nil
	serves := t.Status == setops.Running
	a.e.change(t, func(n *setops.Task) {
		n.Desired, n.Reason = setops.Stopped, reason
		if serves {
			n.Status = setops.Deactivating
		}
	}, func() { t.stopReason = reason })
	if !serves || t.gen == nil || a.e.cfg.Drainer == nil {
		a.remove()
		return
	}
	drains := a.e.snapshot(t)
	a.beside.Go(func() {
		a.e.drain(drains, t.ended)
		a.drained <- struct{}{}
	})
}

// drain waits for the requests in flight to a task, for as long as it lives.
func (e *Engine) drain(t setops.Task, ended <-chan struct{}) {
	ctx, cancel := context.WithTimeout(e.ctx, e.cfg.Timings.Drain)
	defer cancel()
	finished := make(chan struct{})
	defer close(finished)
	go func() {
		select {
		case <-ended:
			cancel()
		case <-finished:
		}
	}()
	if err := e.cfg.Drainer.Drain(ctx, t); err != nil && ctx.Err() == nil {
		e.cfg.Logger.Warn("a task was not drained", "task", t.ID, "error", err)
	}
}

// remove has the cluster end the pod, unless the whole generation is about to be removed. What fails is tried again.
func (a *attendant) remove() {
	if a.pod == nil {
		a.unmade()
		return
	}
	if a.pod.DeletionTimestamp != nil || a.current.isOver() || a.awaitsGeneration() {
		return
	}
	err := a.e.api.Core.Pods(a.pod.Namespace).Delete(a.e.ctx, a.pod.Name, meta.DeleteOptions{
		Preconditions: meta.NewUIDPreconditions(string(a.pod.UID)),
	})
	if err == nil || errors.IsNotFound(err) || errors.IsConflict(err) || a.e.ctx.Err() != nil {
		return
	}
	a.e.cfg.Logger.Warn("a pod could not be deleted; it is tried again", "task", a.current.ID, "error", err)
	a.again = time.After(a.e.cfg.Timings.Retry)
}

// awaitsGeneration reports whether the pod goes with its Deployment. It says so when its task was drained.
func (a *attendant) awaitsGeneration() bool {
	if a.gen == nil {
		return false
	}
	a.e.mu.Lock()
	defer a.e.mu.Unlock()
	if !a.gen.removing {
		return false
	}
	a.current.drained = true
	a.gen.wake()
	return true
}

// leave follows a pod that was told to end: it serves on for a while, then SIGTERM is sent.
func (a *attendant) leave() {
	t := a.current
	a.leaving = true
	if t.isOver() || t.StartedAt.IsZero() {
		return
	}
	status, left := setops.Stopping, time.Until(a.sigtermAt())
	if t.Status == setops.Running || t.Status == setops.Deactivating {
		if left > 0 {
			status = setops.Deactivating
			a.sigterm = time.After(left)
		}
	}
	if t.Status == status || t.Status == setops.Stopping {
		return
	}
	if t.Status == setops.Running && status == setops.Stopping {
		a.to(t, setops.Deactivating)
	}
	a.to(t, status)
}

func (a *attendant) to(t *task, status setops.TaskStatus) {
	a.e.change(t, func(n *setops.Task) {
		if n.Reason = a.e.stopReasonOf(t); n.Reason == "" {
			n.Reason = a.deletionReason()
		}
		n.Status, n.Desired = status, setops.Stopped
	}, func() {
		if t.stopReason == "" {
			t.stopReason = t.Reason
		}
	})
}

// sigtermAt is when the cluster sends SIGTERM to a pod that was told to end. Once it has ended its node deletes it again, at once: that says
// nothing of it any more.
func (a *attendant) sigtermAt() time.Time {
	at := a.pod.DeletionTimestamp.Time
	if grace := a.pod.DeletionGracePeriodSeconds; grace != nil {
		at = at.Add(-time.Duration(*grace) * time.Second)
	}
	if a.gen != nil {
		at = at.Add(a.e.cfg.Timings.Linger)
	}
	if a.toldAt.IsZero() || at.Before(a.toldAt) {
		a.toldAt = at
	}
	return a.toldAt
}

// deletionReason says why the cluster ends a pod, where we have not told it to.
func (a *attendant) deletionReason() string {
	if c := condition(a.pod, core.DisruptionTarget); c != nil && c.Status == core.ConditionTrue {
		switch c.Reason {
		case core.PodReasonPreemptionByScheduler:
			return "stopped: the cluster needs its place for something more important"
		case "DeletionByTaintManager":
			return "stopped: its node does not answer"
		case "EvictionByEvictionAPI":
			return "stopped: its node is being emptied"
		}
		return "stopped: " + c.Message
	}
	return "stopped: somebody has deleted it in the cluster"
}
