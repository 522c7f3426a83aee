package kubernetes

import (
	networking "k8s.io/api/networking/v1"

	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/engine/kubernetes/object"
	"github.com/setopsco/setops/internal/kube"
)

// The ways in which requests from outside get to apps.
const (
	ByServer  = "server"  // the router in this process
	ByIngress = "ingress" // a controller of the cluster, by an Ingress per app
)

// Routing is what leads the world to the apps of a cluster.
type Routing struct {
	By           string // empty: ByServer
	IngressClass string // empty: the cluster's default one
	Issuer       string // cert-manager's ClusterIssuer of certificates; empty: none are ordered
}

// String says what it is for the log.
func (r Routing) String() string {
	if r.By == ByIngress {
		return r.By + " of class " + r.IngressClass
	}
	return r.By
}

func (r Routing) isPublic() bool { return r.By == ByIngress }

// leaders are the kinds of objects that it takes, in the order in which they are written.
func (r Routing) leaders(api kube.API) []leader {
	all := []leader{services(api)}
	if r.By == ByIngress {
		all = append(all, r.ingresses(api))
	}
	return all
}

// needs is what it takes besides to be allowed to.
func (r Routing) needs() []need {
	if r.By == ByIngress {
		return []need{
			{"networking.k8s.io", "ingresses", "list create patch delete"},
			{"networking.k8s.io", "ingressclasses", "list"},
		}
	}
	return nil
}

func (r Routing) ingresses(api kube.API) leader {
	return leaderOf("Ingress", api.Networking.Ingresses, func(s object.Stage, one engine.Served) (all []*networking.Ingress) {
		if o := s.Ingress(one, r.IngressClass, r.Issuer); o != nil {
			all = append(all, o)
		}
		return all
	})
}
