package kubernetes

import (
	"context"
	stderrors "errors"
	"fmt"
	"time"

	apps "k8s.io/api/apps/v1"
	batch "k8s.io/api/batch/v1"
	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/engine/kubernetes/object"
	"github.com/setopsco/setops/internal/engine/verdict"
	"github.com/setopsco/setops/internal/kube"
	"github.com/setopsco/setops/internal/setops"
)

func jobName(taskID string) string { return object.Job(taskID) }

// adopt goes on where an earlier engine has ended.
func (e *Engine) adopt(ctx context.Context) error {
	for _, o := range e.namespaces.GetStore().List() {
		e.seesNamespace(o.(*core.Namespace), false)
	}
	for _, o := range e.deployments.GetStore().List() {
		e.seesDeployment(o.(*apps.Deployment), false)
	}
	if err := e.adoptRecords(); err != nil {
		return err
	}
	lost := e.unseen()
	_, namespaces := e.namespaces.AddEventHandler(kube.Handler(e.seesNamespace))
	_, deployments := e.deployments.AddEventHandler(kube.Handler(e.seesDeployment))
	_, pods := e.pods.AddEventHandler(kube.Handler(e.attend))
	if err := stderrors.Join(namespaces, deployments, pods); err != nil {
		return fmt.Errorf("follow the cluster: %w", err)
	}
	for _, t := range lost {
		e.adoptLost(ctx, t)
	}
	return nil
}

// adoptRecords makes the tasks known that an earlier engine knew.
func (e *Engine) adoptRecords() error {
	all, err := e.records.All()
	if err != nil {
		return err
	}
	for _, r := range all {
		t := e.newTask(r, facts{limit: 0}, nil)
		if r.Desired == setops.Stopped {
			t.stopReason = r.Reason
		}
		if r.Status == setops.Stopped {
			close(t.ended)
			close(t.done)
		}
	}
	return nil
}

// unseen gives tasks that have not ended, and of which no pod says anything.
func (e *Engine) unseen() (lost []*task) {
	seen := map[string]bool{}
	for _, o := range e.pods.GetStore().List() {
		pod := o.(*core.Pod)
		if id := pod.Labels[object.LabelTask]; id != "" {
			seen[id] = true
			continue
		}
		for _, r := range runsOf(pod) {
			seen[taskID(string(pod.UID), r.index)] = true
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	for id, t := range e.tasks {
		if t.Status != setops.Stopped && !seen[id] {
			lost = append(lost, t)
		}
	}
	return lost
}

// adoptLost ends a task that is not there any more. A one-off task may have no pod yet.
func (e *Engine) adoptLost(ctx context.Context, t *task) {
	e.mu.Lock()
	stage := e.stages[t.StageID]
	if t.namespace = object.Namespace(e.cfg.Installation, stage); t.stopTimeout == 0 {
		t.stopTimeout, t.limit = setops.DefaultStopTimeout*time.Second, engine.OneOffLimit
	}
	e.mu.Unlock()
	if t.OneOff() && !t.Status.Ended() && t.StartedAt.IsZero() && e.isToCome(ctx, t) {
		e.expect(t)
		return
	}
	a := &attendant{e: e, tasks: map[int]*task{0: t}, current: t}
	a.checks = newChecks(e.ctx, a)
	if t.Status == setops.Deprovisioning {
		close(t.ended)
		e.finish(t)
		return
	}
	exit := verdict.Exit{Lost: true, At: time.Now()}
	a.ended(t, run{exit: &exit})
	a.beside.Wait()
}

// isToCome reports whether a one-off task without a pod may still get one.
func (e *Engine) isToCome(ctx context.Context, t *task) bool {
	job, err := e.api.Batch.Jobs(t.namespace).Get(ctx, jobName(t.ID), meta.GetOptions{})
	switch {
	case errors.IsNotFound(err):
		return false
	case err != nil:
		return true // nobody knows
	case job.Spec.Suspend != nil && *job.Spec.Suspend: // it was not made to its end
		e.deleteJob(t)
		return false
	}
	return !isOver(job)
}

func isOver(job *batch.Job) bool {
	for _, c := range job.Status.Conditions {
		if (c.Type == batch.JobComplete || c.Type == batch.JobFailed) && c.Status == core.ConditionTrue {
			return true
		}
	}
	return false
}

// expect follows a one-off task whose pod is still to be made.
func (e *Engine) expect(t *task) *attendant {
	e.mu.Lock()
	defer e.mu.Unlock()
	a := e.attendants[t.ID]
	if a == nil && !e.closed {
		a = e.newAttendant(t.ID, t)
	}
	return a
}

// seesDeployment makes generations known that are there, and lets drift be mended.
func (e *Engine) seesDeployment(d *apps.Deployment, gone bool) {
	id, stageID := d.Labels[object.LabelGeneration], d.Labels[object.LabelStage]
	e.mu.Lock()
	defer e.mu.Unlock()
	if gone {
		if g := e.generations[id]; g != nil {
			g.there, g.ready = false, 0
			e.forgetIfGone(g)
			g.wake()
			e.requestMend(g)
		}
		return
	}
	g := e.generationOf(id, e.stages[stageID], d.Labels[object.LabelApp])
	g.there, g.deployment, g.ready = true, d, int(d.Status.ReadyReplicas)
	e.troubles(g)
	g.wake()
	if d.Generation > g.seen {
		e.requestMend(g)
	}
}

// troubles takes in what the cluster says of a generation as a whole: that its pods cannot even be made. e.mu is held.
func (e *Engine) troubles(g *generation) {
	for _, c := range g.deployment.Status.Conditions {
		if c.Type == apps.DeploymentReplicaFailure && c.Status == core.ConditionTrue && g.kept {
			f := verdict.Failure{Check: verdict.CheckStart, Cause: "the cluster does not make its tasks: " + c.Message, Fault: true, Final: true}
			g.verdict = &judgement{Failure: f}
			g.miss = g.verdict
		}
	}
}

// forgetIfGone forgets a generation of which nothing is left. e.mu is held.
func (e *Engine) forgetIfGone(g *generation) {
	if !g.there && len(g.tasks) == 0 && (g.removing || !g.kept) && len(g.attendants) == 0 {
		delete(e.generations, g.ID)
	}
	g.wake()
}
