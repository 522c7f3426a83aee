package object

import (
	"strconv"
	"time"

	batch "k8s.io/api/batch/v1"
	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/setopsco/setops/internal/engine"
)

// How long a Job may take and stay. Its deadline counts from when it is made, the task's from when it runs, so that it is later:
// it is there for tasks that no server looks after.
const (
	startAllowance = 10 * time.Minute
	endedFor       = time.Hour
)

func (s Stage) taskLabels(o engine.OneOff) map[string]string {
	return with(s.labels(), LabelName, o.App, LabelApp, o.App, LabelTask, o.ID, LabelRelease, strconv.Itoa(o.Release))
}

// TaskEnvironment is the secret with the environment of a one-off task.
func (s Stage) TaskEnvironment(o engine.OneOff) *core.Secret {
	return s.secret(Environment(Job(o.ID)), s.taskLabels(o), o.Container.Env)
}

// Task is the Job that runs a one-off task, once. Argv is its program where that is to be joined.
func (s Stage) Task(o engine.OneOff, created time.Time, argv []string) *batch.Job {
	pod := s.pod(o.Container, Environment(Job(o.ID)), o.StopTimeout)
	pod.RestartPolicy = core.RestartPolicyNever
	about := s.meta(Job(o.ID), s.taskLabels(o))
	about.Annotations = facts(o.Container, o.StopTimeout)
	about.Annotations[AnnotationTag] = o.Tag
	about.Annotations[AnnotationLimit] = o.Limit.String()
	about.Annotations[AnnotationCreated] = created.UTC().Format(time.RFC3339Nano)
	job := &batch.Job{ObjectMeta: about, Spec: batch.JobSpec{
		BackoffLimit:            new(int32(0)),
		PodReplacementPolicy:    new(batch.Failed),
		ActiveDeadlineSeconds:   new(seconds(min(o.Limit+startAllowance, engine.OneOffLimit))),
		TTLSecondsAfterFinished: new(int32(endedFor / time.Second)),
		Template: core.PodTemplateSpec{
			ObjectMeta: meta.ObjectMeta{Labels: about.Labels, Annotations: about.Annotations},
			Spec:       pod,
		},
	}}
	if o.Console != nil {
		s.latched(job, o, argv)
	}
	return job
}
