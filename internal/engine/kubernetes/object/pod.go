package object

import (
	"strings"
	"time"

	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/setopsco/setops/internal/engine"
)

// Drain is how long a pod that is told to end goes on serving: until everybody who routes to it knows.
const Drain = 5 * time.Second

// pod is what generations and one-off tasks have in common.
func (s Stage) pod(c engine.Container, secret string, stop time.Duration) core.PodSpec {
	pod := core.PodSpec{
		Containers:                    []core.Container{s.container(c, secret)},
		ImagePullSecrets:              []core.LocalObjectReference{{Name: PullSecret}},
		TerminationGracePeriodSeconds: new(seconds(stop)),
		AutomountServiceAccountToken:  new(false),
		EnableServiceLinks:            new(false),
		SecurityContext:               s.security(),
	}
	if len(s.Machines) > 0 {
		pod.Affinity = s.affinity()
	}
	if len(s.NameServers) > 0 {
		pod.DNSPolicy, pod.DNSConfig = core.DNSNone, s.dns()
	}
	return pod
}

// dns is what pods have by themselves, but for who is asked.
func (s Stage) dns() *core.PodDNSConfig {
	return &core.PodDNSConfig{
		Nameservers: s.NameServers,
		Searches:    []string{s.Name() + ".svc." + s.Domain, "svc." + s.Domain, s.Domain},
		Options:     []core.PodDNSConfigOption{{Name: "ndots", Value: new("5")}},
	}
}

// affinity keeps pods to machines that their image is made for. Nodes do not look at that themselves.
func (s Stage) affinity() *core.Affinity {
	machines := core.NodeSelectorRequirement{Key: core.LabelArchStable, Operator: core.NodeSelectorOpIn, Values: s.Machines}
	return &core.Affinity{NodeAffinity: &core.NodeAffinity{
		RequiredDuringSchedulingIgnoredDuringExecution: &core.NodeSelector{
			NodeSelectorTerms: []core.NodeSelectorTerm{{MatchExpressions: []core.NodeSelectorRequirement{machines}}},
		},
	}}
}

func (s Stage) security() *core.PodSecurityContext {
	security := &core.PodSecurityContext{SeccompProfile: &core.SeccompProfile{Type: core.SeccompProfileTypeRuntimeDefault}}
	if s.Restricted {
		security.RunAsNonRoot = new(true)
	}
	return security
}

func (s Stage) container(c engine.Container, secret string) core.Container {
	container := core.Container{
		Name:            Container,
		Image:           s.Registry + "/" + c.Image.Repository + "@" + c.Image.Digest,
		ImagePullPolicy: core.PullIfNotPresent,
		Command:         literal(c.Entrypoint),
		Args:            literal(c.Command),
		EnvFrom:         []core.EnvFromSource{{SecretRef: &core.SecretEnvSource{LocalObjectReference: core.LocalObjectReference{Name: secret}}}},
		Resources:       resources(c),
	}
	if c.Port > 0 {
		container.Ports = []core.ContainerPort{{Name: portName, ContainerPort: int32(c.Port), Protocol: core.ProtocolTCP}}
	}
	if s.Restricted {
		container.SecurityContext = &core.SecurityContext{
			AllowPrivilegeEscalation: new(false), Capabilities: &core.Capabilities{Drop: []core.Capability{"ALL"}},
		}
	}
	return container
}

// resources reserves CPU and memory; more memory than that a task never gets.
func resources(c engine.Container) core.ResourceRequirements {
	memory := *resource.NewQuantity(int64(c.Memory)<<20, resource.BinarySI)
	cpu := *resource.NewMilliQuantity(int64(c.CPU)*1000/1024, resource.DecimalSI)
	return core.ResourceRequirements{
		Requests: core.ResourceList{core.ResourceCPU: cpu, core.ResourceMemory: memory},
		Limits:   core.ResourceList{core.ResourceMemory: memory},
	}
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
func (s Stage) secret(name string, labels map[string]string, env []string) *core.Secret {
	data := make(map[string][]byte, len(env))
	for _, one := range env {
		key, value, _ := strings.Cut(one, "=")
		data[key] = []byte(value)
	}
	return &core.Secret{ObjectMeta: s.meta(name, labels), Type: core.SecretTypeOpaque, Immutable: new(true), Data: data}
}

// seconds rounds up.
func seconds(d time.Duration) int64 { return int64((d + time.Second - 1) / time.Second) }
