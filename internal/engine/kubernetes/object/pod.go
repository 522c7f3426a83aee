package object

import (
	"strings"
	"time"

	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	coreapply "k8s.io/client-go/applyconfigurations/core/v1"

	"github.com/setopsco/setops/internal/engine"
)

// Drain is how long a pod that is told to end goes on serving: until everybody who routes to it knows.
const Drain = 5 * time.Second

// pod is what generations and one-off tasks have in common.
func (s Stage) pod(c engine.Container, secret string, stop time.Duration) *coreapply.PodSpecApplyConfiguration {
	pod := coreapply.PodSpec().
		WithContainers(s.container(c, secret)).
		WithImagePullSecrets(coreapply.LocalObjectReference().WithName(PullSecret)).
		WithTerminationGracePeriodSeconds(seconds(stop)).
		WithAutomountServiceAccountToken(false).
		WithEnableServiceLinks(false).
		WithSecurityContext(s.security())
	if len(s.Machines) > 0 {
		pod.WithAffinity(s.affinity())
	}
	return pod
}

// affinity keeps pods to machines that their image is made for. Nodes do not look at that themselves.
func (s Stage) affinity() *coreapply.AffinityApplyConfiguration {
	machines := coreapply.NodeSelectorRequirement().WithKey(core.LabelArchStable).
		WithOperator(core.NodeSelectorOpIn).WithValues(s.Machines...)
	return coreapply.Affinity().WithNodeAffinity(coreapply.NodeAffinity().
		WithRequiredDuringSchedulingIgnoredDuringExecution(coreapply.NodeSelector().
			WithNodeSelectorTerms(coreapply.NodeSelectorTerm().WithMatchExpressions(machines))))
}

func (s Stage) security() *coreapply.PodSecurityContextApplyConfiguration {
	security := coreapply.PodSecurityContext().
		WithSeccompProfile(coreapply.SeccompProfile().WithType(core.SeccompProfileTypeRuntimeDefault))
	if s.Restricted {
		security.WithRunAsNonRoot(true)
	}
	return security
}

func (s Stage) container(c engine.Container, secret string) *coreapply.ContainerApplyConfiguration {
	container := coreapply.Container().WithName(Container).
		WithImage(s.Registry + "/" + c.Image.Repository + "@" + c.Image.Digest).
		WithImagePullPolicy(core.PullIfNotPresent).
		WithCommand(literal(c.Entrypoint)...).
		WithArgs(literal(c.Command)...).
		WithEnvFrom(coreapply.EnvFromSource().WithSecretRef(coreapply.SecretEnvSource().WithName(secret))).
		WithResources(resources(c))
	if c.Port > 0 {
		container.WithPorts(coreapply.ContainerPort().WithName(portName).WithContainerPort(int32(c.Port)).WithProtocol(core.ProtocolTCP))
	}
	if s.Restricted {
		container.WithSecurityContext(coreapply.SecurityContext().WithAllowPrivilegeEscalation(false).
			WithCapabilities(coreapply.Capabilities().WithDrop("ALL")))
	}
	return container
}

// resources reserves CPU and memory; more memory than that a task never gets.
func resources(c engine.Container) *coreapply.ResourceRequirementsApplyConfiguration {
	memory := *resource.NewQuantity(int64(c.Memory)<<20, resource.BinarySI)
	cpu := *resource.NewMilliQuantity(int64(c.CPU)*1000/1024, resource.DecimalSI)
	return coreapply.ResourceRequirements().
		WithRequests(core.ResourceList{core.ResourceCPU: cpu, core.ResourceMemory: memory}).
		WithLimits(core.ResourceList{core.ResourceMemory: memory})
}

// literal keeps the cluster from putting variables in the place of $(NAME): nobody else does that.
func literal(words []string) []string {
	all := make([]string, len(words))
	for i, word := range words {
		all[i] = strings.ReplaceAll(word, "$", "$$")
	}
	return all
}

// secret has an environment. It never changes.
func (s Stage) secret(name string, labels map[string]string, env []string) *coreapply.SecretApplyConfiguration {
	data := make(map[string][]byte, len(env))
	for _, one := range env {
		key, value, _ := strings.Cut(one, "=")
		data[key] = []byte(value)
	}
	return coreapply.Secret(name, s.Name()).WithLabels(labels).WithType(core.SecretTypeOpaque).
		WithImmutable(true).WithData(data)
}

// seconds rounds up.
func seconds(d time.Duration) int64 { return int64((d + time.Second - 1) / time.Second) }
