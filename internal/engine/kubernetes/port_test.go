package kubernetes_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	core "k8s.io/api/core/v1"
	kerrors "k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/engine/kubernetes"
	"github.com/setopsco/setops/internal/engine/kubernetes/cluster/clustertest"
	"github.com/setopsco/setops/internal/engine/kubernetes/object"
	"github.com/setopsco/setops/internal/setops"
)

// outside is a stage with a public app that speaks tcp, which the world reaches by a Service of its own.
type outside struct {
	*field
	port int
}

// newOutside opens a port that no other test has.
func newOutside(t *testing.T, tcp string, settings ...func(*kubernetes.Config)) *outside {
	t.Helper()
	kubeconfig := clustertest.Kubeconfig(t)
	routing, why, err := kubernetes.Choose(t.Context(), kubeconfig, "", kubernetes.Routing{TCP: tcp})
	if err != nil || routing.By != kubernetes.ByServer || routing.TCP != tcp {
		t.Fatalf("%+v, because %s, %v", routing, why, err)
	}
	settings = append(settings, func(c *kubernetes.Config) { c.Routing = routing })
	o := &outside{field: newField(t, settings...)}
	for {
		o.port = 30000 + rand.IntN(2768)
		err := o.Engine.(engine.Ports).OpenPort(t.Context(), o.stage, "web", o.port)
		if errors.Is(err, syscall.EADDRINUSE) {
			continue
		}
		must(t, err)
		return o
	}
}

// serve brings up a generation and leads the world to it.
func (o *outside) serve(t *testing.T) engine.Generation {
	t.Helper()
	g := o.generation()
	g.NetworkCheck = &setops.NetworkCheck{Protocol: setops.TCP}
	g.Container.Env = append(g.Container.Env, "GENERATION="+g.ID)
	must(t, o.keep(t, g))
	o.lead(t, g, &engine.Stream{Host: "web.example", Port: o.port})
	return g
}

func (o *outside) lead(t *testing.T, g engine.Generation, at *engine.Stream) {
	t.Helper()
	must(t, o.Engine.(engine.Switch).SetServed(t.Context(), o.stage.ID, []engine.Served{
		{App: "web", Generation: g.ID, Protocol: setops.TCP, Port: 5000, Stream: at},
	}))
}

func (o *outside) service(t *testing.T) (*core.Service, error) {
	t.Helper()
	return o.core.Services(o.namespace).Get(t.Context(), object.PortName("web"), meta.GetOptions{})
}

// at is where a node takes connections for a port.
func (o *outside) at(t *testing.T, port int) string {
	t.Helper()
	nodes, err := o.core.Nodes().List(t.Context(), meta.ListOptions{})
	must(t, err)
	for _, a := range nodes.Items[0].Status.Addresses {
		if a.Type == core.NodeInternalIP {
			return net.JoinHostPort(a.Address, strconv.Itoa(port))
		}
	}
	t.Fatal("the node has no address")
	return ""
}

func (o *outside) answers(t *testing.T, address string, g engine.Generation) {
	t.Helper()
	eventually(t, g.ID+" answers at "+address, func() bool {
		c := stream()
		defer c.CloseIdleConnections()
		said, err := who(c, address)
		return err == nil && said == g.ID
	})
}

// Who connects while what serves is replaced over and over gets a task each time.
func TestAtANodePortNoConnectionIsRefusedInASwitch(t *testing.T) {
	o := newOutside(t, kubernetes.TCPByNodePort, func(c *kubernetes.Config) { c.Timings.Linger, c.Timings.Drain = 0, 2*time.Second })
	serving, address := o.serve(t), o.at(t, o.port)
	o.answers(t, address, serving)

	ctx, stop := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	var mu sync.Mutex
	counts := map[string]int{}
	count := func(id string) int {
		mu.Lock()
		defer mu.Unlock()
		return counts[id]
	}
	for range 4 {
		wg.Go(func() {
			for ctx.Err() == nil {
				c := stream()
				said, err := who(c, address)
				c.CloseIdleConnections()
				if err != nil {
					said = err.Error()
				}
				mu.Lock()
				counts[said]++
				mu.Unlock()
			}
		})
	}
	want := []string{serving.ID}
	for range switches {
		next := o.serve(t)
		must(t, o.Remove(t.Context(), serving.ID, 0))
		eventually(t, next.ID+" answers", func() bool { return count(next.ID) > 0 })
		serving, want = next, append(want, next.ID)
	}
	stop()
	wg.Wait()
	t.Logf("connections over %d switches: %v", switches, counts)
	for _, id := range want {
		delete(counts, id)
	}
	if len(counts) > 0 {
		t.Errorf("lost: %v", counts)
	}
}

