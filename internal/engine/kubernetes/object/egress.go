package object

import (
	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// Link-local addresses are those of a machine's own wire. Who provides machines answers there, to whoever runs on one, and gives its
// credentials away.
const (
	linkLocal    = "169.254.0.0/16"
	linkLocal6   = "fe80::/10"
	metadataAWS6 = "fd00:ec2::254/128" // not link-local, but the same
)

// egress lets tasks call everybody but link-local addresses. DNS may be there: nodes have name servers of their own at such.
func (s Stage) egress() *networking.NetworkPolicy {
	// Some networks, as Cilium, do not count pods among the addresses of an IPBlock.
	pods := networking.NetworkPolicyPeer{NamespaceSelector: &meta.LabelSelector{}}
	dns := intstr.FromInt32(53)
	return &networking.NetworkPolicy{ObjectMeta: s.meta("no-link-local", s.labels()), Spec: networking.NetworkPolicySpec{
		PolicyTypes: []networking.PolicyType{networking.PolicyTypeEgress},
		Egress: []networking.NetworkPolicyEgressRule{
			{To: []networking.NetworkPolicyPeer{pods, block("0.0.0.0/0", linkLocal), block("::/0", linkLocal6, metadataAWS6)}},
			{To: []networking.NetworkPolicyPeer{block(linkLocal)}, Ports: []networking.NetworkPolicyPort{
				{Protocol: new(core.ProtocolUDP), Port: &dns}, {Protocol: new(core.ProtocolTCP), Port: &dns},
			}},
		},
	}}
}

func block(network string, but ...string) networking.NetworkPolicyPeer {
	return networking.NetworkPolicyPeer{IPBlock: &networking.IPBlock{CIDR: network, Except: but}}
}
