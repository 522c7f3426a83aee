package kube

import (
	apps "k8s.io/api/apps/v1"
	authorization "k8s.io/api/authorization/v1"
	batch "k8s.io/api/batch/v1"
	core "k8s.io/api/core/v1"
	discovery "k8s.io/api/discovery/v1"
	networking "k8s.io/api/networking/v1"
	policy "k8s.io/api/policy/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	gateway "sigs.k8s.io/gateway-api/apis/v1"
)

// The groups of the API. A namespace "" means all of them, which only lists and watches take.
type (
	Core          group
	Apps          group
	Batch         group
	Networking    group
	Discovery     group
	Policy        group
	Authorization group
	Gateway       group
)

// Of one resource: what there is, and its list.
type (
	Namespaces        = Client[core.Namespace, core.NamespaceList, *core.Namespace, *core.NamespaceList]
	Nodes             = Client[core.Node, core.NodeList, *core.Node, *core.NodeList]
	Services          = Client[core.Service, core.ServiceList, *core.Service, *core.ServiceList]
	Secrets           = Client[core.Secret, core.SecretList, *core.Secret, *core.SecretList]
	ConfigMaps        = Client[core.ConfigMap, core.ConfigMapList, *core.ConfigMap, *core.ConfigMapList]
	Events            = Client[core.Event, core.EventList, *core.Event, *core.EventList]
	Deployments       = Client[apps.Deployment, apps.DeploymentList, *apps.Deployment, *apps.DeploymentList]
	Jobs              = Client[batch.Job, batch.JobList, *batch.Job, *batch.JobList]
	NetworkPolicies   = Client[networking.NetworkPolicy, networking.NetworkPolicyList, *networking.NetworkPolicy, *networking.NetworkPolicyList]
	Ingresses         = Client[networking.Ingress, networking.IngressList, *networking.Ingress, *networking.IngressList]
	IngressClasses    = Client[networking.IngressClass, networking.IngressClassList, *networking.IngressClass, *networking.IngressClassList]
	EndpointSlices    = Client[discovery.EndpointSlice, discovery.EndpointSliceList, *discovery.EndpointSlice, *discovery.EndpointSliceList]
	Gateways          = Client[gateway.Gateway, gateway.GatewayList, *gateway.Gateway, *gateway.GatewayList]
	HTTPRoutes        = Client[gateway.HTTPRoute, gateway.HTTPRouteList, *gateway.HTTPRoute, *gateway.HTTPRouteList]
	AccessReviews     = Client[authorization.SelfSubjectAccessReview, meta.Status, *authorization.SelfSubjectAccessReview, *meta.Status] // there is no list
	DisruptionBudgets = Client[policy.PodDisruptionBudget, policy.PodDisruptionBudgetList, *policy.PodDisruptionBudget, *policy.PodDisruptionBudgetList]
	GatewayClasses    = Client[gateway.GatewayClass, gateway.GatewayClassList, *gateway.GatewayClass, *gateway.GatewayClassList]
)

// RESTClient is for what no client of a resource can do.
func (g Core) RESTClient() rest.Interface { return g.rest }

// Namespaces of the cluster.
func (g Core) Namespaces() *Namespaces {
	return resource[core.Namespace, core.NamespaceList](group(g), "namespaces", "")
}

// Nodes of the cluster.
func (g Core) Nodes() *Nodes {
	return resource[core.Node, core.NodeList](group(g), "nodes", "")
}

// Pods of a namespace, with their logs.
func (g Core) Pods(namespace string) Pods {
	return Pods{resource[core.Pod, core.PodList](group(g), "pods", namespace)}
}

// Services of a namespace.
func (g Core) Services(namespace string) *Services {
	return resource[core.Service, core.ServiceList](group(g), "services", namespace)
}

// Secrets of a namespace.
func (g Core) Secrets(namespace string) *Secrets {
	return resource[core.Secret, core.SecretList](group(g), "secrets", namespace)
}