// A stream that is open goes on over a switch, on its old task, until the drain is over.
func TestAStreamGoesOnOverASwitch(t *testing.T) {
	const drain = 8 * time.Second
	o := newOutside(t, kubernetes.TCPByNodePort, func(c *kubernetes.Config) { c.Timings.Drain = drain })
	old, address := o.serve(t), o.at(t, o.port)
	o.answers(t, address, old)
	open := stream()
	said, err := who(open, address)
	if err != nil || said != old.ID {
		t.Fatal(said, err)
	}
	switched := time.Now()
	next := o.serve(t)
	removed := make(chan error, 1)
	go func() { removed <- o.Remove(t.Context(), old.ID, 0) }() // ends with the removal
	o.answers(t, address, next)
	var last time.Time
	eventually(t, "the stream ends", func() bool {
		// What ends it is dialled anew, and answered by the next one.
		if said, err := who(open, address); err != nil || said != old.ID {
			return true
		}
		last = time.Now()
		return false
	})
	if went := last.Sub(switched); went < drain {
		t.Errorf("the stream went on for %s after the switch, and the drain is %s", went, drain)
	}
	must(t, <-removed)
}

// The Service follows what is committed, and what others do to it is put back.
func TestTheServiceOfAPortFollowsWhatIsCommitted(t *testing.T) {
	o := newOutside(t, kubernetes.TCPByNodePort)
	s, err := o.service(t)
	if err != nil || s.Spec.Selector[object.LabelGeneration] != "none" {
		t.Fatalf("before the switch: %+v, %v", s, err)
	}
	o.lead(t, engine.Generation{}, nil) // as another commit before that switch
	if _, err := o.service(t); err != nil {
		t.Errorf("a port that is open for what is to come is gone: %v", err)
	}
	g := o.serve(t)
	o.answers(t, o.at(t, o.port), g)
	must(t, o.core.Services(o.namespace).Delete(t.Context(), object.PortName("web"), meta.DeleteOptions{}))
	policies := o.api.Networking.NetworkPolicies(o.namespace)
	must(t, policies.Delete(t.Context(), object.PortName("web"), meta.DeleteOptions{}))
	eventually(t, "both are there again", func() bool {
		_, err := o.service(t)
		_, policy := policies.Get(t.Context(), object.PortName("web"), meta.GetOptions{})
		return err == nil && policy == nil
	})
	o.answers(t, o.at(t, o.port), g)

	o.lead(t, g, nil) // it is private now
	_, err = o.service(t)
	_, policy := policies.Get(t.Context(), object.PortName("web"), meta.GetOptions{})
	if !kerrors.IsNotFound(err) || !kerrors.IsNotFound(policy) {
		t.Errorf("an app that is private has %v, %v", err, policy)
	}
	must(t, o.Engine.(engine.Ports).ClosePort(t.Context(), o.stage, "web")) // again
}

// Policies keep other stages out of an app until it is public.
func TestOnlyAPublicTCPAppIsCalledFromOutsideItsStage(t *testing.T) {
	o := newOutside(t, kubernetes.TCPByNodePort)
	clustertest.Ours(t) // which enforces them
	other := setops.StageRef{ID: randomHex(16), Organization: "demo", Project: "field", Name: "t" + randomHex(4)}
	must(t, o.EnsureStage(t.Context(), other, 0))
	t.Cleanup(func() { must(t, o.RemoveStage(context.Background(), other.ID)) })
	g := o.serve(t)
	tasks, err := o.List(t.Context(), o.stage.ID, "web")
	must(t, err)
	stranger, address := o.callerOf(t, other), tasks[0].Address
	public := &engine.Stream{Host: "web.example", Port: o.port}
	for _, at := range []*engine.Stream{nil, public, nil} {
		o.lead(t, g, at)
		eventually(t, fmt.Sprintf("another stage is let in, and kept out where the app is private: %v", at), func() bool {
			return (stranger.ask(t.Context(), address, "env/GENERATION") == "200 "+g.ID) == (at != nil)
		})
	}
}

