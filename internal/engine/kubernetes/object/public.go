package object

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"

	networking "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/types"
	gateway "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/setopsco/setops/internal/engine"
)

// AnnotationIssuer has cert-manager order the certificates that an Ingress names.
const AnnotationIssuer = "cert-manager.io/cluster-issuer"

// movedPermanently is how a host sends its requests on: of those answers that every Gateway knows the one that is kept.
const movedPermanently = 301

// Ingress leads the hosts of an app to its Service; nil: it has none. Redirects are no part of what every controller knows, so
// hosts that have one are answered by the app too. An empty class is the cluster's default one; with an issuer each host has a
// certificate of its own, so that one that cannot be had keeps no other waiting.
func (s Stage) Ingress(served engine.Served, class, issuer string) *networking.Ingress {
	if len(served.Public) == 0 {
		return nil
	}
	o := &networking.Ingress{ObjectMeta: s.meta(served.App, s.appLabels(served.App))}
	if class != "" {
		o.Spec.IngressClassName = &class
	}
	if issuer != "" {
		o.Annotations = map[string]string{AnnotationIssuer: issuer}
	}
	for _, host := range served.Public {
		o.Spec.Rules = append(o.Spec.Rules, networking.IngressRule{
			Host: host.Name, IngressRuleValue: networking.IngressRuleValue{HTTP: &networking.HTTPIngressRuleValue{
				Paths: []networking.HTTPIngressPath{everything(served)},
			}},
		})
		if issuer != "" {
			o.Spec.TLS = append(o.Spec.TLS, networking.IngressTLS{Hosts: []string{host.Name}, SecretName: Certificate(host.Name)})
		}
	}
	return o
}

func everything(served engine.Served) networking.HTTPIngressPath {
	prefix := networking.PathTypePrefix
	return networking.HTTPIngressPath{Path: "/", PathType: &prefix, Backend: networking.IngressBackend{
		Service: &networking.IngressServiceBackend{Name: served.App, Port: networking.ServiceBackendPort{Number: int32(served.Port)}},
	}}
}

// Certificate is the name of the secret that cert-manager keeps the certificate of a host in.
func Certificate(host string) string {
	const most = 63 // it is made a label of
	name := "tls-" + host
	if domain, wildcard := strings.CutPrefix(host, "*."); wildcard {
		name = "any-tls-" + domain
	}
	if len(name) <= most {
		return name
	}
	sum := sha256.Sum256([]byte(host))
	return "tls-" + hex.EncodeToString(sum[:16])
}

// mostHosts is how many an HTTPRoute takes.
const mostHosts = 16

// Routes lead the hosts of an app by a Gateway to its Service, or on to the host that they redirect to: as many of them as the hosts need.
func (s Stage) Routes(served engine.Served, by types.NamespacedName) []*gateway.HTTPRoute {
	var answered []gateway.Hostname
	redirected := map[string][]gateway.Hostname{}
	var targets []string
	for _, host := range served.Public {
		if host.Redirect == "" {
			answered = append(answered, gateway.Hostname(host.Name))
			continue
		}
		if redirected[host.Redirect] == nil {
			targets = append(targets, host.Redirect)
		}
		redirected[host.Redirect] = append(redirected[host.Redirect], gateway.Hostname(host.Name))
	}
	all := s.routes(served.App, served.App, by, answered, leads(served))
	for _, target := range targets {
		all = append(all, s.routes(served.App, served.App+".redirect", by, redirected[target], redirects(target))...)
	}
	return all
}

// routes are named NAME, NAME.2 and so on. No app has a dot in its name.
func (s Stage) routes(app, name string, by types.NamespacedName, hosts []gateway.Hostname, rule gateway.HTTPRouteRule) (all []*gateway.HTTPRoute) {
	for chunk := range slices.Chunk(hosts, mostHosts) {
		called := name
		if len(all) > 0 {
			called += "." + strconv.Itoa(len(all)+1)
		}
		namespace := gateway.Namespace(by.Namespace)
		o := &gateway.HTTPRoute{ObjectMeta: s.meta(called, s.appLabels(app))}
		o.Spec.ParentRefs = []gateway.ParentReference{{Namespace: &namespace, Name: gateway.ObjectName(by.Name)}}
		o.Spec.Hostnames, o.Spec.Rules = chunk, []gateway.HTTPRouteRule{rule}
		all = append(all, o)
	}
	return all
}

func leads(served engine.Served) gateway.HTTPRouteRule {
	port := gateway.PortNumber(served.Port)
	return gateway.HTTPRouteRule{BackendRefs: []gateway.HTTPBackendRef{{BackendRef: gateway.BackendRef{
		BackendObjectReference: gateway.BackendObjectReference{Name: gateway.ObjectName(served.App), Port: &port},
	}}}}
}

func redirects(host string) gateway.HTTPRouteRule {
	target, status := gateway.PreciseHostname(host), movedPermanently
	return gateway.HTTPRouteRule{Filters: []gateway.HTTPRouteFilter{{
		Type:            gateway.HTTPRouteFilterRequestRedirect,
		RequestRedirect: &gateway.HTTPRequestRedirectFilter{Hostname: &target, StatusCode: &status},
	}}}
}
