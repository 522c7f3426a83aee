package kubernetes_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strconv"
	"syscall"
	"testing"
	"time"

	meta "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/setopsco/setops/internal/engine/kubernetes/cluster/clustertest"
	"github.com/setopsco/setops/internal/setops"
)

// A Service that is pointed at tasks which the controllers of the cluster do not know to be ready has no endpoints for as long.
func TestAGenerationIsAwaitedUntilControllersKnowItsTasks(t *testing.T) {
	const controllers = "kube-controller-manager"
	c := clustertest.Ours(t)
	f := newField(t)
	g := f.generation()
	g.StartTimeout = patience
	g.HealthCheck = &setops.HealthCheck{Command: []string{"/testapp", "need", "go"}, Interval: 1, Timeout: 5, Retries: 10, StartPeriod: 60}
	must(t, f.Ensure(t.Context(), g))
	address := ""
	eventually(t, "its task has an address", func() bool {
		address = f.address(t)
		return address != ""
	})

	must(t, c.Signal("control", controllers, syscall.SIGSTOP))
	resume := func() error { return c.Signal("control", controllers, syscall.SIGCONT) }
	t.Cleanup(func() { must(t, resume()) })
	eventually(t, "it is told to become healthy", func() bool {
		answer, err := http.Get("http://" + net.JoinHostPort(address, strconv.Itoa(g.Container.Port)) + "/touch/go")
		return err == nil && answer.Body.Close() == nil && answer.StatusCode == http.StatusOK
	})
	eventually(t, "its task is RUNNING", func() bool {
		tasks, err := f.List(t.Context(), f.stage.ID, "")
		must(t, err)
		return len(tasks) == 1 && tasks[0].Status == setops.Running
	})
	early, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if err := f.Await(early, g.ID); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("awaiting it ends before controllers have seen its task: %v", err)
	}
	must(t, resume())
	late, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	must(t, f.Await(late, g.ID))
}

// address is that of the only pod of the stage.
func (f *field) address(t *testing.T) string {
	t.Helper()
	pods, err := f.core.Pods(f.namespace).List(t.Context(), meta.ListOptions{})
	must(t, err)
	for _, pod := range pods.Items {
		if pod.Status.PodIP != "" {
			return pod.Status.PodIP
		}
	}
	return ""
}
