package object

import (
	"encoding/base64"
	"encoding/json"
	"fmt"

	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"

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
	NameServers  []string // addresses of those that know private names; none: tasks ask the cluster's
	Domain       string   // what the cluster calls itself in DNS
}

func (s Stage) labels() map[string]string {
	return with(Labels(s.Installation), LabelStage, s.ID)
}

func (s Stage) appLabels(app string) map[string]string {
	return with(s.labels(), LabelName, app, LabelApp, app)
}

// Name is that of the namespace.
func (s Stage) Name() string { return Namespace(s.Installation, s.StageRef) }

// meta names an object of the stage.
func (s Stage) meta(name string, labels map[string]string) meta.ObjectMeta {
	return meta.ObjectMeta{Name: name, Namespace: s.Name(), Labels: labels}
}

// LabelStandard is where a namespace has the standard that its pods must satisfy.
const LabelStandard = "pod-security.kubernetes.io/enforce"

// Standard is the one that pods of the stage must satisfy.
func (s Stage) Standard() string {
	if s.Restricted {
		return "restricted"
	}
	return "baseline"
}

// Space is the namespace. Of the standards for pods it asks for the baseline: most images run as root.
func (s Stage) Space() *core.Namespace {
	standard := s.Standard()
	return &core.Namespace{ObjectMeta: meta.ObjectMeta{
		Name:   s.Name(),
		Labels: with(s.labels(), LabelStandard, standard, "pod-security.kubernetes.io/warn", standard),
		Annotations: map[string]string{
			AnnotationOrganization: s.Organization, AnnotationProject: s.Project, AnnotationStage: s.StageRef.Name,
		},
	}}
}

// Policies let tasks of the stage be called by each other and by the router, and by nobody else. They may call whom they want, but for
// what their machine is told by who provides it.
func (s Stage) Policies() []*networking.NetworkPolicy {
	router := []networking.NetworkPolicyPeer{{
		NamespaceSelector: &meta.LabelSelector{MatchLabels: map[string]string{"setops.dev/router": s.Installation}},
	}}
	for _, network := range s.Callers {
		router = append(router, networking.NetworkPolicyPeer{IPBlock: &networking.IPBlock{CIDR: network}})
	}
	return []*networking.NetworkPolicy{
		s.policy("same-stage", networking.NetworkPolicyPeer{PodSelector: &meta.LabelSelector{}}),
		s.policy("router", router...),
		s.egress(),
	}
}

func (s Stage) policy(name string, from ...networking.NetworkPolicyPeer) *networking.NetworkPolicy {
	return &networking.NetworkPolicy{ObjectMeta: s.meta(name, s.labels()), Spec: networking.NetworkPolicySpec{
		PolicyTypes: []networking.PolicyType{networking.PolicyTypeIngress},
		Ingress:     []networking.NetworkPolicyIngressRule{{From: from}},
	}}
}

// Pull is the secret that nodes pull images with.
func (s Stage) Pull() (*core.Secret, error) {
	auth := base64.StdEncoding.EncodeToString([]byte(s.User + ":" + s.Password))
	config, err := json.Marshal(map[string]any{"auths": map[string]any{
		s.Registry: map[string]string{"username": s.User, "password": s.Password, "auth": auth},
	}})
	if err != nil {
		return nil, fmt.Errorf("write credentials of the registry: %w", err)
	}
	return &core.Secret{
		ObjectMeta: s.meta(PullSecret, s.labels()), Type: core.SecretTypeDockerConfigJson,
		Data: map[string][]byte{core.DockerConfigJsonKey: config},
	}, nil
}
