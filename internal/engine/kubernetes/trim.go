package kubernetes

import (
	"unique"

	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/setopsco/setops/internal/engine/kubernetes/object"
)

// trim leaves of what the cluster tells what is asked for afterwards: of a pod a third. There are thousands of them, and each stays in
// memory for as long as it is there. Who asks for more must add it here.
func trim(o any) (any, error) {
	switch o := o.(type) {
	case *core.Pod:
		return trimPod(o), nil
	case *apps.Deployment:
		return trimDeployment(o), nil
	case meta.Object:
		o.SetManagedFields(nil)
	}
	return o, nil
}

func trimPod(p *core.Pod) *core.Pod {
	return &core.Pod{
		ObjectMeta: trimMeta(p.ObjectMeta),
		Spec:       core.PodSpec{NodeName: shared(p.Spec.NodeName)},
		Status: core.PodStatus{
			Phase: p.Status.Phase, Reason: p.Status.Reason, Message: p.Status.Message, PodIP: p.Status.PodIP,
			Conditions: trimConditions(p.Status.Conditions), ContainerStatuses: trimContainers(p.Status.ContainerStatuses),
		},
	}
}

// trimDeployment keeps no spec: what that should be we know, and its version tells whether it is.
func trimDeployment(d *apps.Deployment) *apps.Deployment {
	return &apps.Deployment{ObjectMeta: trimMeta(d.ObjectMeta), Status: apps.DeploymentStatus{
		Conditions: d.Status.Conditions, ReadyReplicas: d.Status.ReadyReplicas,
	}}
}

func trimMeta(m meta.ObjectMeta) meta.ObjectMeta {
	return meta.ObjectMeta{
		Name: m.Name, Namespace: shared(m.Namespace), UID: m.UID, ResourceVersion: m.ResourceVersion, Generation: m.Generation,
		CreationTimestamp: m.CreationTimestamp, DeletionTimestamp: m.DeletionTimestamp, DeletionGracePeriodSeconds: m.DeletionGracePeriodSeconds,
		Labels: pick(m.Labels, object.Named), Annotations: pick(m.Annotations, object.Named),
	}
}

// trimConditions keeps those that say something of a task.
func trimConditions(all []core.PodCondition) (kept []core.PodCondition) {
	for _, c := range all {
		switch c.Type {
		case core.PodReady, core.PodScheduled, core.DisruptionTarget:
			kept = append(kept, core.PodCondition{
				Type: core.PodConditionType(shared(string(c.Type))), Status: c.Status, LastTransitionTime: c.LastTransitionTime,
				Reason: c.Reason, Message: c.Message,
			})
		}
	}
	return kept
}

func trimContainers(all []core.ContainerStatus) (kept []core.ContainerStatus) {
	for _, c := range all {
		if c.Name == object.Container {
			kept = append(kept, core.ContainerStatus{
				Name: object.Container, RestartCount: c.RestartCount, State: c.State, LastTerminationState: c.LastTerminationState,
			})
		}
	}
	return kept
}

// pick gives what of it is ours.
func pick(from map[string]string, ours func(key string) bool) map[string]string {
	kept := make(map[string]string, len(from))
	for key, value := range from {
		if ours(key) {
			kept[shared(key)] = shared(value)
		}
	}
	return kept
}

// shared gives a text that is in memory once, however many pods have it.
func shared(text string) string { return unique.Make(text).Value() }