// A commit that fails gives the port back.
func TestAPortThatWasOpenedForNothingIsClosed(t *testing.T) {
	o := newOutside(t, kubernetes.TCPByNodePort)
	must(t, o.Engine.(engine.Ports).ClosePort(t.Context(), o.stage, "web"))
	if _, err := o.service(t); !kerrors.IsNotFound(err) {
		t.Errorf("the Service is there: %v", err)
	}
}

func TestAPortThatNodesDoNotHaveIsRefused(t *testing.T) {
	o := newOutside(t, kubernetes.TCPByNodePort)
	ports := o.Engine.(engine.Ports)
	err := ports.OpenPort(t.Context(), o.stage, "queue", 20000)
	if !setops.IsCode(err, setops.CommitFailed) || !strings.Contains(err.Error(), "--tcp-ports") || !strings.Contains(err.Error(), "30000-32767") {
		t.Errorf("outside of the range: %v", err)
	}
	if err := ports.OpenPort(t.Context(), o.stage, "queue", o.port); !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("one that another app has: %v", err)
	}
}

func TestPortsThatNodesDoNotHaveAreRefusedAtTheStart(t *testing.T) {
	beside(t)
	kubeconfig := clustertest.Kubeconfig(t)
	check := func(tcp string, low, high int) error {
		return kubernetes.CheckPorts(t.Context(), kubeconfig, kubernetes.Routing{TCP: tcp}, low, high)
	}
	for _, ports := range [][2]int{{20000, 20099}, {29999, 30099}, {32700, 32768}} {
		if err := check(kubernetes.TCPByNodePort, ports[0], ports[1]); err == nil || !strings.Contains(err.Error(), "have, 30000-32767: set --tcp-ports") {
			t.Errorf("%v: %v", ports, err)
		}
	}
	must(t, check(kubernetes.TCPByNodePort, 30000, 32767))
	must(t, check(kubernetes.TCPByNodePort, 0, 0))
	must(t, check(kubernetes.TCPByLoadBalancer, 20000, 20099))
}

// The test is who balances the load: it gives the address, and passes connections on to the port that the nodes have for it.
func TestALoadBalancerLeadsToWhatServes(t *testing.T) {
	o := newOutside(t, kubernetes.TCPByLoadBalancer, func(c *kubernetes.Config) { c.Timings.Drain = 2 * time.Second })
	old := o.serve(t)
	s, err := o.service(t)
	must(t, err)
	if p := s.Spec.Ports[0]; s.Spec.Type != core.ServiceTypeLoadBalancer || int(p.Port) != o.port || s.Annotations[object.AnnotationHostname] != "web.example" {
		t.Fatalf("%+v", s)
	}
	status := fmt.Appendf(nil, `{"status":{"loadBalancer":{"ingress":[{"ip":%q}]}}}`, "192.0.2.7")
	must(t, o.core.RESTClient().Patch(types.MergePatchType).Namespace(o.namespace).Resource("services").Name(s.Name).SubResource("status").
		Body(status).Do(t.Context()).Error())
	address := o.at(t, int(s.Spec.Ports[0].NodePort))
	o.answers(t, address, old)
	next := o.serve(t)
	must(t, o.Remove(t.Context(), old.ID, 0))
	o.answers(t, address, next)
	got, err := o.service(t)
	must(t, err)
	if len(got.Status.LoadBalancer.Ingress) != 1 || got.Spec.Ports[0].NodePort != s.Spec.Ports[0].NodePort || got.UID != s.UID {
		t.Errorf("after a switch the balancer has to begin anew: %+v", got)
	}
}
