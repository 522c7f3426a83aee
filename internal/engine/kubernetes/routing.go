package kubernetes

import (
	"strings"

	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/types"
	gateway "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/engine/kubernetes/object"
	"github.com/setopsco/setops/internal/kube"
)

// The ways in which requests from outside get to apps.
const (
	ByServer  = "server"  // the router in this process
	ByRouter  = "router"  // ours in the cluster
	ByIngress = "ingress" // a controller of the cluster, by an Ingress per app
	ByGateway = "gateway" // a Gateway of the cluster, by HTTPRoutes
	ByAny     = "auto"    // the first of gateway, ingress and server that can be had
)

// The ways in which connections from outside get to public apps that speak tcp.
const (
	TCPByServer       = "server" // this process listens on their ports
	TCPByLoadBalancer = "loadbalancer"
	TCPByNodePort     = "nodeport"
)

// Routing is what leads the world to the apps of a cluster.
type Routing struct {
	By           string // empty: ByServer
	Gateway      string // NAMESPACE/NAME; empty: the only one that lets our routes in
	IngressClass string // empty: the cluster's default one
	Issuer       string // cert-manager's ClusterIssuer of certificates for Ingresses; empty: none are ordered
	TCP          string // empty: TCPByServer
}

// String says what it is for the log.
func (r Routing) String() string {
	switch r.By {
	case ByIngress:
		return r.By + " of class " + r.IngressClass
	case ByGateway:
		return r.By + " " + r.Gateway
	}
	return r.By
}

func (r Routing) isPublic() bool { return r.By == ByIngress || r.By == ByGateway }

// gateway is the name of the Gateway, as the API has it.
func (r Routing) gateway() types.NamespacedName {
	namespace, name, _ := strings.Cut(r.Gateway, "/")
	return types.NamespacedName{Namespace: namespace, Name: name}
}

// portType is that of Services for public apps that speak tcp; empty: there are none.
func (r Routing) portType() core.ServiceType {
	switch r.TCP {
	case TCPByLoadBalancer:
		return core.ServiceTypeLoadBalancer
	case TCPByNodePort:
		return core.ServiceTypeNodePort
	}
	return ""
}

// leaders are the kinds of objects that it takes, in the order in which they are written.
func (r Routing) leaders(api kube.API) []leader {
	all := []leader{services(api, r.portType())}
	if r.portType() != "" {
		all = append(all, portPolicies(api))
	}
	switch r.By {
	case ByIngress:
		all = append(all, r.ingresses(api))
	case ByGateway:
		all = append(all, r.routes(api))
	}
	return all
}

// needs is what it takes besides to be allowed to.
func (r Routing) needs() (all []need) {
	if r.portType() != "" {
		all = append(all, need{"networking.k8s.io", "networkpolicies", "delete"})
	}
	switch r.By {
	case ByIngress:
		all = append(all,
			need{"networking.k8s.io", "ingresses", "list create patch delete"},
			need{"networking.k8s.io", "ingressclasses", "list"})
	case ByGateway:
		all = append(all,
			need{gateway.GroupName, "httproutes", "list create patch delete"},
			need{gateway.GroupName, "gateways", "list"})
	}
	return all
}

func (r Routing) ingresses(api kube.API) leader {
	return leaderOf("Ingress", api.Networking.Ingresses, func(s object.Stage, one engine.Served) (all []*networking.Ingress) {
		if o := s.Ingress(one, r.IngressClass, r.Issuer); o != nil {
			all = append(all, o)
		}
		return all
	})
}

func (r Routing) routes(api kube.API) leader {
	l := leaderOf("HTTPRoute", api.Gateway.HTTPRoutes, func(s object.Stage, one engine.Served) []*gateway.HTTPRoute {
		return s.Routes(one, r.gateway())
	})
	l.refused = refusedRoute
	return l
}
