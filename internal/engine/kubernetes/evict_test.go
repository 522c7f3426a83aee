package kubernetes_test

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"sync"
	"testing"

	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/engine/kubernetes"
	"github.com/setopsco/setops/internal/engine/kubernetes/cluster/clustertest"
	"github.com/setopsco/setops/internal/setops"
)

// Who drains a node replaces tasks that serve. One without a check gets no requests while its program may not listen yet.
func TestNoRequestIsLostWhileATaskWithoutAnyCheckIsReplaced(t *testing.T) {
	network, err := netip.MustParseAddr(clustertest.Ours(t).Host()).Prefix(24) // this machine reaches Services by a node, which calls tasks
	must(t, err)
	beside(t)
	f := newField(t, func(c *kubernetes.Config) { c.Callers, c.Timings.Linger = []string{network.String()}, 0 })
	g := f.generation()
	g.NetworkCheck, g.Scale, g.Container.Command = nil, 2, []string{"sleep", "1s", "serve"}
	must(t, f.keep(t, g))
	must(t, f.Engine.(engine.Switch).SetServed(t.Context(), f.stage.ID, []engine.Served{
		{App: "web", Generation: g.ID, Protocol: setops.HTTP, Port: 80},
	}))
	service, err := f.core.Services(f.namespace).Get(t.Context(), "web", meta.GetOptions{})
	must(t, err)
	address := net.JoinHostPort(service.Spec.ClusterIP, "80")
	eventually(t, "it answers", func() bool { _, err := taskAt(address); return err == nil })

	ctx, stop := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	var asked sync.Map // by name of the pod that answered
	wg.Go(func() {
		for n := 0; ctx.Err() == nil; n++ {
			pod, err := taskAt(address)
			if err != nil {
				t.Errorf("request %d: %v", n, err)
				return
			}
			asked.Store(pod, n)
		}
	})
	before := f.ready(t)
	must(t, f.core.Pods(f.namespace).Delete(t.Context(), before[0], meta.DeleteOptions{})) // which is all that an eviction does in the end
	eventually(t, "another one answers in its place", func() bool {
		for _, pod := range f.ready(t) {
			if _, answers := asked.Load(pod); answers && !slices.Contains(before, pod) {
				return true
			}
		}
		return t.Failed()
	})
	stop()
	wg.Wait()
	asked.Range(func(pod, n any) bool { t.Logf("%s answered last to request %d", pod, n); return true })
}

// ready names the pods of the stage that get requests.
func (f *field) ready(t *testing.T) []string {
	t.Helper()
	pods, err := f.core.Pods(f.namespace).List(t.Context(), meta.ListOptions{})
	must(t, err)
	var names []string
	for _, pod := range pods.Items {
		for _, c := range pod.Status.Conditions {
			if c.Type == core.PodReady && c.Status == core.ConditionTrue && pod.DeletionTimestamp == nil {
				names = append(names, pod.Name)
			}
		}
	}
	return names
}
