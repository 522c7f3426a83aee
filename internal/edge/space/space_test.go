package space

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	kerrors "k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/setopsco/setops/internal/edge/published"
	"github.com/setopsco/setops/internal/engine/kubernetes/cluster/clustertest"
	"github.com/setopsco/setops/internal/engine/kubernetes/object"
	"github.com/setopsco/setops/internal/kube"
)

func TestOnlyARouterThatRunsIsAsked(t *testing.T) {
	pod := func(change func(*core.Pod)) *core.Pod {
		p := &core.Pod{}
		p.Spec.Containers = []core.Container{{Ports: []core.ContainerPort{{Name: "http", ContainerPort: 8080}, {Name: AdminPort, ContainerPort: 8081}}}}
		p.Status.Phase, p.Status.PodIP = core.PodRunning, "10.0.0.7"
		p.Status.ContainerStatuses = []core.ContainerStatus{{State: core.ContainerState{Running: &core.ContainerStateRunning{}}}}
		change(p)
		return p
	}
	for name, c := range map[string]struct {
		pod  *core.Pod
		want string
	}{
		"runs": {pod(func(*core.Pod) {}), "10.0.0.7:8081"},
		"ends": {pod(func(p *core.Pod) { p.DeletionTimestamp = &meta.Time{} }), "10.0.0.7:8081"},
		"was killed": {pod(func(p *core.Pod) {
			p.Status.ContainerStatuses[0].State = core.ContainerState{Terminated: &core.ContainerStateTerminated{}}
		}), ""},
		"has ended":  {pod(func(p *core.Pod) { p.Status.Phase = core.PodFailed }), ""},
		"starts":     {pod(func(p *core.Pod) { p.Status.Phase, p.Status.PodIP = core.PodPending, "" }), ""},
		"of another": {pod(func(p *core.Pod) { p.Spec.Containers[0].Ports = nil }), ""},
		"by IP six":  {pod(func(p *core.Pod) { p.Status.PodIP = "fd00::7" }), "[fd00::7]:8081"},
	} {
		if got := adminAddress(c.pod); got != c.want {
			t.Errorf("%s: %q", name, got)
		}
	}
}

func TestErrorsOfTheClusterAreToldApart(t *testing.T) {
	of := schema.GroupResource{Resource: "configmaps"}
	for want, err := range map[error]error{
		published.ErrNone:    kerrors.NewNotFound(of, "routes"),
		published.ErrChanged: kerrors.NewConflict(of, "routes", errors.New("somebody was first")),
	} {
		if got := known("write routes", err); !errors.Is(got, want) {
			t.Errorf("%v", got)
		}
	}
	if got := known("write routes", kerrors.NewAlreadyExists(of, "routes")); !errors.Is(got, published.ErrChanged) {
		t.Errorf("%v", got)
	}
	if got := known("write routes", kerrors.NewForbidden(of, "routes", errors.New("no"))); errors.Is(got, published.ErrNone) || errors.Is(got, published.ErrChanged) {
		t.Errorf("%v", got)
	}
}

