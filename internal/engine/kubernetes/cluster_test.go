package kubernetes_test

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"runtime"
	"strings"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/engine/kubernetes"
	"github.com/setopsco/setops/internal/engine/kubernetes/cluster/clustertest"
	"github.com/setopsco/setops/internal/engine/kubernetes/object"
	"github.com/setopsco/setops/internal/kube"
	"github.com/setopsco/setops/internal/setops"
)

// patience is for what should take moments, on a machine that is busy.
const patience = time.Minute

// field is an engine with a stage on the cluster.
type field struct {
	engine.Engine
	store     *store
	core      kube.Core
	apps      kube.Apps
	api       kube.API
	stage     setops.StageRef
	namespace string
	image     engine.Image
	config    kubernetes.Config
}

// beside lets a test run beside others: most of the time it waits for the cluster, where each has a stage of its own.
func beside(t *testing.T) {
	if clustertest.IsOurs() {
		t.Parallel()
	}
}

func newField(t *testing.T, settings ...func(*kubernetes.Config)) *field {
	t.Helper()
	kubeconfig := clustertest.Kubeconfig(t)
	s := openStore(t)
	installation, name := randomHex(4), "s"+randomHex(4)
	f := &field{store: s, stage: setops.StageRef{ID: randomHex(16), Organization: "demo", Project: "field", Name: name}}
	f.namespace = object.Namespace(installation, f.stage)
	f.image = f.imageFor(t, f.stage)
	f.config = kubernetes.Config{
		Dir: t.TempDir(), Kubeconfig: kubeconfig, Installation: installation, Registry: s.address, Credentials: s.credentials,
		Callers: s.callers(t), Timings: kubernetes.Timings{Linger: time.Second, Mend: 2 * time.Second},
	}
	f.open(t, settings...)
	t.Cleanup(func() { must(t, f.Close()) })
	must(t, f.EnsureStage(t.Context(), f.stage, 0))
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		must(t, f.RemoveStage(ctx, f.stage.ID))
	})
	api, err := kube.Connect(kubeconfig)
	must(t, err)
	f.core, f.apps, f.api = api.Core, api.Apps, api
	return f
}

// open starts an engine, with other settings than before.
func (f *field) open(t *testing.T, settings ...func(*kubernetes.Config)) {
	t.Helper()
	for _, set := range settings {
		set(&f.config)
	}
	var err error
	f.Engine, err = kubernetes.New(t.Context(), f.config)
	must(t, err)
}

func randomHex(bytes int) string {
	raw := make([]byte, bytes)
	rand.Read(raw)
	return hex.EncodeToString(raw)
}

func (f *field) generation() engine.Generation {
	return engine.Generation{
		ID: "web-" + randomHex(6), Stage: f.stage, App: "web", Release: 1, Scale: 1, StartTimeout: patience, StopTimeout: time.Second,
		Container: engine.Container{
			Image: f.image, Command: []string{"serve"}, CPU: 128, Memory: 128, Port: 5000, Env: []string{"PORT=5000"},
		},
		NetworkCheck: &setops.NetworkCheck{Protocol: setops.HTTP, Path: "/", Status: "200"},
	}
}

// imageFor is one that a stage may pull: no stage gets at the images of another.
func (f *field) imageFor(t *testing.T, stage setops.StageRef) engine.Image {
	t.Helper()
	return f.store.push(t, stage, runtime.GOARCH, v1.Config{Entrypoint: []string{"/testapp"}, Cmd: []string{"serve"}})
}

func (f *field) keep(t *testing.T, g engine.Generation) error {
	t.Helper()
	must(t, f.Ensure(t.Context(), g))
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	return f.Await(ctx, g.ID)
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !ok(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("it never came that %s", what)
		}
	}
}

// What somebody deletes or edits of our objects is put back, and a task that may stay does.
func TestWhatOthersChangeIsPutBack(t *testing.T) {
	beside(t)
	f := newField(t)
	g := f.generation()
	must(t, f.keep(t, g))
	name := object.Deployment(g.App, g.ID)
	patch := []byte(`{"spec":{"replicas":3}}`)
	_, err := f.apps.Deployments(f.namespace).Patch(t.Context(), name, types.MergePatchType, patch, meta.PatchOptions{FieldManager: "somebody"})
	must(t, err)
	eventually(t, "the scale is what it was", func() bool {
		d, err := f.apps.Deployments(f.namespace).Get(t.Context(), name, meta.GetOptions{})
		return err == nil && *d.Spec.Replicas == 1
	})
	old, err := f.apps.Deployments(f.namespace).Get(t.Context(), name, meta.GetOptions{})
	must(t, err)
	must(t, f.apps.Deployments(f.namespace).Delete(t.Context(), name, meta.DeleteOptions{}))
	eventually(t, "the Deployment is there again", func() bool {
		d, err := f.apps.Deployments(f.namespace).Get(t.Context(), name, meta.GetOptions{})
		return err == nil && d.UID != old.UID && d.Status.ReadyReplicas == 1
	})
	must(t, f.core.Secrets(f.namespace).Delete(t.Context(), object.PullSecret, meta.DeleteOptions{}))
	eventually(t, "the credentials are there again", func() bool {
		_, err := f.core.Secrets(f.namespace).Get(t.Context(), object.PullSecret, meta.GetOptions{})
		return err == nil
	})
}