// ConfigMaps of a namespace.
func (g Core) ConfigMaps(namespace string) *ConfigMaps {
	return resource[core.ConfigMap, core.ConfigMapList](group(g), "configmaps", namespace)
}

// Events of a namespace.
func (g Core) Events(namespace string) *Events {
	return resource[core.Event, core.EventList](group(g), "events", namespace)
}

// Deployments of a namespace.
func (g Apps) Deployments(namespace string) *Deployments {
	return resource[apps.Deployment, apps.DeploymentList](group(g), "deployments", namespace)
}

// Jobs of a namespace.
func (g Batch) Jobs(namespace string) *Jobs {
	return resource[batch.Job, batch.JobList](group(g), "jobs", namespace)
}

// NetworkPolicies of a namespace.
func (g Networking) NetworkPolicies(namespace string) *NetworkPolicies {
	return resource[networking.NetworkPolicy, networking.NetworkPolicyList](group(g), "networkpolicies", namespace)
}

// Ingresses of a namespace.
func (g Networking) Ingresses(namespace string) *Ingresses {
	return resource[networking.Ingress, networking.IngressList](group(g), "ingresses", namespace)
}

// IngressClasses of the cluster.
func (g Networking) IngressClasses() *IngressClasses {
	return resource[networking.IngressClass, networking.IngressClassList](group(g), "ingressclasses", "")
}

// EndpointSlices of a namespace say where the requests to its services go.
func (g Discovery) EndpointSlices(namespace string) *EndpointSlices {
	return resource[discovery.EndpointSlice, discovery.EndpointSliceList](group(g), "endpointslices", namespace)
}

// Gateways of a namespace.
func (g Gateway) Gateways(namespace string) *Gateways {
	return resource[gateway.Gateway, gateway.GatewayList](group(g), "gateways", namespace)
}

// GatewayClasses of the cluster.
func (g Gateway) GatewayClasses() *GatewayClasses {
	return resource[gateway.GatewayClass, gateway.GatewayClassList](group(g), "gatewayclasses", "")
}

// HTTPRoutes of a namespace.
func (g Gateway) HTTPRoutes(namespace string) *HTTPRoutes {
	return resource[gateway.HTTPRoute, gateway.HTTPRouteList](group(g), "httproutes", namespace)
}

// PodDisruptionBudgets of a namespace.
func (g Policy) PodDisruptionBudgets(namespace string) *DisruptionBudgets {
	return resource[policy.PodDisruptionBudget, policy.PodDisruptionBudgetList](group(g), "poddisruptionbudgets", namespace)
}

// SelfSubjectAccessReviews tell what we may do.
func (g Authorization) SelfSubjectAccessReviews() *AccessReviews {
	return resource[authorization.SelfSubjectAccessReview, meta.Status](group(g), "selfsubjectaccessreviews", "")
}

// Pods are those of a namespace.
type Pods struct {
	*Client[core.Pod, core.PodList, *core.Pod, *core.PodList]
}

// GetLogs asks for the log of a container.
func (p Pods) GetLogs(name string, o *core.PodLogOptions) *rest.Request {
	return p.sub(p.of.rest.Get(), name, "log").VersionedParams(o, p.of.params)
}

// Exec is where a program is run beside a container, by an executor of package remotecommand.
func (p Pods) Exec(name string, o *core.PodExecOptions) *rest.Request {
	return p.sub(p.of.rest.Post(), name, "exec").VersionedParams(o, p.of.params)
}

// Attach is where one is connected to the program of a container, by an executor of package remotecommand.
func (p Pods) Attach(name string, o *core.PodAttachOptions) *rest.Request {
	return p.sub(p.of.rest.Post(), name, "attach").VersionedParams(o, p.of.params)
}

func (p Pods) sub(r *rest.Request, name, resource string) *rest.Request {
	return r.Namespace(p.namespace).Resource("pods").Name(name).SubResource(resource)
}
