package isolation

import (
	"context"
	"fmt"
	"time"

	batch "k8s.io/api/batch/v1"
	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	kerrors "k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/setopsco/setops/internal/engine/kubernetes/object"
)

// probe is a pod that is called, by a Job that the cluster ends and removes where nobody else does. The policy belongs to the Job.
type probe struct {
	Config
	id string
}

func (p probe) name() string { return "setops-probe-" + p.id }

func (p probe) labels() map[string]string {
	return map[string]string{object.LabelComponent: object.ComponentProbe, object.LabelInstallation: p.Installation, labelProbe: p.id}
}

const labelProbe = "setops.dev/probe"

func (p probe) make(ctx context.Context) error {
	job, err := p.API.Batch.Jobs(p.Namespace).Create(ctx, p.job(), meta.CreateOptions{})
	if err != nil {
		return fmt.Errorf("make a pod that is called: %w", err)
	}
	owner := meta.OwnerReference{APIVersion: "batch/v1", Kind: "Job", Name: job.Name, UID: job.UID}
	_, err = p.API.Networking.NetworkPolicies(p.Namespace).Create(ctx, p.policy(owner), meta.CreateOptions{})
	if err != nil {
		return fmt.Errorf("make its policy: %w", err)
	}
	return nil
}

// policy lets everybody to the open port, and nobody to any other one.
func (p probe) policy(owner meta.OwnerReference) *networking.NetworkPolicy {
	open, tcp := intstr.FromInt32(OpenPort), core.ProtocolTCP
	return &networking.NetworkPolicy{
		ObjectMeta: meta.ObjectMeta{Name: p.name(), Labels: p.labels(), OwnerReferences: []meta.OwnerReference{owner}},
		Spec: networking.NetworkPolicySpec{
			PodSelector: meta.LabelSelector{MatchLabels: map[string]string{labelProbe: p.id}},
			PolicyTypes: []networking.PolicyType{networking.PolicyTypeIngress},
			Ingress:     []networking.NetworkPolicyIngressRule{{Ports: []networking.NetworkPolicyPort{{Protocol: &tcp, Port: &open}}}},
		},
	}
}

// alone refuses where others' policies are about the probe, too: they add up, so that one of them may let callers in.
func (p probe) alone(ctx context.Context) error {
	all, err := p.API.Networking.NetworkPolicies(p.Namespace).List(ctx, meta.ListOptions{})
	if err != nil {
		return fmt.Errorf("list policies that may let callers in: %w", err)
	}
	for _, other := range all.Items {
		about, err := meta.LabelSelectorAsSelector(&other.Spec.PodSelector)
		if other.Name != p.name() && (err != nil || about.Matches(labels.Set(p.labels()))) {
			return fmt.Errorf("a pod was reached at a port that our policy forbids, and the policy %s of the namespace %s, which is about it too, may allow it",
				other.Name, p.Namespace)
		}
	}
	return nil
}

func (p probe) job() *batch.Job {
	limit := p.Timings.Start + 3*p.Timings.Settle
	return &batch.Job{
		ObjectMeta: meta.ObjectMeta{Name: p.name(), Labels: p.labels()},
		Spec: batch.JobSpec{
			BackoffLimit: new(int32(0)), ActiveDeadlineSeconds: new(int64(limit/time.Second) + 1), TTLSecondsAfterFinished: new(int32(0)),
			Template: core.PodTemplateSpec{ObjectMeta: meta.ObjectMeta{Labels: p.labels()}, Spec: p.pod()},
		},
	}
}

// pod satisfies the strictest standard.
func (p probe) pod() core.PodSpec {
	pod := core.PodSpec{
		RestartPolicy: core.RestartPolicyNever, AutomountServiceAccountToken: new(false), EnableServiceLinks: new(false),
		TerminationGracePeriodSeconds: new(int64(1)),
		SecurityContext: &core.PodSecurityContext{
			RunAsNonRoot: new(true), RunAsUser: new(int64(65532)), SeccompProfile: &core.SeccompProfile{Type: core.SeccompProfileTypeRuntimeDefault},
		},
		Containers: []core.Container{{
			Name: object.ComponentProbe, Image: p.Program.Image, Command: p.Program.Command, Args: p.Program.Args,
			SecurityContext: &core.SecurityContext{
				AllowPrivilegeEscalation: new(false), ReadOnlyRootFilesystem: new(true), Capabilities: &core.Capabilities{Drop: []core.Capability{"ALL"}},
			},
		}},
	}
	for _, name := range p.Program.PullSecrets {
		pod.ImagePullSecrets = append(pod.ImagePullSecrets, core.LocalObjectReference{Name: name})
	}
	return pod
}

// await gives the address of the probe once its program runs.
func (p probe) await(ctx context.Context) (address string, err error) {
	ctx, cancel := context.WithTimeout(ctx, p.Timings.Start)
	defer cancel()
	selector := labels.SelectorFromSet(labels.Set{labelProbe: p.id}).String()
	why := "there is none yet"
	for {
		pods, err := p.API.Core.Pods(p.Namespace).List(ctx, meta.ListOptions{LabelSelector: selector})
		switch {
		case err == nil && len(pods.Items) > 0:
			if address, why = listens(&pods.Items[0]); address != "" {
				return address, nil
			}
		case err != nil && ctx.Err() == nil:
			why = err.Error()
		}
		if err := pause(ctx, p.Timings.Pause); err != nil {
			return "", fmt.Errorf("the pod that is called did not run within %s: %s", p.Timings.Start, why)
		}
	}
}

// listens gives the address of a pod that runs, or why it does not.
func listens(pod *core.Pod) (address, why string) {
	for _, s := range pod.Status.ContainerStatuses {
		switch {
		case s.State.Running != nil && pod.Status.PodIP != "":
			return pod.Status.PodIP, ""
		case s.State.Waiting != nil:
			why = s.State.Waiting.Reason + " " + s.State.Waiting.Message
		case s.State.Terminated != nil:
			why = fmt.Sprintf("it has ended with exit code %d", s.State.Terminated.ExitCode)
		}
	}
	for _, c := range pod.Status.Conditions {
		if c.Type == core.PodScheduled && c.Status != core.ConditionTrue {
			why = c.Reason + " " + c.Message
		}
	}
	if why == "" {
		why = "it is " + string(pod.Status.Phase)
	}
	return "", why
}

// removeLimit is how long removing may take, also where ctx has ended.
const removeLimit = 3 * time.Second

func (p probe) remove(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), removeLimit)
	defer cancel()
	background := meta.DeletePropagationBackground
	err := p.API.Batch.Jobs(p.Namespace).Delete(ctx, p.name(), meta.DeleteOptions{PropagationPolicy: &background})
	if err == nil || kerrors.IsNotFound(err) {
		return nil
	}
	return fmt.Errorf("the pod that was called ends by itself, later: %w", err)
}
