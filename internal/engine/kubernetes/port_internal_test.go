package kubernetes

import (
	"strings"
	"testing"

	core "k8s.io/api/core/v1"
)

func TestABalancerWithoutAnAddressIsTold(t *testing.T) {
	s := &core.Service{Spec: core.ServiceSpec{Type: core.ServiceTypeLoadBalancer}}
	if got := unbalanced(s); !strings.Contains(got, "no controller") {
		t.Errorf("got %q", got)
	}
	s.Status.LoadBalancer.Ingress = []core.LoadBalancerIngress{{IP: "192.0.2.7"}}
	if got := unbalanced(s) + unbalanced(&core.Service{}); got != "" {
		t.Errorf("got %q", got)
	}
}
