package object

import (
	"strconv"
	"time"

	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	appsapply "k8s.io/client-go/applyconfigurations/apps/v1"
	coreapply "k8s.io/client-go/applyconfigurations/core/v1"
	metaapply "k8s.io/client-go/applyconfigurations/meta/v1"

	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/setops"
)

func (s Stage) generationLabels(g engine.Generation) map[string]string {
	return with(s.labels(), LabelName, g.App, LabelApp, g.App, LabelGeneration, g.ID, LabelRelease, strconv.Itoa(g.Release))
}

// Environment is the secret with the environment of a generation.
func (s Stage) Environment(g engine.Generation) *coreapply.SecretApplyConfiguration {
	return s.secret(Environment(Deployment(g.App, g.ID)), s.generationLabels(g), g.Container.Env)
}

// Generation is the Deployment. Its pods never change but for their checks and timeouts, so it hardly ever rolls; where it does,
// no old one goes before a new one is there. Drain is how long a pod goes on serving when it is told to end.
func (s Stage) Generation(g engine.Generation, drain time.Duration) *appsapply.DeploymentApplyConfiguration {
	name := Deployment(g.App, g.ID)
	pod := s.pod(g.Container, Environment(name), g.StopTimeout+drain)
	own := map[string]string{LabelGeneration: g.ID}
	pod.WithTopologySpreadConstraints(coreapply.TopologySpreadConstraint().WithMaxSkew(1).
		WithTopologyKey(core.LabelHostname).WithWhenUnsatisfiable(core.ScheduleAnyway).
		WithLabelSelector(metaapply.LabelSelector().WithMatchLabels(own)))
	container := &pod.Containers[0]
	check(container, g)
	if drain > 0 {
		container.WithLifecycle(coreapply.Lifecycle().WithPreStop(
			coreapply.LifecycleHandler().WithSleep(coreapply.SleepAction().WithSeconds(seconds(drain)))))
	}
	proven := int32(0)
	if g.HealthCheck == nil && g.NetworkCheck == nil {
		proven = int32(setops.ProvenAfter / time.Second)
	}
	spec := appsapply.DeploymentSpec().
		WithReplicas(int32(g.Scale)).
		WithSelector(metaapply.LabelSelector().WithMatchLabels(own)).
		WithStrategy(appsapply.DeploymentStrategy().WithType(apps.RollingUpdateDeploymentStrategyType).
			WithRollingUpdate(appsapply.RollingUpdateDeployment().
				WithMaxUnavailable(intstr.FromInt32(0)).WithMaxSurge(intstr.FromString("100%")))).
		WithMinReadySeconds(proven).
		WithProgressDeadlineSeconds(max(int32(seconds(g.StartTimeout)), proven+1)).
		WithRevisionHistoryLimit(1).
		WithTemplate(coreapply.PodTemplateSpec().WithLabels(s.generationLabels(g)).
			WithAnnotations(facts(g.Container, g.StopTimeout)).WithSpec(pod))
	return appsapply.Deployment(name, s.Name()).WithLabels(s.generationLabels(g)).
		WithAnnotations(map[string]string{AnnotationFence: strconv.FormatInt(g.Fence, 10)}).
		WithSpec(spec)
}

// facts are what a restarted server must know of a pod and cannot see.
func facts(c engine.Container, stop time.Duration) map[string]string {
	return map[string]string{
		AnnotationDigest: c.Image.Digest, AnnotationPort: strconv.Itoa(c.Port), AnnotationMemory: strconv.Itoa(c.Memory),
		AnnotationStopTimeout: stop.String(),
	}
}

// Service is where an app answers inside the cluster. Which generation does is its selector: none, where that is empty.
func (s Stage) Service(served engine.Served) *coreapply.ServiceApplyConfiguration {
	generation := served.Generation
	if generation == "" {
		generation = "none"
	}
	port := coreapply.ServicePort().WithName(string(served.Protocol)).WithProtocol(core.ProtocolTCP).
		WithPort(int32(served.Port)).WithTargetPort(intstr.FromString(portName))
	return coreapply.Service(served.App, s.Name()).
		WithLabels(with(s.labels(), LabelName, served.App, LabelApp, served.App)).
		WithSpec(coreapply.ServiceSpec().WithType(core.ServiceTypeClusterIP).WithPorts(port).
			WithSelector(map[string]string{LabelGeneration: generation}))
}
