// Package network gives each stage a network of its own on this host: a bridge, addresses, packet filter rules that keep
// it apart from other stages, and translated outgoing traffic. Containers join it by a network namespace and a pair of
// virtual interfaces. What the host itself answers there, and that it answers nothing else, is up to package gateway.
//
// It starts no container and routes no request. Bridges and namespaces outlive this process, as containers do.
//
//	               host                                           container
//	world ── eth0 ┄ masquerade ┄ bridge so<instance>-<n> ── sv<instance>… ═══ eth0
//	                             (gateway address, DNS)
//
//	DIR/stages/<key>.json       subnet of a stage, so that it stays the same for ever
//	DIR/endpoints/<container>   address of a container
//	DIR/netns/<container>       its network namespace, bind-mounted
//	DIR/gateways                see package gateway
//
// Everything that the kernel shows carries the instance's id, so that several servers share a host. Start with
// Network.EnsureStage, then rules.go.
package network
