package kubernetes

import (
	"context"
	"hash/fnv"

	apps "k8s.io/api/apps/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/engine/verdict"
	"github.com/setopsco/setops/internal/setops"
)

// generation is a Deployment. The engine's lock guards all of it.
type generation struct {
	engine.Generation                  // only ID, Stage and App where it is not kept
	kept              bool             // Ensure was called
	removing          bool             // Remove was called
	there             bool             // it has a Deployment
	deployment        *apps.Deployment // as trimDeployment leaves it
	wanted            meta.ObjectMeta  // what its Deployment was called and marked with when we wrote it
	seen              int64            // the version of its Deployment that we have made
	ready             int              // how many of its pods the controllers of the cluster know to be ready
	suspect           bool             // it may not be what it should, though its Deployment is as written
	tasks             map[string]*task
	attendants        map[*attendant]struct{} // of its pods
	missed            int                     // tasks that ended before they were RUNNING, since all were
	verdict           *judgement              // why it is out of reach that all are RUNNING
	miss              *judgement              // why the last one did not get there
	changed           chan struct{}
}

// judgement is a failure and the task that met it.
type judgement struct {
	verdict.Failure
	taskID string
}

// generationOf gives the generation of that id, which it makes known. e.mu is held.
func (e *Engine) generationOf(id string, stage setops.StageRef, app string) *generation {
	g := e.generations[id]
	if g == nil {
		g = &generation{
			Generation: engine.Generation{ID: id, Stage: stage, App: app},
			tasks:      map[string]*task{}, attendants: map[*attendant]struct{}{}, changed: make(chan struct{}),
		}
		e.generations[id] = g
	}
	return g
}

// serves reports whether requests can be led to all its tasks. That we see them ready is not enough: endpoints of Services are made by a
// controller that may see it later, and a Service that is pointed at them before has none for that long. It shares its view of pods with those
// that count the ready ones of a Deployment, so what they have counted it sees. e.mu is held.
func (g *generation) serves() bool { return g.running() >= g.Scale && g.ready >= g.Scale }

// running counts the tasks that serve. e.mu is held.
func (g *generation) running() int {
	n := 0
	for _, t := range g.tasks {
		if t.Status == setops.Running && t.Desired == setops.Running {
			n++
		}
	}
	return n
}

// wake lets everybody look who waits for g. e.mu is held.
func (g *generation) wake() {
	close(g.changed)
	g.changed = make(chan struct{})
}

// changed tells everybody who waits that t is not what it was. e.mu is held.
func (e *Engine) changed(t *task) {
	if g := t.gen; g != nil {
		if g.kept && g.running() >= g.Scale {
			g.missed, g.verdict, g.miss = 0, nil, nil
		}
		g.wake()
	}
	e.notify(t.StageID)
}

// blame notes why t is not ready. What is final, or the third task that ended so, ends the wait of those who await its
// generation; what is not counted may be over by itself. e.mu is held.
func (t *task) blame(f verdict.Failure, counts bool) {
	g := t.gen
	if g == nil || t.stopReason != "" {
		return
	}
	if counts {
		g.missed++
	}
	g.miss = &judgement{Failure: f, taskID: t.ID}
	if f.Final || g.missed >= verdict.MostMissed {
		g.verdict = g.miss
	}
}

// gateError says why a generation is not ready, with what the task that is to blame wrote.
func (e *Engine) gateError(ctx context.Context, stageID, app string, v *judgement) error {
	e.awaitLog(ctx, v.taskID)
	failure := v.GateError(app, v.taskID)
	q := engine.LogQuery{StageID: stageID, App: app, TaskID: v.taskID, Limit: verdict.MostGateLines, Source: engine.SourceApp}
	err := e.ReadLogs(ctx, q, func(l engine.LogLine) bool {
		failure.Log = append(failure.Log, l.Text)
		return true
	})
	if err != nil {
		e.cfg.Logger.Warn("an error goes without its log", "task", v.taskID, "error", err)
	}
	return failure
}

// awaitLog waits until the log of a task that ends is complete, as long as it may be followed then.
func (e *Engine) awaitLog(ctx context.Context, taskID string) {
	e.mu.Lock()
	t := e.tasks[taskID]
	ends := t != nil && t.Desired == setops.Stopped
	e.mu.Unlock()
	if !ends {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, lastWords)
	defer cancel()
	select {
	case <-t.done:
	case <-ctx.Done():
	case <-e.ctx.Done():
	}
}

// lockWriting lets one write the objects of a generation at a time: what is being removed shall not be put back. It gives what
// unlocks. e.mu is not held.
func (e *Engine) lockWriting(id string) (unlock func()) {
	h := fnv.New32a()
	h.Write([]byte(id)) //nolint:errcheck // it is never an error
	l := &e.writing[h.Sum32()%uint32(len(e.writing))]
	l.Lock()
	return l.Unlock
}
