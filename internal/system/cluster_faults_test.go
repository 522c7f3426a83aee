//go:build linux

package system

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/setopsco/setops/pkg/api"
)

// anew is what a commit brings that replaces the tasks of web.
func anew() api.ContainerSet {
	return api.ContainerSet{Name: "web", Command: []string{"body=new", "serve"}}
}

func TestAQuotaThatIsExceededEndsACommitAndIsNoFaultOfTheApp(t *testing.T) {
	t.Parallel()
	b := onCluster(t)
	st := b.newStage(t, "quota", "web")
	namespace := b.namespaceOf(t, st)
	err := b.api.Core.RESTClient().Post().Namespace(namespace).Resource("resourcequotas").Body(&core.ResourceQuota{
		ObjectMeta: meta.ObjectMeta{Name: "small"},
		Spec:       core.ResourceQuotaSpec{Hard: core.ResourceList{core.ResourcePods: resource.MustParse("1")}},
	}).Do(t.Context()).Error()
	must(t, err)
	watching := st.watch(t, "web")
	change := anew()
	change.StartTimeout = new(shortTimeout)
	f, screen := st.fail(t, change)
	watching()
	isFault(t, f, screen, "exceeded quota: small", "pods=1")
	st.isAsBefore(t, 1, "web")
}

func TestAnImageThatNodesCannotPullEndsACommitAndIsNoFaultOfTheApp(t *testing.T) {
	t.Parallel()
	b := onCluster(t)
	st := b.newStage(t, "pull", "web")
	image, layer := withLayer(t, []byte("only here"))
	commands := st.release(t, "web", image, 2)
	must(t, os.Remove(b.blob(t, layer)))
	watching := st.watch(t, "web")
	f, screen := st.fail(t, append(commands, api.ContainerSet{Name: "web", StartTimeout: new(shortTimeout)})...)
	watching()
	isFault(t, f, screen, "cannot pull the image")
	st.isAsBefore(t, 3, "web")
}

// A registry that is down ends a commit where it stays down, and only delays it where it comes again in time.
func TestARegistryThatIsDownWhileNodesPull(t *testing.T) {
	t.Parallel()
	b := onCluster(t)
	st := b.newStage(t, "down", "web")
	image, _ := withLayer(t, bytes.Repeat([]byte("large "), 1<<20))
	commands := st.release(t, "web", image, 2)
	b.relay.down()
	watching := st.watch(t, "web")
	f, screen := st.fail(t, append(commands, api.ContainerSet{Name: "web", StartTimeout: new(shortTimeout)})...)
	isFault(t, f, screen, "cannot pull the image", "connection refused")
	st.isAsBefore(t, 3, "web")

	end := st.begin(t, api.ContainerSet{Name: "web", StartTimeout: new(120)})
	until(t, "the new task says that its image cannot be pulled", func(ctx context.Context) error {
		by, err := st.tasksOf(ctx, "web")
		if err == nil && (len(by["PENDING"]) == 0 || !strings.Contains(by["PENDING"][0].Reason, "connection refused")) {
			err = fmt.Errorf("the tasks are %+v", by)
		}
		return err
	})
	must(t, b.relay.up())
	if _, p := end(); p.State != "done" {
		t.Errorf("the commit: %+v", p.Failure)
	}
	watching()
}

// outage is how long nobody answers for the cluster.
const outage = time.Minute

func TestAnAPIServerThatIsAwayForAMinuteInACommit(t *testing.T) {
	b := onCluster(t)
	st := b.newStage(t, "away", "web")
	// The new task is ready when the API server is away, which is when it serves still less.
	end := st.begin(t, api.ContainerSet{Name: "web", Command: []string{"sleep=10s", "serve"}, StartTimeout: new(120)})
	until(t, "the commit has begun a new task", func(ctx context.Context) error {
		by, err := st.tasksOf(ctx, "web")
		if err == nil && len(by["ACTIVATING"]) == 0 {
			err = fmt.Errorf("the tasks are %+v", by)
		}
		return err
	})
	watching := st.watch(t, "web")
	must(t, b.cluster.Signal("control", "kube-apiserver", os.Kill))
	time.Sleep(outage)
	must(t, b.cluster.StartAPIServer())
	if _, p := end(); p.State != "done" {
		t.Errorf("the commit: %+v", p.Failure)
	}
	watching()
	until(t, "one task is left", func(ctx context.Context) error {
		by, err := st.tasksOf(ctx, "web")
		if err == nil && (len(by["RUNNING"]) != 1 || len(by["RUNNING"])+len(by["STOPPED"]) != count(by)) {
			err = fmt.Errorf("the tasks are %+v", by)
		}
		return err
	})
	st.succeed(t, anew()) // and the next one is as any
}

func count(by map[string][]api.Task) (n int) {
	for _, all := range by {
		n += len(all)
	}
	return n
}

// A namespace that somebody keeps from going keeps a stage from being destroyed, and one of its name from being made.
func TestANamespaceThatIsStuckInDeletion(t *testing.T) {
	t.Parallel()
	b := onCluster(t)
	other := b.newStage(t, "other", "web")
	st := b.newStage(t, "stuck", "web")
	namespace := b.namespaceOf(t, st)
	held := &core.Secret{ObjectMeta: meta.ObjectMeta{Name: "held", Finalizers: []string{"example.com/held"}}}
	_, err := b.api.Core.Secrets(namespace).Create(t.Context(), held, meta.CreateOptions{})
	must(t, err)
	release := func() {
		_, err := b.api.Core.Secrets(namespace).Patch(t.Context(), "held", types.MergePatchType,
			[]byte(`{"metadata":{"finalizers":null}}`), meta.PatchOptions{})
		must(t, err)
	}
	watching := other.watch(t, "web")
	destroyed := make(chan error, 1)
	go func() { destroyed <- b.DestroyStage(context.WithoutCancel(t.Context()), st.ref) }()
	until(t, "the namespace is being deleted", func(ctx context.Context) error {
		n, err := b.api.Core.Namespaces().Get(ctx, namespace, meta.GetOptions{})
		if err == nil && n.DeletionTimestamp == nil {
			err = errors.New("it is there")
		}
		return err
	})
	select {
	case err = <-destroyed:
	case <-time.After(longPatience):
		t.Fatal("nobody is told that the stage cannot be destroyed")
	}
	t.Logf("stage:destroy says: %v", err)
	if err == nil || !strings.Contains(err.Error(), "example.com/held") || !strings.Contains(err.Error(), namespace) {
		t.Errorf("stage:destroy says %v", err)
	}
	other.succeed(t, api.EnvSet{Name: "web", Key: "A", Value: "1"})
	watching()
	release()
	until(t, "the stage is destroyed", func(ctx context.Context) error { return b.DestroyStage(ctx, st.ref) })
}
