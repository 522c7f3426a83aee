package object

import (
	"strconv"
	"time"

	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	policy "k8s.io/api/policy/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/setops"
)

func (s Stage) generationLabels(g engine.Generation) map[string]string {
	return with(s.labels(), LabelName, g.App, LabelApp, g.App, LabelGeneration, g.ID, LabelRelease, strconv.Itoa(g.Release))
}

// Environment is the secret with the environment of a generation.
func (s Stage) Environment(g engine.Generation) *core.Secret {
	return s.secret(Environment(Deployment(g.App, g.ID)), s.generationLabels(g), g.Container.Env)
}

// Generation is the Deployment. Its pods never change but for their checks and timeouts, so it hardly ever rolls; where it does,
// no old one goes before a new one is there. Drain is how long a pod goes on serving when it is told to end.
func (s Stage) Generation(g engine.Generation, drain time.Duration) *apps.Deployment {
	name := Deployment(g.App, g.ID)
	labels, own := s.generationLabels(g), &meta.LabelSelector{MatchLabels: map[string]string{LabelGeneration: g.ID}}
	pod := s.pod(g.Container, Environment(name), g.StopTimeout+drain)
	pod.TopologySpreadConstraints = []core.TopologySpreadConstraint{{
		MaxSkew: 1, TopologyKey: core.LabelHostname, WhenUnsatisfiable: core.ScheduleAnyway, LabelSelector: own,
	}}
	pod.Tolerations = leavesLostNodes()
	container := &pod.Containers[0]
	check(container, g)
	settle, proven := unproven(g, *pod.TerminationGracePeriodSeconds)
	container.Lifecycle = lifecycle(settle, seconds(drain))
	return &apps.Deployment{
		ObjectMeta: meta.ObjectMeta{
			Name: name, Namespace: s.Name(), Labels: labels,
			Annotations: map[string]string{AnnotationFence: strconv.FormatInt(g.Fence, 10)},
		},
		Spec: apps.DeploymentSpec{
			Replicas: new(int32(g.Scale)),
			Selector: own,
			Strategy: apps.DeploymentStrategy{
				Type: apps.RollingUpdateDeploymentStrategyType,
				RollingUpdate: &apps.RollingUpdateDeployment{
					MaxUnavailable: new(intstr.FromInt32(0)), MaxSurge: new(intstr.FromString("100%")),
				},
			},
			MinReadySeconds:         proven,
			ProgressDeadlineSeconds: new(max(int32(seconds(g.StartTimeout)), proven+1)),
			RevisionHistoryLimit:    new(int32(1)),
			Template: core.PodTemplateSpec{
				ObjectMeta: meta.ObjectMeta{Labels: labels, Annotations: facts(g.Container, g.StopTimeout)},
				Spec:       pod,
			},
		},
	}
}

// settleFor is how long, in seconds, a task without any check runs until the cluster takes it for ready and says that it runs.
const settleFor = 3

// unproven is how long, in seconds, a task that nobody asks anything is not ready, and then not available: it is proven when it was up
// for both. To a cluster it would be ready when its program begins, and led to at once where it replaces one that a drain has taken,
// while hardly any program listens by then. All of it cannot be before: a task that ends while it settles is not seen to end.
func unproven(g engine.Generation, grace int64) (settle int64, available int32) {
	if g.HasCheck() {
		return 0, 0
	}
	settle = max(0, min(settleFor, grace-1)) // the cluster wants it to be less
	return settle, int32(int64(setops.ProvenAfter/time.Second) - settle)
}

// lifecycle has a task wait before its first request and after its last one, in seconds.
func lifecycle(settle, drain int64) *core.Lifecycle {
	if settle == 0 && drain == 0 {
		return nil
	}
	return &core.Lifecycle{PostStart: sleep(settle), PreStop: sleep(drain)}
}

func sleep(seconds int64) *core.LifecycleHandler {
	if seconds == 0 {
		return nil
	}
	return &core.LifecycleHandler{Sleep: &core.SleepAction{Seconds: seconds}}
}

// LostAfter is how long a node may not answer, once the cluster has noticed, until the tasks on it are replaced elsewhere. Left to
// itself a cluster waits five minutes.
const LostAfter = 30 * time.Second

func leavesLostNodes() []core.Toleration {
	var all []core.Toleration
	for _, state := range []string{core.TaintNodeNotReady, core.TaintNodeUnreachable} {
		all = append(all, core.Toleration{
			Key: state, Operator: core.TolerationOpExists, Effect: core.TaintEffectNoExecute, TolerationSeconds: new(seconds(LostAfter)),
		})
	}
	return all
}

// Budget lets a drain of nodes take one task of a generation at a time: the next one only when another serves in the place of the one
// before. One that does not serve is in nobody's way.
func (s Stage) Budget(g engine.Generation, owner *apps.Deployment) *policy.PodDisruptionBudget {
	return &policy.PodDisruptionBudget{
		ObjectMeta: meta.ObjectMeta{
			Name: owner.Name, Namespace: s.Name(), Labels: s.generationLabels(g), OwnerReferences: []meta.OwnerReference{OwnedBy(owner)},
		},
		Spec: policy.PodDisruptionBudgetSpec{
			MaxUnavailable:             new(intstr.FromInt32(1)),
			Selector:                   &meta.LabelSelector{MatchLabels: map[string]string{LabelGeneration: g.ID}},
			UnhealthyPodEvictionPolicy: new(policy.AlwaysAllow),
		},
	}
}

// OwnedBy has the cluster delete an object with the Deployment.
func OwnedBy(d *apps.Deployment) meta.OwnerReference {
	return meta.OwnerReference{APIVersion: "apps/v1", Kind: "Deployment", Name: d.Name, UID: d.UID}
}

// facts are what a restarted server must know of a pod and cannot see.
func facts(c engine.Container, stop time.Duration) map[string]string {
	return map[string]string{
		AnnotationDigest: c.Image.Digest, AnnotationPort: strconv.Itoa(c.Port), AnnotationMemory: strconv.Itoa(c.Memory),
		AnnotationStopTimeout: stop.String(),
	}
}

// Service is where an app answers inside the cluster. Which generation does is its selector: none, where that is empty.
func (s Stage) Service(served engine.Served) *core.Service {
	generation := served.Generation
	if generation == "" {
		generation = "none"
	}
	service := &core.Service{
		ObjectMeta: s.meta(served.App, s.appLabels(served.App)),
		Spec: core.ServiceSpec{
			Type: core.ServiceTypeClusterIP,
			Ports: []core.ServicePort{{
				Name: string(served.Protocol), Protocol: core.ProtocolTCP, Port: int32(served.Port), TargetPort: intstr.FromString(portName),
			}},
			Selector: map[string]string{LabelGeneration: generation},
		},
	}
	if served.Host != "" {
		service.Annotations = map[string]string{AnnotationHost: served.Host}
	}
	return service
}
