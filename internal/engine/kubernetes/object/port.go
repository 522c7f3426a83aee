package object

import (
	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/setopsco/setops/internal/engine"
)

// AnnotationHostname has external-dns lead a name to where a Service is reached.
const AnnotationHostname = "external-dns.alpha.kubernetes.io/hostname"

// PortName is that of the Service by which the world reaches an app that speaks tcp. It is longer than the name of any app, which have
// Services of their own.
func PortName(app string) string { return app + "-public-tcp-port" }

// Port is the Service by which the world reaches an app that speaks tcp; nil: it does not.
func (s Stage) Port(served engine.Served, by core.ServiceType) *core.Service {
	if served.Stream == nil || by == "" {
		return nil
	}
	o := s.Service(served)
	o.Name, o.Spec.Type = PortName(served.App), by
	o.Annotations = nil
	if served.Stream.Host != "" {
		o.Annotations = map[string]string{AnnotationHostname: served.Stream.Host}
	}
	port := &o.Spec.Ports[0]
	port.Port = int32(served.Stream.Port)
	if by == core.ServiceTypeNodePort {
		port.NodePort = port.Port
	}
	return o
}

// PortPolicy lets everybody call the tasks of such an app, at its port: by whom a connection comes depends on what leads it.
func (s Stage) PortPolicy(served engine.Served) *networking.NetworkPolicy {
	if served.Stream == nil {
		return nil
	}
	port, tcp := intstr.FromString(portName), core.ProtocolTCP
	return &networking.NetworkPolicy{ObjectMeta: s.meta(PortName(served.App), s.appLabels(served.App)), Spec: networking.NetworkPolicySpec{
		PodSelector: meta.LabelSelector{
			MatchLabels:      map[string]string{LabelApp: served.App},
			MatchExpressions: []meta.LabelSelectorRequirement{{Key: LabelGeneration, Operator: meta.LabelSelectorOpExists}},
		},
		PolicyTypes: []networking.PolicyType{networking.PolicyTypeIngress},
		Ingress:     []networking.NetworkPolicyIngressRule{{Ports: []networking.NetworkPolicyPort{{Protocol: &tcp, Port: &port}}}},
	}}
}
