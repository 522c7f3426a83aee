// Package space has what setopsd publishes for its routers in a namespace of a cluster: ConfigMaps, and Secrets for what must not
// be shown. It decides nothing; package published says what is written.
package space

import (
	"context"
	"fmt"
	"log/slog"
	"strconv"

	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/setopsco/setops/internal/edge/published"
	"github.com/setopsco/setops/internal/engine/kubernetes/object"
	"github.com/setopsco/setops/internal/kube"
)

// DefaultNamespace is where the manifests put the routers: apart from setopsd, whose secrets they must not read.
const DefaultNamespace = "setops-router"

// RouterName is the label app.kubernetes.io/name of the routers' pods, and AdminPort the name of the port on which they answer
// setopsd.
const (
	RouterName = "setops-router"
	AdminPort  = "admin"
)

// LabelRouter, on a namespace, says whose tasks may be called from there: the value is the installation. The policies of stages
// let it in.
const LabelRouter = "setops.dev/router"

const (
	labelPublished = "setops.dev/published" // the kind

	annotationHost   = "setops.dev/host"
	annotationTerm   = "setops.dev/term"
	annotationNumber = "setops.dev/number"
)

// Namespace is that of the routers. It implements published.Objects, published.Source and publish.Replicas.
type Namespace struct {
	api          kube.Core
	name         string
	installation string
	log          *slog.Logger
}

// Open gets at a namespace. An installation is needed by who writes only.
func Open(kubeconfig, namespace, installation string, log *slog.Logger) (*Namespace, error) {
	api, err := kube.Connect(kubeconfig)
	if err != nil {
		return nil, err
	}
	return &Namespace{api: api.Core, name: namespace, installation: installation, log: log}, nil
}

// Make has the namespace be there, and the policies of stages let its pods call tasks.
func (n *Namespace) Make(ctx context.Context) error {
	space := &core.Namespace{ObjectMeta: meta.ObjectMeta{Name: n.name, Labels: map[string]string{LabelRouter: n.installation}}}
	if _, err := n.api.Namespaces().Apply(ctx, space, meta.ApplyOptions{FieldManager: object.Manager + "-router", Force: true}); err != nil {
		return fmt.Errorf("make the namespace %s of the routers: %w", n.name, err)
	}
	return nil
}

// Installed reports whether somebody has installed routers in a namespace, whether or not they run.
func Installed(ctx context.Context, kubeconfig, namespace string) (bool, error) {
	api, err := kube.Connect(kubeconfig)
	if err != nil {
		return false, err
	}
	all, err := api.Apps.Deployments(namespace).List(ctx, meta.ListOptions{LabelSelector: object.LabelName + "=" + RouterName, Limit: 1})
	if err != nil {
		return false, fmt.Errorf("look for routers in the namespace %s: %w", namespace, err)
	}
	return len(all.Items) > 0, nil
}

// Replicas implements publish.Replicas: every router's pod that runs, whether or not it is ready, and also while it ends.
func (n *Namespace) Replicas(ctx context.Context) ([]string, error) {
	pods, err := n.api.Pods(n.name).List(ctx, meta.ListOptions{LabelSelector: object.LabelName + "=" + RouterName})
	if err != nil {
		return nil, fmt.Errorf("list the routers: %w", err)
	}
	var all []string
	for _, p := range pods.Items {
		if address := adminAddress(&p); address != "" {
			all = append(all, address)
		}
	}
	return all, nil
}

// meta of an object, for both of its shapes.
func (n *Namespace) meta(o published.Object) meta.ObjectMeta {
	m := meta.ObjectMeta{
		Name: o.Name, Namespace: n.name, ResourceVersion: o.Resource, Labels: object.Labels(n.installation),
		Annotations: map[string]string{
			annotationTerm: strconv.FormatInt(o.Version.Term, 10), annotationNumber: strconv.FormatInt(o.Version.Number, 10),
		},
	}
	m.Labels[labelPublished] = string(o.Kind)
	if o.Host != "" {
		m.Annotations[annotationHost] = o.Host
	}
	return m
}

func head(m meta.Object) published.Object {
	annotations := m.GetAnnotations()
	number := func(name string) int64 {
		i, _ := strconv.ParseInt(annotations[name], 10, 64) // what others have spoilt is older than everything
		return i
	}
	return published.Object{
		Kind: published.Kind(m.GetLabels()[labelPublished]), Name: m.GetName(), Host: annotations[annotationHost],
		Version:  published.Version{Term: number(annotationTerm), Number: number(annotationNumber)},
		Resource: m.GetResourceVersion(),
	}
}

func ofConfigMap(c *core.ConfigMap) published.Object {
	o := head(c)
	o.Data = map[string][]byte{}
	for k, v := range c.Data {
		o.Data[k] = []byte(v)
	}
	return o
}

func ofSecret(s *core.Secret) published.Object {
	o := head(s)
	o.Data = s.Data
	return o
}

func (n *Namespace) configMap(o published.Object) *core.ConfigMap {
	c := &core.ConfigMap{ObjectMeta: n.meta(o), Data: map[string]string{}}
	for k, v := range o.Data {
		c.Data[k] = string(v)
	}
	return c
}

func (n *Namespace) secret(o published.Object) *core.Secret {
	s := &core.Secret{ObjectMeta: n.meta(o), Type: core.SecretTypeOpaque, Data: o.Data}
	if o.Kind == published.KindCertificate {
		s.Type = core.SecretTypeTLS
	}
	return s
}

// adminAddress is where a router answers setopsd; empty: it does not run.
func adminAddress(p *core.Pod) string {
	if p.Status.PodIP == "" || p.Status.Phase != core.PodRunning {
		return ""
	}
	runs := false
	for _, c := range p.Status.ContainerStatuses {
		runs = runs || c.State.Running != nil
	}
	for _, c := range p.Spec.Containers {
		for _, port := range c.Ports {
			if port.Name == AdminPort && runs {
				return join(p.Status.PodIP, port.ContainerPort)
			}
		}
	}
	return ""
}

// known makes the errors of the cluster those that callers tell apart.
func known(what string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.IsNotFound(err):
		return fmt.Errorf("%s: %w", what, published.ErrNone)
	case errors.IsConflict(err), errors.IsAlreadyExists(err):
		return fmt.Errorf("%s: %w", what, published.ErrChanged)
	}
	return fmt.Errorf("%s: %w", what, err)
}