// newSpace is a namespace on the cluster, for one test.
func newSpace(t *testing.T) *Namespace {
	t.Helper()
	kubeconfig := clustertest.Kubeconfig(t)
	raw := make([]byte, 4)
	rand.Read(raw)
	id := hex.EncodeToString(raw)
	n, err := Open(kubeconfig, "setops-router-"+id, id, slog.New(slog.DiscardHandler))
	must(t, err)
	must(t, n.Make(t.Context()))
	must(t, n.Make(t.Context())) // each server does
	t.Cleanup(func() {
		must(t, n.api.Namespaces().Delete(context.WithoutCancel(t.Context()), n.name, meta.DeleteOptions{}))
	})
	return n
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestAClusterComparesWhatIsWritten(t *testing.T) {
	n := newSpace(t)
	ctx := t.Context()
	for _, o := range []published.Object{
		published.Key("secret", published.Version{Term: 1, Number: 1}),
		{Kind: published.KindStage, Name: "routes-s1", Version: published.Version{Term: 7, Number: 9}, Data: map[string][]byte{"routes.json": []byte("{}")}},
	} {
		_, err := n.Get(ctx, o.Kind, o.Name)
		is(t, err, published.ErrNone)
		o.Resource = "1"
		_, err = n.Update(ctx, o)
		is(t, err, published.ErrNone)
		made, err := n.Create(ctx, o)
		must(t, err)
		if made.Version != o.Version || made.Kind != o.Kind || made.Name != o.Name || made.Resource == "" {
			t.Errorf("made %+v", made)
		}
		_, err = n.Create(ctx, o)
		is(t, err, published.ErrChanged)
		next := made
		next.Version.Number++
		written, err := n.Update(ctx, next)
		must(t, err)
		_, err = n.Update(ctx, next)
		is(t, err, published.ErrChanged)
		is(t, n.Delete(ctx, made), published.ErrChanged)
		all, err := n.List(ctx, o.Kind)
		must(t, err)
		if len(all) != 1 || all[0].Resource != written.Resource || all[0].Version != next.Version {
			t.Errorf("list: %+v", all)
		}
		must(t, n.Delete(ctx, written))
		is(t, n.Delete(ctx, written), published.ErrNone)
	}
}

func is(t *testing.T, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Errorf("%v and not: %v", got, want)
	}
}

func TestAClusterTellsWhatIsThereAndWhatBecomesOfIt(t *testing.T) {
	n := newSpace(t)
	ctx, cancel := context.WithCancel(t.Context())
	_, err := n.Create(ctx, published.Key("secret", published.Version{Term: 1}))
	must(t, err)
	var mu sync.Mutex
	var told []string
	tell := func(s string) {
		mu.Lock()
		defer mu.Unlock()
		told = append(told, s)
	}
	var following sync.WaitGroup
	following.Go(func() {
		err := n.Follow(ctx, func(o published.Object, gone bool) { tell(fmt.Sprint(o.Kind, " ", o.Name, " ", o.Version, " ", gone)) }, func() { tell("all") })
		if err != nil {
			t.Error(err)
		}
	})
	defer following.Wait()
	defer cancel()
	heard := func(want string) {
		t.Helper()
		for deadline := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
			mu.Lock()
			last := slices.Clone(told)
			mu.Unlock()
			if slices.Contains(last, want) {
				return
			}
			if time.Now().After(deadline) {
				t.Fatalf("%q was not told, but %q", want, last)
			}
		}
	}
	heard("key router-key 1.0 false")
	heard("all")
	i, err := published.Index{Installation: "0123abcd"}.Object(published.Version{Term: 2})
	must(t, err)
	i, err = n.Create(ctx, i)
	must(t, err)
	heard("index routes 2.0 false")
	must(t, n.Delete(ctx, i))
	heard("index routes 2.0 true")
}

func TestRoutersThatDoNotRunAreInstalled(t *testing.T) {
	n := newSpace(t)
	kubeconfig := clustertest.Kubeconfig(t)
	has := func(want bool) {
		t.Helper()
		if got, err := Installed(t.Context(), kubeconfig, n.name); err != nil || got != want {
			t.Errorf("there are routers: %t, %v", got, err)
		}
	}
	has(false)
	api, err := kube.Connect(kubeconfig)
	must(t, err)
	labels := map[string]string{object.LabelName: RouterName}
	_, err = api.Apps.Deployments(n.name).Apply(t.Context(), &apps.Deployment{
		ObjectMeta: meta.ObjectMeta{Name: "routers", Namespace: n.name, Labels: labels},
		Spec: apps.DeploymentSpec{
			Replicas: new(int32(0)), Selector: &meta.LabelSelector{MatchLabels: labels},
			Template: core.PodTemplateSpec{ObjectMeta: meta.ObjectMeta{Labels: labels}, Spec: core.PodSpec{Containers: []core.Container{{Name: "router", Image: "none"}}}},
		},
	}, meta.ApplyOptions{FieldManager: "operator"})
	must(t, err)
	has(true)
}
