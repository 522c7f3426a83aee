//go:build linux

package crash

import (
	"context"
	"fmt"
	"net"
	"strings"
	"testing"

	batch "k8s.io/api/batch/v1"
	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/setopsco/setops/internal/engine/kubernetes/cluster/clustertest"
	"github.com/setopsco/setops/internal/kube"
)

// cluster is where the tasks of a server on Kubernetes run.
type cluster struct {
	kube.API
	t        *testing.T
	config   string // path of the kubeconfig
	registry string // HOST:PORT of this machine that nodes pull from
}

// onCluster runs a test on a cluster, if there is one.
func onCluster(t *testing.T, test func(t *testing.T, engine string)) {
	t.Run("kubernetes", func(t *testing.T) {
		t.Parallel()
		clustertest.Kubeconfig(t)
		needEmbedded(t) // its tools are used to look at this machine
		test(t, "kubernetes")
	})
}

// newCluster connects to the cluster; nil: the server has another engine.
func newCluster(t *testing.T, engine string) *cluster {
	t.Helper()
	if engine != "kubernetes" {
		return nil
	}
	c := &cluster{t: t, config: clustertest.Kubeconfig(t), registry: clustertest.Registry(t)}
	var err error
	c.API, err = kube.Connect(c.config)
	must(t, err)
	return c
}

// flags are what the server is started with to use it: tasks let it in that does not run in the cluster.
func (c *cluster) flags() []string {
	host, _, err := net.SplitHostPort(c.registry)
	must(c.t, err)
	return []string{"--kubeconfig", c.config, "--registry-listen", c.registry, "--router-networks", host + "/32"}
}

func ours(instance string) meta.ListOptions {
	return meta.ListOptions{LabelSelector: "app.kubernetes.io/managed-by=setops,setops.dev/installation=" + instance}
}

// clusterTraces counts the objects of this installation. A one-off task that has ended leaves its Job for an hour, with what
// belongs to that.
func (s *server) clusterTraces(t traces) {
	s.t.Helper()
	ctx, all := s.t.Context(), ours(s.instance())
	jobs, err := s.cluster.Batch.Jobs("").List(ctx, all)
	must(s.t, err)
	ended := map[string]bool{}
	for _, job := range jobs.Items {
		if hasEnded(job) {
			ended[job.Labels["setops.dev/task"]] = true
		}
	}
	count := func(what string, labels map[string]string) {
		if !ended[labels["setops.dev/task"]] {
			t.add(what, 1)
		}
	}
	for _, one := range jobs.Items {
		count("jobs", one.Labels)
	}
	pods, err := s.cluster.Core.Pods("").List(ctx, all)
	must(s.t, err)
	for _, one := range pods.Items {
		count("containers", one.Labels)
	}
	secrets, err := s.cluster.Core.Secrets("").List(ctx, all)
	must(s.t, err)
	for _, one := range secrets.Items {
		count("secrets", one.Labels)
	}
	deployments, err := s.cluster.Apps.Deployments("").List(ctx, all)
	must(s.t, err)
	t.add("deployments", len(deployments.Items))
	services, err := s.cluster.Core.Services("").List(ctx, all)
	must(s.t, err)
	t.add("services", len(services.Items))
	policies, err := s.cluster.Networking.NetworkPolicies("").List(ctx, all)
	must(s.t, err)
	t.add("network policies", len(policies.Items))
	namespaces, err := s.cluster.Core.Namespaces().List(ctx, all)
	must(s.t, err)
	t.add("namespaces", len(namespaces.Items))
}

// objectsAre looks whether the cluster has what belongs to a side and no more: what is deleted goes a moment after its task has ended.
func (m *matrix) objectsAre(s *side) error {
	if m.cluster == nil {
		return nil
	}
	pods, generations := 0, 0
	for _, tasks := range s.tasks {
		pods, generations = pods+tasks, generations+min(tasks, 1)
	}
	now := m.traces()
	if now["containers"] != pods || now["deployments"] != generations || now["secrets"] != generations+1 { // and what nodes pull with
		return fmt.Errorf("of %d tasks in %d generations there is %v", pods, generations, now)
	}
	return nil
}

func hasEnded(job batch.Job) bool {
	for _, c := range job.Status.Conditions {
		if (c.Type == batch.JobComplete || c.Type == batch.JobFailed) && c.Status == core.ConditionTrue {
			return true
		}
	}
	return false
}

// serviceOf says where an app answers inside its stage: at the address of its Service, which leads to the generation that serves.
// A name, where there is none.
func (s *server) serviceOf(app string) string {
	s.t.Helper()
	all := ours(s.instance())
	all.LabelSelector += ",setops.dev/app=" + app
	found, err := s.cluster.Core.Services("").List(s.t.Context(), all)
	must(s.t, err)
	for _, one := range found.Items {
		return fmt.Sprintf("%s:%d", one.Spec.ClusterIP, one.Spec.Ports[0].Port)
	}
	return app + ".invalid"
}

// killPods does to tasks what a reboot of all nodes does: they are gone at once, and the cluster makes others.
func (s *server) killPods() {
	s.t.Helper()
	ctx := context.WithoutCancel(s.t.Context()) // the test may be over
	pods, err := s.cluster.Core.Pods("").List(ctx, ours(s.instance()))
	must(s.t, err)
	now := meta.NewDeleteOptions(0)
	for _, pod := range pods.Items {
		if err := s.cluster.Core.Pods(pod.Namespace).Delete(ctx, pod.Name, *now); !errors.IsNotFound(err) {
			must(s.t, err)
		}
	}
}

// wipeCluster takes away what a failed test has left of this installation.
func (s *server) wipeCluster() {
	s.t.Helper()
	if s.cluster == nil || s.instance() == "" {
		return
	}
	ctx := context.WithoutCancel(s.t.Context()) // the test is over
	namespaces, err := s.cluster.Core.Namespaces().List(ctx, ours(s.instance()))
	must(s.t, err)
	for _, one := range namespaces.Items {
		if strings.HasPrefix(one.Name, s.instance()+"-") {
			must(s.t, s.cluster.Core.Namespaces().Delete(ctx, one.Name, meta.DeleteOptions{}))
		}
	}
}
