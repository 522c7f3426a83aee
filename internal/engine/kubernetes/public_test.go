package kubernetes_test

import (
	"context"
	"net/http"
	"strings"
	"testing"

	networking "k8s.io/api/networking/v1"
	kerrors "k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/engine/kubernetes"
	"github.com/setopsco/setops/internal/engine/kubernetes/cluster/clustertest"
	"github.com/setopsco/setops/internal/engine/kubernetes/object"
	"github.com/setopsco/setops/internal/freeport"
	"github.com/setopsco/setops/internal/kube"
	"github.com/setopsco/setops/internal/setops"
)

// switches is how often a test of a switch under load replaces what serves.
const switches = 4

// public is a stage whose apps are reached by the cluster, with who leads requests to them.
type public struct {
	*field
	*proxy
	host string
}

// newIngresses has a class of its own, so that several tests can share a cluster.
func newIngresses(t *testing.T) *public {
	t.Helper()
	kubeconfig := clustertest.Kubeconfig(t)
	api, err := kube.Connect(kubeconfig)
	must(t, err)
	class := "setops-test-" + randomHex(4)
	made := &networking.IngressClass{
		ObjectMeta: meta.ObjectMeta{Name: class}, Spec: networking.IngressClassSpec{Controller: "traefik.io/ingress-controller"},
	}
	_, err = api.Networking.IngressClasses().Create(t.Context(), made, meta.CreateOptions{})
	must(t, err)
	t.Cleanup(func() {
		must(t, api.Networking.IngressClasses().Delete(context.Background(), class, meta.DeleteOptions{}))
	})
	address, err := freeport.Address()
	must(t, err)
	return newPublic(t, kubernetes.Routing{By: kubernetes.ByIngress, IngressClass: class}, address, "-ingress-class", class)
}

// newPublic has pods serve on for as long as they do where nobody says anything else.
func newPublic(t *testing.T, wanted kubernetes.Routing, address string, args ...string) *public {
	t.Helper()
	kubeconfig := clustertest.Kubeconfig(t)
	routing, why, err := kubernetes.Choose(t.Context(), kubeconfig, "", wanted)
	must(t, err)
	t.Logf("by %s, because %s", routing, why)
	return &public{
		newField(t, func(c *kubernetes.Config) { c.Routing, c.Timings.Linger = routing, 0 }),
		startProxy(t, address, args...), "web-" + randomHex(4) + ".example",
	}
}

func (p *public) lead(t *testing.T, generation string, hosts ...engine.Host) {
	t.Helper()
	must(t, p.Engine.(engine.Switch).SetServed(t.Context(), p.stage.ID, []engine.Served{
		{App: "web", Generation: generation, Protocol: setops.HTTP, Port: 80, Public: hosts},
	}))
}

// begin has a first generation answer.
func (p *public) begin(t *testing.T, hosts ...engine.Host) engine.Generation {
	t.Helper()
	first := p.generation()
	must(t, p.keep(t, first))
	p.lead(t, first.ID, hosts...)
	p.answers(t, p.host, http.StatusOK)
	return first
}

func (p *public) answers(t *testing.T, host string, want int) {
	t.Helper()
	eventually(t, host+" answers", func() bool {
		status, _, err := p.get(host, "/")
		return err == nil && status == want
	})
}

// replace switches over and over while requests come, and says who serves at the end.
func (p *public) replace(t *testing.T, serving engine.Generation, hosts ...engine.Host) {
	t.Helper()
	stop := p.load(p.host)
	for range switches {
		next := p.generation()
		next.Container.Env = append(next.Container.Env, "GENERATION="+next.ID)
		must(t, p.keep(t, next))
		p.lead(t, next.ID, hosts...)
		must(t, p.Remove(t.Context(), serving.ID, 0))
		serving = next
	}
	answered, lost := stop()
	if len(lost) > 0 || answered < switches {
		t.Errorf("%d requests were answered, and lost: %v", answered, lost)
	}
	t.Logf("%d requests were answered over %d switches", answered, switches)
	if _, said, err := p.get(p.host, "/env/GENERATION"); err != nil || said != serving.ID {
		t.Errorf("%s serves and not %s: %v", said, serving.ID, err)
	}
}

func TestByAnIngressNoRequestIsLostInASwitch(t *testing.T) {
	beside(t)
	p := newIngresses(t)
	host := engine.Host{Name: p.host}
	p.replace(t, p.begin(t, host), host)
}

func TestTheIngressOfAnAppFollowsWhatIsCommitted(t *testing.T) {
	beside(t)
	p := newIngresses(t)
	other, wildcard := "other."+p.host, "*.any."+p.host
	serving := p.begin(t, engine.Host{Name: p.host})
	p.lead(t, serving.ID, engine.Host{Name: p.host}, engine.Host{Name: other, Redirect: p.host}, engine.Host{Name: wildcard})
	p.answers(t, other, http.StatusOK) // an Ingress knows no redirects
	p.answers(t, "x.any."+p.host, http.StatusOK)

	ingresses := p.api.Networking.Ingresses(p.namespace)
	must(t, ingresses.Delete(t.Context(), "web", meta.DeleteOptions{}))
	eventually(t, "a deleted Ingress is there again", func() bool {
		_, err := ingresses.Get(t.Context(), "web", meta.GetOptions{})
		return err == nil
	})
	p.answers(t, other, http.StatusOK)

	p.lead(t, serving.ID) // it is private now
	if _, err := ingresses.Get(t.Context(), "web", meta.GetOptions{}); !kerrors.IsNotFound(err) {
		t.Errorf("an app that is not public has an Ingress: %v", err)
	}
	p.answers(t, p.host, http.StatusNotFound)
	p.lead(t, serving.ID, engine.Host{Name: p.host})
	p.answers(t, p.host, http.StatusOK)
	must(t, p.Engine.(engine.Switch).SetServed(t.Context(), p.stage.ID, nil)) // it is destroyed
	p.answers(t, p.host, http.StatusNotFound)
	all, err := p.core.Services(p.namespace).List(t.Context(), meta.ListOptions{LabelSelector: object.LabelApp})
	if err != nil || len(all.Items) > 0 {
		t.Errorf("the app is gone, and there are %v, %v", all, err)
	}
}

func TestAClassOfIngressesThatIsNotThereIsRefused(t *testing.T) {
	beside(t)
	kubeconfig := clustertest.Kubeconfig(t)
	_, _, err := kubernetes.Choose(t.Context(), kubeconfig, "", kubernetes.Routing{By: kubernetes.ByIngress, IngressClass: "nobody-has-it"})
	if err == nil || !strings.Contains(err.Error(), "no IngressClass") {
		t.Errorf("got %v", err)
	}
}
