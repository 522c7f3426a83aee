package kubernetes_test

import (
	"errors"
	"runtime"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/engine/kubernetes/object"
	"github.com/setopsco/setops/internal/pull"
	"github.com/setopsco/setops/internal/setops"
)

// Nodes pull by a password that changes: what runs goes on, what starts anew does, and the old password is over in the end.
func TestNodesPullWhileTheirPasswordChanges(t *testing.T) {
	beside(t)
	f := newField(t)
	first := f.generation()
	must(t, f.keep(t, first))
	user, password := f.store.credentials(f.stage)
	for range 3 {
		before := f.pullSecret(t)
		f.store.elapse(pull.Term)
		eventually(t, "the stage has the next password", func() bool { return f.pullSecret(t) != before })
		f.restart(t, first)
		next := f.generation() // of an image that no node has
		next.Container.Image = f.store.push(t, f.stage, runtime.GOARCH, v1.Config{Entrypoint: []string{"/testapp"}, Labels: map[string]string{"of": next.ID}})
		must(t, f.keep(t, next))
		must(t, f.Remove(t.Context(), next.ID, 0))
	}
	if f.store.passwords.Accepts(user, password) {
		t.Error("the first password is still good")
	}
}

func TestAStagesCredentialsDoNotPullAnothersImage(t *testing.T) {
	beside(t)
	f := newField(t)
	other := setops.StageRef{ID: randomHex(16), Organization: "demo", Project: "field", Name: "o" + randomHex(4)}
	g := f.generation()
	g.StartTimeout = 0
	g.Container.Image = f.store.push(t, other, runtime.GOARCH, v1.Config{Entrypoint: []string{"/testapp"}, Labels: map[string]string{"of": other.ID}})
	err := f.keep(t, g)
	var gate *engine.GateError
	if !errors.As(err, &gate) || gate.Check != "image" || !strings.Contains(gate.Cause, "cannot pull the image") {
		t.Errorf("%#v", err)
	}
}

func (f *field) pullSecret(t *testing.T) string {
	t.Helper()
	secret, err := f.core.Secrets(f.namespace).Get(t.Context(), object.PullSecret, meta.GetOptions{})
	must(t, err)
	for _, config := range secret.Data {
		return string(config)
	}
	return ""
}

// restart deletes the pod of a generation and waits for the next one.
func (f *field) restart(t *testing.T, g engine.Generation) {
	t.Helper()
	name := object.Deployment(g.App, g.ID)
	selector := meta.ListOptions{LabelSelector: object.LabelGeneration + "=" + g.ID}
	pods, err := f.core.Pods(f.namespace).List(t.Context(), selector)
	must(t, err)
	for _, pod := range pods.Items {
		must(t, f.core.Pods(f.namespace).Delete(t.Context(), pod.Name, meta.DeleteOptions{}))
	}
	eventually(t, "the deleted pod is gone and another one is ready", func() bool {
		now, err := f.core.Pods(f.namespace).List(t.Context(), selector)
		d, failed := f.apps.Deployments(f.namespace).Get(t.Context(), name, meta.GetOptions{})
		return err == nil && failed == nil && len(now.Items) == 1 && now.Items[0].UID != pods.Items[0].UID && d.Status.ReadyReplicas == 1
	})
}
