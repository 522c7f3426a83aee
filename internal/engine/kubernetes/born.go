package kubernetes

import (
	"fmt"
	"net"
	"regexp"
	"strconv"
	"time"

	core "k8s.io/api/core/v1"

	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/engine/kubernetes/object"
	"github.com/setopsco/setops/internal/engine/verdict"
	"github.com/setopsco/setops/internal/setops"
)

// task gives the task that a run of the pod is. Most are new; those that a record tells of are adopted.
func (a *attendant) task(r run) *task {
	if t := a.tasks[r.index]; t != nil {
		if t.pod == "" { // it was taken on before there was a pod
			a.own(t, r.index)
		}
		return t
	}
	id := a.key
	if a.pod.Labels[object.LabelTask] == "" {
		id = taskID(string(a.pod.UID), r.index)
		a.joinGeneration()
	}
	a.e.mu.Lock()
	t := a.e.tasks[id]
	a.e.mu.Unlock()
	isNew := t == nil
	switch {
	case isNew:
		t = a.e.newTask(a.describe(id, r), factsOf(a.pod), a.gen)
		a.e.logStatus(t, a.e.snapshot(t))
	case a.e.snapshot(t).Status == setops.Deprovisioning:
		defer a.goOnClosing(t)
	}
	a.own(t, r.index)
	if isNew && r.index > 0 {
		a.explainRestart(t, r)
	}
	return t
}

// own makes the attendant the one who leads a task.
func (a *attendant) own(t *task, index int) {
	a.e.mu.Lock()
	defer a.e.mu.Unlock()
	a.tasks[index] = t
	if a.current == nil || index >= a.newest {
		a.current, a.newest = t, index
	}
	if a.pod != nil {
		t.facts = factsOf(a.pod)
	}
	if t.isDeserted() {
		a.tell(verdict.ReasonDeserted)
	}
	t.gen = a.gen
	if a.gen != nil && t.Status != setops.Stopped {
		a.gen.tasks[t.ID] = t
	}
	a.e.changed(t)
}

// goOnClosing fetches the rest of the log of a task that had ended when the engine before was closed.
func (a *attendant) goOnClosing(t *task) {
	if t.isOver() {
		return
	}
	close(t.ended)
	if t.Unrun == "" && !t.StartedAt.IsZero() {
		a.ship(t)
	}
	a.beside.Go(func() { a.e.finish(t) })
}

func (a *attendant) joinGeneration() {
	if a.gen != nil {
		return
	}
	a.e.mu.Lock()
	defer a.e.mu.Unlock()
	labels := a.pod.Labels
	a.gen = a.e.generationOf(labels[object.LabelGeneration], a.e.stages[labels[object.LabelStage]], labels[object.LabelApp])
	a.gen.attendants[a] = struct{}{}
}

// describe makes a task of what the pod's labels and annotations say.
func (a *attendant) describe(id string, r run) setops.Task {
	labels, annotations := a.pod.Labels, a.pod.Annotations
	created := exact(a.pod.CreationTimestamp.Time) // or those of one second would have no order
	if r.index > 0 {
		created = time.Now()
	}
	if at, err := time.Parse(time.RFC3339Nano, annotations[object.AnnotationCreated]); err == nil {
		created = at
	}
	release, _ := strconv.Atoi(labels[object.LabelRelease])
	return setops.Task{
		ID: id, StageID: labels[object.LabelStage], App: labels[object.LabelApp], Generation: labels[object.LabelGeneration],
		Release: release, Digest: annotations[object.AnnotationDigest], Tag: annotations[object.AnnotationTag],
		Status: setops.Provisioning, Desired: setops.Running, Health: setops.Unknown, CreatedAt: created.UTC(),
	}
}

func factsOf(pod *core.Pod) facts {
	number := func(key string) int { n, _ := strconv.Atoi(pod.Annotations[key]); return n }
	duration := func(key string) time.Duration { d, _ := time.ParseDuration(pod.Annotations[key]); return d }
	f := facts{
		namespace: pod.Namespace, pod: pod.Name, port: number(object.AnnotationPort), memory: number(object.AnnotationMemory),
		stopTimeout: duration(object.AnnotationStopTimeout), limit: duration(object.AnnotationLimit),
		console: pod.Annotations[object.AnnotationConsole],
	}
	if f.limit <= 0 || f.limit > engine.OneOffLimit {
		f.limit = engine.OneOffLimit
	}
	return f
}

// waitsOut is how the cluster says how long a restart waits.
var waitsOut = regexp.MustCompile(`back-off (\S+) restarting`)

// explainRestart tells why this task is there.
func (a *attendant) explainRestart(t *task, r run) {
	a.e.change(t, func(n *setops.Task) { n.Status = setops.Pending }, nil)
	pause := "0s"
	if m := waitsOut.FindStringSubmatch(r.message); m != nil {
		pause = m[1]
	}
	a.e.tell(t, fmt.Sprintf("restarting in %s: %s", pause, a.cause))
}

// followed remembers why the next run of the container is one.
func (a *attendant) followed(cause string) { a.cause = cause }

func address(ip string, port int) string {
	if ip == "" || port == 0 {
		return ""
	}
	return net.JoinHostPort(ip, strconv.Itoa(port))
}
