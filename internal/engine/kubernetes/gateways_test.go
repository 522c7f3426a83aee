package kubernetes_test

import (
	"context"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"

	core "k8s.io/api/core/v1"
	kerrors "k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	gateway "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/engine/kubernetes"
	"github.com/setopsco/setops/internal/engine/kubernetes/cluster/clustertest"
	"github.com/setopsco/setops/internal/engine/kubernetes/object"
	"github.com/setopsco/setops/internal/freeport"
	"github.com/setopsco/setops/internal/kube"
)

// newGateway makes one in a namespace of its own, and gives its name. It lets in routes from where it is told.
func newGateway(t *testing.T, port string, from gateway.FromNamespaces) string {
	t.Helper()
	kubeconfig := clustertest.Kubeconfig(t)
	api, err := kube.Connect(kubeconfig)
	must(t, err)
	if _, err := api.Gateway.Gateways("").List(t.Context(), meta.ListOptions{}); kerrors.IsNotFound(err) && os.Getenv("SETOPS_TEST_ALL") == "" {
		t.Skip("the cluster does not have the Gateway API: testcluster makes one that has it with -gateway")
	}
	name := "setops-test-" + randomHex(4)
	class := &gateway.GatewayClass{ObjectMeta: meta.ObjectMeta{Name: name}, Spec: gateway.GatewayClassSpec{ControllerName: "traefik.io/gateway-controller"}}
	_, err = api.Gateway.GatewayClasses().Create(t.Context(), class, meta.CreateOptions{})
	must(t, err)
	t.Cleanup(func() { must(t, api.Gateway.GatewayClasses().Delete(context.Background(), name, meta.DeleteOptions{})) })
	_, err = api.Core.Namespaces().Create(t.Context(), &core.Namespace{ObjectMeta: meta.ObjectMeta{Name: name}}, meta.CreateOptions{})
	must(t, err)
	t.Cleanup(func() { must(t, api.Core.Namespaces().Delete(context.Background(), name, meta.DeleteOptions{})) })
	number, err := strconv.Atoi(port)
	must(t, err)
	allowed := &gateway.RouteNamespaces{From: &from}
	if from == gateway.NamespacesFromSelector {
		allowed.Selector = &meta.LabelSelector{MatchLabels: map[string]string{object.LabelManagedBy: object.Manager}}
	}
	made := &gateway.Gateway{ObjectMeta: meta.ObjectMeta{Name: "public", Namespace: name}}
	made.Spec.GatewayClassName = gateway.ObjectName(name)
	made.Spec.Listeners = []gateway.Listener{{
		Name: "http", Protocol: gateway.HTTPProtocolType, Port: gateway.PortNumber(number), AllowedRoutes: &gateway.AllowedRoutes{Namespaces: allowed},
	}}
	_, err = api.Gateway.Gateways(name).Create(t.Context(), made, meta.CreateOptions{})
	must(t, err)
	return name + "/public"
}

func newGateways(t *testing.T) *public {
	t.Helper()
	address, err := freeport.Address()
	must(t, err)
	_, port, err := net.SplitHostPort(address)
	must(t, err)
	name := newGateway(t, port, gateway.NamespacesFromSelector)
	return newPublic(t, kubernetes.Routing{By: kubernetes.ByGateway, Gateway: name}, address, "-gateway")
}

func TestByAGatewayNoRequestIsLostInASwitch(t *testing.T) {
	beside(t)
	p := newGateways(t)
	host := engine.Host{Name: p.host}
	p.replace(t, p.begin(t, host), host)
}

func TestTheRoutesOfAnAppFollowWhatIsCommitted(t *testing.T) {
	beside(t)
	p := newGateways(t)
	other, wildcard := "other."+p.host, "*.any."+p.host
	serving := p.begin(t, engine.Host{Name: p.host})
	p.lead(t, serving.ID, engine.Host{Name: p.host}, engine.Host{Name: other, Redirect: p.host}, engine.Host{Name: wildcard})
	p.answers(t, other, http.StatusMovedPermanently)
	if _, to, err := p.get(other, "/some/path?a=b"); err != nil || to != "http://"+p.host+"/some/path?a=b" {
		t.Errorf("sent on to %s, %v", to, err)
	}
	p.answers(t, "x.any."+p.host, http.StatusOK)

	routes := p.api.Gateway.HTTPRoutes(p.namespace)
	must(t, routes.Delete(t.Context(), "web", meta.DeleteOptions{}))
	eventually(t, "a deleted route is there again", func() bool {
		_, err := routes.Get(t.Context(), "web", meta.GetOptions{})
		return err == nil
	})
	p.answers(t, "x.any."+p.host, http.StatusOK)

	p.lead(t, serving.ID, engine.Host{Name: p.host}) // the other domains are destroyed
	p.answers(t, other, http.StatusNotFound)
	p.lead(t, serving.ID) // it is private now
	p.answers(t, p.host, http.StatusNotFound)
	p.lead(t, serving.ID, engine.Host{Name: p.host})
	p.answers(t, p.host, http.StatusOK)
	must(t, p.Engine.(engine.Switch).SetServed(t.Context(), p.stage.ID, nil)) // it is destroyed
	p.answers(t, p.host, http.StatusNotFound)
	all, err := routes.List(t.Context(), meta.ListOptions{})
	if err != nil || len(all.Items) > 0 {
		t.Errorf("the app is gone, and there are %v, %v", all, err)
	}
}

// What cannot be had is refused with what to do about it, and where anything will do the next one is taken.
func TestAGatewayThatLetsInNoRouteIsRefused(t *testing.T) {
	beside(t)
	kubeconfig := clustertest.Kubeconfig(t)
	choose := func(by, name string) (kubernetes.Routing, string, error) {
		return kubernetes.Choose(t.Context(), kubeconfig, "a1b2c3d4", kubernetes.Routing{By: by, Gateway: name})
	}
	closed := newGateway(t, "8000", gateway.NamespacesFromSame)
	for name, part := range map[string]string{closed: "allowedRoutes", "nowhere/public": "has no Gateway nowhere/public"} {
		if _, _, err := choose(kubernetes.ByGateway, name); err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("%s: %v", name, err)
		}
		if r, why, err := choose(kubernetes.ByAny, name); err != nil || r.By == kubernetes.ByGateway || !strings.Contains(why, part) {
			t.Errorf("%s: %s, because %s, %v", name, r, why, err)
		}
	}
	open := newGateway(t, "8000", gateway.NamespacesFromAll)
	if r, _, err := choose(kubernetes.ByAny, open); err != nil || r.String() != "gateway "+open {
		t.Errorf("got %s, %v", r, err)
	}
}
