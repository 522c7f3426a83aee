package kubernetes

import (
	"context"
	"fmt"
	"slices"
	"strings"

	kerrors "k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	gateway "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/setopsco/setops/internal/engine/kubernetes/object"
	"github.com/setopsco/setops/internal/kube"
)

// chooseGateway gives the one that was named, else the only one that lets in routes of our stages.
func chooseGateway(ctx context.Context, api kube.API, installation, named string) (chosen, why string, err error) {
	list, err := api.Gateway.Gateways("").List(ctx, meta.ListOptions{})
	if kerrors.IsNotFound(err) {
		return "", "", fmt.Errorf("the cluster at %s does not have the Gateway API: install its resources and a controller of it, or set --routing to %s, %s or %s",
			api.Config.Host, ByIngress, ByRouter, ByServer)
	}
	if err != nil {
		return "", "", fmt.Errorf("list the Gateways of the cluster at %s: %w", api.Config.Host, err)
	}
	var all, open []string
	for _, g := range list.Items {
		name := g.Namespace + "/" + g.Name
		all = append(all, name)
		if slices.ContainsFunc(g.Spec.Listeners, func(l gateway.Listener) bool { return letsIn(l, installation) }) {
			open = append(open, name)
		}
	}
	has := strings.Join(all, ", ")
	switch {
	case len(all) == 0:
		return "", "", fmt.Errorf("the cluster at %s has no Gateway: make one, or set --routing to %s, %s or %s", api.Config.Host, ByIngress, ByRouter, ByServer)
	case slices.Contains(open, named):
		return named, "--gateway says so", nil
	case named != "" && !slices.Contains(all, named):
		return "", "", fmt.Errorf("the cluster at %s has no Gateway %s; set --gateway to one that it has: %s", api.Config.Host, named, has)
	case named != "" || len(open) == 0:
		return "", "", fmt.Errorf("the Gateway %s lets in no HTTPRoute of a stage; set allowedRoutes.namespaces of a listener for HTTP or HTTPS to "+
			"from: All, or to from: Selector with the label %s: %s", strings.Join(all, " or "), object.LabelManagedBy, object.Manager)
	case len(open) == 1:
		return open[0], "it is the only Gateway that lets in routes of stages", nil
	}
	return "", "", fmt.Errorf("the cluster at %s has several Gateways; set --gateway to one of them: %s", api.Config.Host, strings.Join(open, ", "))
}

// letsIn reports whether a listener takes HTTPRoutes from the namespaces of our stages. What it says of nothing is its own namespace.
func letsIn(l gateway.Listener, installation string) bool {
	allowed := l.AllowedRoutes
	if l.Protocol != gateway.HTTPProtocolType && l.Protocol != gateway.HTTPSProtocolType || allowed == nil {
		return false
	}
	kinds := allowed.Kinds
	if len(kinds) > 0 && !slices.ContainsFunc(kinds, func(k gateway.RouteGroupKind) bool { return k.Kind == "HTTPRoute" }) {
		return false
	}
	if allowed.Namespaces == nil || allowed.Namespaces.From == nil {
		return false
	}
	switch *allowed.Namespaces.From {
	case gateway.NamespacesFromAll:
		return true
	case gateway.NamespacesFromSelector:
		selector, err := meta.LabelSelectorAsSelector(allowed.Namespaces.Selector)
		return err == nil && selector.Matches(labels.Set(object.Labels(installation)))
	}
	return false
}

// refusedRoute says what the Gateway has against a route; empty: nothing, or it has not looked yet.
func refusedRoute(o meta.Object) string {
	route, ok := o.(*gateway.HTTPRoute)
	if !ok {
		return ""
	}
	for _, parent := range route.Status.Parents {
		for _, c := range parent.Conditions {
			if c.Status == meta.ConditionFalse && c.ObservedGeneration == route.Generation {
				return c.Reason + ": " + c.Message
			}
		}
	}
	return ""
}
