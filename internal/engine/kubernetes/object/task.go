package object

import (
	"strconv"
	"time"

	batch "k8s.io/api/batch/v1"
	core "k8s.io/api/core/v1"
	batchapply "k8s.io/client-go/applyconfigurations/batch/v1"
	coreapply "k8s.io/client-go/applyconfigurations/core/v1"

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
func (s Stage) TaskEnvironment(o engine.OneOff) *coreapply.SecretApplyConfiguration {
	return s.secret(Environment(Job(o.ID)), s.taskLabels(o), o.Container.Env)
}

// Task is the Job that runs a one-off task, once.
func (s Stage) Task(o engine.OneOff, created time.Time) *batchapply.JobApplyConfiguration {
	pod := s.pod(o.Container, Environment(Job(o.ID)), o.StopTimeout).WithRestartPolicy(core.RestartPolicyNever)
	annotations := facts(o.Container, o.StopTimeout)
	annotations[AnnotationTag] = o.Tag
	annotations[AnnotationLimit] = o.Limit.String()
	annotations[AnnotationCreated] = created.UTC().Format(time.RFC3339Nano)
	return batchapply.Job(Job(o.ID), s.Name()).WithLabels(s.taskLabels(o)).WithAnnotations(annotations).
		WithSpec(batchapply.JobSpec().
			WithBackoffLimit(0).
			WithPodReplacementPolicy(batch.Failed).
			WithActiveDeadlineSeconds(seconds(min(o.Limit+startAllowance, engine.OneOffLimit))).
			WithTTLSecondsAfterFinished(int32(endedFor / time.Second)).
			WithTemplate(coreapply.PodTemplateSpec().WithLabels(s.taskLabels(o)).WithAnnotations(annotations).WithSpec(pod)))
}
