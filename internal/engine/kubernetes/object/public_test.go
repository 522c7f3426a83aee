package object_test

import (
	"fmt"
	"strings"
	"testing"

	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"

	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/engine/kubernetes/object"
	"github.com/setopsco/setops/internal/setops"
)

func public(hosts ...engine.Host) engine.Served {
	return engine.Served{App: "web", Generation: "web-0123456789ab", Protocol: setops.HTTP, Port: 80, Public: hosts}
}

var shop = public(
	engine.Host{Name: "web.production.shop.apps.example", Redirect: "www.example.org"},
	engine.Host{Name: "*.example.org"},
	engine.Host{Name: "example.org", Redirect: "www.example.org"},
	engine.Host{Name: "www.example.org"},
)

func TestTheIngressOfAnApp(t *testing.T) {
	golden(t, "ingress", stage().Ingress(public(engine.Host{Name: "web.production.shop.apps.example"}), "", ""),
		stage().Ingress(shop, "nginx", "letsencrypt"))
	if o := stage().Ingress(public(), "nginx", "letsencrypt"); o != nil {
		t.Errorf("an app that is not public has %v", o)
	}
}

func TestTheRoutesOfAnApp(t *testing.T) {
	var all []runtime.Object
	for _, o := range stage().Routes(shop, types.NamespacedName{Namespace: "gateways", Name: "public"}) {
		all = append(all, o)
	}
	golden(t, "routes", all...)
	if all := stage().Routes(public(), types.NamespacedName{}); all != nil {
		t.Errorf("an app that is not public has %v", all)
	}
}

// The API takes 16 hosts at most: who has more has more routes, and no host is left out.
func TestAnAppWithManyHostsHasMoreRoutes(t *testing.T) {
	served := public()
	want := map[string]string{}
	for i := range 40 {
		host := engine.Host{Name: fmt.Sprintf("h%d.example.org", i)}
		if i >= 20 {
			host.Redirect = "h0.example.org"
		}
		served.Public = append(served.Public, host)
		want[host.Name] = host.Redirect
	}
	var names []string
	got := map[string]string{}
	for _, o := range stage().Routes(served, types.NamespacedName{Namespace: "gateways", Name: "public"}) {
		names = append(names, o.Name)
		target := ""
		if f := o.Spec.Rules[0].Filters; len(f) > 0 {
			target = string(*f[0].RequestRedirect.Hostname)
		}
		for _, host := range o.Spec.Hostnames {
			got[string(host)] = target
		}
		if len(o.Spec.Hostnames) > 16 {
			t.Errorf("%s has %d hosts", o.Name, len(o.Spec.Hostnames))
		}
	}
	if fmt.Sprint(names) != "[web web.2 web.redirect web.redirect.2]" || fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%v: %v", names, got)
	}
}

func TestCertificatesHaveNamesThatFit(t *testing.T) {
	long := strings.Repeat("long", 20) + ".example"
	seen := map[string]bool{}
	for _, host := range []string{"example.org", "*.example.org", "www.example.org", long, long + ".org"} {
		name := object.Certificate(host)
		if seen[name] || len(name) > 63 || strings.Contains(name, "*") {
			t.Errorf("%s: %s", host, name)
		}
		seen[name] = true
	}
}

func TestTheServiceOfAPort(t *testing.T) {
	served := engine.Served{
		App: "queue", Host: "queue.production.shop.apps.example.internal", Generation: "queue-0123456789ab", Protocol: setops.TCP, Port: 5672,
		Stream: &engine.Stream{Host: "queue.production.shop.apps.example", Port: 30007},
	}
	golden(t, "port", stage().Port(served, core.ServiceTypeNodePort), stage().Port(served, core.ServiceTypeLoadBalancer), stage().PortPolicy(served))
	served.Stream = nil
	if s, p := stage().Port(served, core.ServiceTypeNodePort), stage().PortPolicy(served); s != nil || p != nil {
		t.Errorf("an app that is not public has %v and %v", s, p)
	}
}
