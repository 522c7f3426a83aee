package kubernetes_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/setopsco/setops/internal/engine/kubernetes/cluster/clustertest"
	"github.com/setopsco/setops/internal/engine/kubernetes/isolation"
	"github.com/setopsco/setops/internal/engine/kubernetes/object"
	"github.com/setopsco/setops/internal/kube"
)

// newProbe has what a server looks at network policies with, in a namespace that has none.
func newProbe(t *testing.T) isolation.Config {
	t.Helper()
	f := newField(t)
	kubeconfig := clustertest.Kubeconfig(t)
	api, err := kube.Connect(kubeconfig)
	must(t, err)
	namespace := "probe-" + randomHex(4)
	_, err = api.Core.Namespaces().Create(t.Context(), &core.Namespace{ObjectMeta: meta.ObjectMeta{Name: namespace}}, meta.CreateOptions{})
	must(t, err)
	t.Cleanup(func() { must(t, api.Core.Namespaces().Delete(context.Background(), namespace, meta.DeleteOptions{})) })
	pull, err := api.Core.Secrets(f.namespace).Get(t.Context(), object.PullSecret, meta.GetOptions{})
	must(t, err)
	_, err = api.Core.Secrets(namespace).Create(t.Context(), &core.Secret{
		ObjectMeta: meta.ObjectMeta{Name: object.PullSecret}, Type: pull.Type, Data: pull.Data,
	}, meta.CreateOptions{})
	must(t, err)
	return isolation.Config{
		API: api, Namespace: namespace, Installation: "0badcafe", Timings: isolation.Timings{Settle: 15 * time.Second},
		Program: isolation.Program{
			Image: f.store.address + "/" + f.image.Repository + "@" + f.image.Digest, PullSecrets: []string{object.PullSecret},
			Args: []string{"accept", fmt.Sprintf(":%d", isolation.ShutPort), "serve-on", fmt.Sprintf(":%d", isolation.OpenPort)},
		},
	}
}

// A cluster that enforces policies is told from one that does not, and neither from one where it cannot be tried.
func TestWhetherNetworkPoliciesAreEnforcedIsFoundOut(t *testing.T) {
	beside(t)
	c := probe{newProbe(t)}
	want := isolation.Unenforced
	if clustertest.IsOurs() {
		want = isolation.Enforced
	}
	c.isKnownThoughTheProbeStays(t, want)
	// Policies add up: with one that lets everybody in, an enforced one looks as if it were not.
	_, err := c.API.Networking.NetworkPolicies(c.Namespace).Create(t.Context(), &networking.NetworkPolicy{
		ObjectMeta: meta.ObjectMeta{Name: "everybody"}, Spec: networking.NetworkPolicySpec{Ingress: []networking.NetworkPolicyIngressRule{{}}},
	}, meta.CreateOptions{})
	must(t, err)
	if got := isolation.Check(t.Context(), c.Config); got.Verdict != isolation.Unknown || !strings.Contains(got.Reason, "the policy everybody") {
		t.Errorf("everybody is let in: %+v", got)
	}
	c.Program.Image, c.Timings.Start = strings.Replace(c.Program.Image, "/web@", "/none@", 1), 0
	eventually(t, "there is no such image", func() bool {
		c.Timings.Start += 5 * time.Second // a node that is busy tries later
		got := isolation.Check(t.Context(), c.Config)
		t.Logf("no such image: %+v", got)
		return got.Verdict == isolation.Unknown && strings.Contains(got.Reason, "Image")
	})
	probes := meta.ListOptions{LabelSelector: object.LabelComponent + "=" + object.ComponentProbe}
	eventually(t, "nothing of it is left", func() bool {
		jobs, err := c.API.Batch.Jobs(c.Namespace).List(t.Context(), probes)
		must(t, err)
		pods, err := c.API.Core.Pods(c.Namespace).List(t.Context(), probes)
		must(t, err)
		policies, err := c.API.Networking.NetworkPolicies(c.Namespace).List(t.Context(), probes)
		must(t, err)
		return len(jobs.Items)+len(pods.Items)+len(policies.Items) == 0
	})
}

type probe struct{ isolation.Config }

// isKnownThoughTheProbeStays checks twice, and has the cluster refuse the last change of the second check: to remove its probe.
func (c probe) isKnownThoughTheProbeStays(t *testing.T, want isolation.Verdict) {
	t.Helper()
	changes, most := 0, -1
	var err error
	unguarded := c.API
	c.API, err = unguarded.Guarded(func() error {
		if changes++; changes == most {
			return errors.New("not now")
		}
		return nil
	})
	must(t, err)
	if got := isolation.Check(t.Context(), c.Config); got.Verdict != want || strings.Contains(got.Reason, "later") {
		t.Errorf("got %+v", got)
	}
	changes, most = 0, changes
	if got := isolation.Check(t.Context(), c.Config); got.Verdict != want || !strings.Contains(got.Reason, "ends by itself, later: ") {
		t.Errorf("the probe stays: %+v", got)
	}
	background := meta.DeletePropagationBackground
	must(t, unguarded.Batch.Jobs(c.Namespace).DeleteCollection(t.Context(), meta.DeleteOptions{PropagationPolicy: &background}, meta.ListOptions{}))
}