// The cluster does not tell that an environment is gone. The next task that needs it does, on another node: each keeps what its tasks have
// got.
func TestAnEnvironmentThatSomebodyHasDeletedIsThereForTheNextTask(t *testing.T) {
	beside(t)
	f := newField(t)
	nodes, err := f.core.Nodes().List(t.Context(), meta.ListOptions{})
	must(t, err)
	if len(nodes.Items) < 2 {
		t.Skip("tasks spread over the nodes of a cluster, and this one has a single one")
	}
	g := f.generation()
	must(t, f.keep(t, g))
	owner := object.Deployment(g.App, g.ID)
	must(t, f.core.Secrets(f.namespace).Delete(t.Context(), object.Environment(owner), meta.DeleteOptions{}))
	g.Scale = 2
	must(t, f.keep(t, g))
	secret, err := f.core.Secrets(f.namespace).Get(t.Context(), object.Environment(owner), meta.GetOptions{})
	if err != nil || len(secret.OwnerReferences) != 1 || secret.OwnerReferences[0].Name != owner {
		t.Errorf("%+v, %v", secret, err)
	}
}

// A reason that lies in the cluster is told as one, and is no fault of the app's.
func TestWhatTheClusterRefusesIsItsFault(t *testing.T) {
	beside(t)
	f := newField(t)
	refused := func(check, part string, change func(*engine.Generation)) {
		t.Helper()
		limit := time.Duration(0)
		eventually(t, "a task is refused as "+part, func() bool {
			g := f.generation()
			limit += 3 * time.Second // a cluster that is busy says later why
			g.StartTimeout = limit
			change(&g)
			err := f.keep(t, g)
			must(t, f.Remove(t.Context(), g.ID, 0))
			t.Logf("within %s: %v", limit, err)
			var gate *engine.GateError
			return errors.As(err, &gate) && gate.Check == check && gate.Fault && strings.Contains(gate.Cause, part)
		})
	}
	refused("start", "does not fit any node", func(g *engine.Generation) { g.Container.Memory = 100 << 20 })
	refused("image", "cannot pull the image", func(g *engine.Generation) {
		g.Container.Image.Digest = "sha256:" + strings.Repeat("0", 64)
	})
	quota := &core.ResourceQuota{ObjectMeta: meta.ObjectMeta{Name: "small"}, Spec: core.ResourceQuotaSpec{
		Hard: core.ResourceList{core.ResourcePods: resource.MustParse("0")},
	}}
	err := f.core.RESTClient().Post().Namespace(f.namespace).Resource("resourcequotas").Body(quota).Do(t.Context()).Error()
	must(t, err)
	refused("start", "exceeded quota", func(*engine.Generation) {})
}

// A Service leads to the generation that serves, and goes with its app.
func TestTheServiceOfAnAppFollowsTheGenerationThatServes(t *testing.T) {
	beside(t)
	f := newField(t)
	s := f.Engine.(engine.Switch)
	for _, generation := range []string{"web-1", "web-2", ""} {
		must(t, s.SetServed(t.Context(), f.stage.ID, []engine.Served{
			{App: "web", Generation: generation, Protocol: setops.HTTP, Port: 80}, {App: "queue", Protocol: setops.TCP, Port: 5672},
		}))
		got, err := f.core.Services(f.namespace).Get(t.Context(), "web", meta.GetOptions{})
		must(t, err)
		if selected := got.Spec.Selector[object.LabelGeneration]; generation != "" && selected != generation || selected == "" || len(got.Spec.Selector) != 1 {
			t.Errorf("generation %q: the selector is %v", generation, got.Spec.Selector)
		}
	}
	must(t, s.SetServed(t.Context(), f.stage.ID, []engine.Served{{App: "web", Protocol: setops.HTTP, Port: 80}}))
	all, err := f.core.Services(f.namespace).List(t.Context(), meta.ListOptions{})
	must(t, err)
	if len(all.Items) != 1 || all.Items[0].Name != "web" {
		t.Errorf("there are %v", all.Items)
	}
}

func TestAClusterThatCanBeHadIs(t *testing.T) {
	beside(t)
	kubeconfig := clustertest.Kubeconfig(t)
	must(t, kubernetes.Check(t.Context(), kubeconfig))
}
