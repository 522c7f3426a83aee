package space

import (
	"context"
	"net"
	"strconv"

	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/setopsco/setops/internal/edge/published"
)

var _ published.Objects = (*Namespace)(nil)

// Get implements published.Objects.
func (n *Namespace) Get(ctx context.Context, kind published.Kind, name string) (published.Object, error) {
	if kind.Secret() {
		s, err := n.api.Secrets(n.name).Get(ctx, name, meta.GetOptions{})
		return answer(ofSecret, s, "read "+name, err)
	}
	c, err := n.api.ConfigMaps(n.name).Get(ctx, name, meta.GetOptions{})
	return answer(ofConfigMap, c, "read "+name, err)
}

// Create implements published.Objects.
func (n *Namespace) Create(ctx context.Context, o published.Object) (published.Object, error) {
	o.Resource = ""
	if o.Kind.Secret() {
		s, err := n.api.Secrets(n.name).Create(ctx, n.secret(o), meta.CreateOptions{})
		return answer(ofSecret, s, "write "+o.Name, err)
	}
	c, err := n.api.ConfigMaps(n.name).Create(ctx, n.configMap(o), meta.CreateOptions{})
	return answer(ofConfigMap, c, "write "+o.Name, err)
}

// Update implements published.Objects.
func (n *Namespace) Update(ctx context.Context, o published.Object) (published.Object, error) {
	if o.Kind.Secret() {
		s, err := n.api.Secrets(n.name).Update(ctx, n.secret(o), meta.UpdateOptions{})
		return answer(ofSecret, s, "write "+o.Name, err)
	}
	c, err := n.api.ConfigMaps(n.name).Update(ctx, n.configMap(o), meta.UpdateOptions{})
	return answer(ofConfigMap, c, "write "+o.Name, err)
}

// Delete implements published.Objects.
func (n *Namespace) Delete(ctx context.Context, o published.Object) error {
	options := meta.DeleteOptions{Preconditions: &meta.Preconditions{ResourceVersion: &o.Resource}}
	if o.Kind.Secret() {
		return known("remove "+o.Name, n.api.Secrets(n.name).Delete(ctx, o.Name, options))
	}
	return known("remove "+o.Name, n.api.ConfigMaps(n.name).Delete(ctx, o.Name, options))
}

// List implements published.Objects.
func (n *Namespace) List(ctx context.Context, kind published.Kind) (all []published.Object, err error) {
	options := meta.ListOptions{LabelSelector: labelPublished + "=" + string(kind)}
	if kind.Secret() {
		list, err := n.api.Secrets(n.name).List(ctx, options)
		if err != nil {
			return nil, known("list what is published", err)
		}
		for _, s := range list.Items {
			all = append(all, ofSecret(&s))
		}
		return all, nil
	}
	list, err := n.api.ConfigMaps(n.name).List(ctx, options)
	if err != nil {
		return nil, known("list what is published", err)
	}
	for _, c := range list.Items {
		all = append(all, ofConfigMap(&c))
	}
	return all, nil
}

func answer[T *core.ConfigMap | *core.Secret](of func(T) published.Object, o T, what string, err error) (published.Object, error) {
	if err != nil {
		return published.Object{}, known(what, err)
	}
	return of(o), nil
}

func join(host string, port int32) string { return net.JoinHostPort(host, strconv.Itoa(int(port))) }
