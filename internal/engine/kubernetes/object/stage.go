package object

import (
	"encoding/base64"
	"encoding/json"
	"fmt"

	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	coreapply "k8s.io/client-go/applyconfigurations/core/v1"
	metaapply "k8s.io/client-go/applyconfigurations/meta/v1"
	networkingapply "k8s.io/client-go/applyconfigurations/networking/v1"

	"github.com/setopsco/setops/internal/setops"
)

// Stage is what the objects of a stage are made from.
type Stage struct {
	setops.StageRef
	Installation string
	Restricted   bool     // its pods must satisfy the strictest standard
	Callers      []string // networks, as 10.0.0.0/8, that a router outside of the cluster calls tasks from
	Registry     string   // HOST:PORT that nodes pull from
	User         string   // as whom
	Password     string
	Machines     []string // architectures that an image runs on; none: it is not known
}

func (s Stage) labels() map[string]string {
	return with(Labels(s.Installation), LabelStage, s.ID)
}

// Name is that of the namespace.
func (s Stage) Name() string { return Namespace(s.Installation, s.StageRef) }

// Space is the namespace. Of the standards for pods it asks for the baseline: most images run as root.
func (s Stage) Space() *coreapply.NamespaceApplyConfiguration {
	standard := "baseline"
	if s.Restricted {
		standard = "restricted"
	}
	return coreapply.Namespace(s.Name()).
		WithLabels(with(s.labels(), "pod-security.kubernetes.io/enforce", standard, "pod-security.kubernetes.io/warn", standard)).
		WithAnnotations(map[string]string{
			AnnotationOrganization: s.Organization, AnnotationProject: s.Project, AnnotationStage: s.StageRef.Name,
		})
}

// Policies let tasks of the stage be called by each other and by the router, and by nobody else.
func (s Stage) Policies() []*networkingapply.NetworkPolicyApplyConfiguration {
	policy := func(name string, from ...*networkingapply.NetworkPolicyPeerApplyConfiguration) *networkingapply.NetworkPolicyApplyConfiguration {
		rule := networkingapply.NetworkPolicyIngressRule().WithFrom(from...)
		return networkingapply.NetworkPolicy(name, s.Name()).WithLabels(s.labels()).
			WithSpec(networkingapply.NetworkPolicySpec().WithPodSelector(metaapply.LabelSelector()).
				WithPolicyTypes(networking.PolicyTypeIngress).WithIngress(rule))
	}
	peer := networkingapply.NetworkPolicyPeer
	router := []*networkingapply.NetworkPolicyPeerApplyConfiguration{
		peer().WithNamespaceSelector(metaapply.LabelSelector().WithMatchLabels(map[string]string{"setops.dev/router": s.Installation})),
	}
	for _, network := range s.Callers {
		router = append(router, peer().WithIPBlock(networkingapply.IPBlock().WithCIDR(network)))
	}
	return []*networkingapply.NetworkPolicyApplyConfiguration{
		policy("same-stage", peer().WithPodSelector(metaapply.LabelSelector())),
		policy("router", router...),
	}
}

// Pull is the secret that nodes pull images with.
func (s Stage) Pull() (*coreapply.SecretApplyConfiguration, error) {
	auth := base64.StdEncoding.EncodeToString([]byte(s.User + ":" + s.Password))
	config, err := json.Marshal(map[string]any{"auths": map[string]any{
		s.Registry: map[string]string{"username": s.User, "password": s.Password, "auth": auth},
	}})
	if err != nil {
		return nil, fmt.Errorf("write credentials of the registry: %w", err)
	}
	return coreapply.Secret(PullSecret, s.Name()).WithLabels(s.labels()).WithType(core.SecretTypeDockerConfigJson).
		WithData(map[string][]byte{core.DockerConfigJsonKey: config}), nil
}
