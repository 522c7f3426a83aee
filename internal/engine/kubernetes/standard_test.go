package kubernetes_test

import (
	"bytes"
	"errors"
	"log/slog"
	"runtime"
	"strings"
	"sync"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/engine/kubernetes"
	"github.com/setopsco/setops/internal/engine/kubernetes/object"
	"github.com/setopsco/setops/internal/setops"
)

// On a restricted stage an image that runs as root is refused with what to do, and one that does not run as root runs.
func TestARestrictedStageRunsNothingAsRoot(t *testing.T) {
	beside(t)
	f := newField(t, func(c *kubernetes.Config) { c.Restricted = everyStage })
	for user, want := range map[string]string{
		"": "the image runs as root, which this stage does not allow; write USER", "nobody": "only a number proves that it is not root", "10001": "",
	} {
		g := f.generation()
		g.Container.Image = f.imageOf(t, user)
		err := f.keep(t, g)
		var gate *engine.GateError
		refused := errors.As(err, &gate)
		switch {
		case want == "" && err != nil:
			t.Errorf("user %q: %v", user, err)
		case want != "" && (!refused || gate.Fault || !strings.Contains(gate.Cause, want)):
			t.Errorf("user %q: %#v", user, err)
		}
		must(t, f.Remove(t.Context(), g.ID, 0))
	}
}

// A stage that is restricted at the next start: what may run is replaced, what may not goes on, and the log says so.
func TestAStageIsRestrictedFromTheNextStartOn(t *testing.T) {
	beside(t)
	f := newField(t)
	rootless, root := f.generation(), f.generation()
	rootless.Container.Image, root.App = f.imageOf(t, "10001"), "old"
	root.ID = "old-" + randomHex(6)
	must(t, f.keep(t, rootless))
	must(t, f.keep(t, root))
	before, old := f.pod(t, rootless), f.pod(t, root)
	must(t, f.Close())

	var log output
	f.open(t, func(c *kubernetes.Config) {
		c.Restricted, c.Logger = everyStage, slog.New(slog.NewTextHandler(&log, nil))
	})
	for _, part := range []string{"stage=" + f.stage.Name, "standard=restricted", "before=baseline"} {
		if !strings.Contains(log.String(), part) {
			t.Errorf("no %s in the log: %s", part, log.String())
		}
	}
	must(t, f.Ensure(t.Context(), rootless))
	must(t, f.Ensure(t.Context(), root))
	eventually(t, "the task that may run is another one", func() bool {
		now := f.pod(t, rootless)
		return now != "" && now != before
	})
	if now := f.pod(t, root); now != old {
		t.Errorf("the task that runs as root was %s and is %s", old, now)
	}
	if n, err := f.core.Namespaces().Get(t.Context(), f.namespace, meta.GetOptions{}); err != nil || n.Labels[object.LabelStandard] != "restricted" {
		t.Errorf("the namespace: %v, %v", n.Labels, err)
	}
}

func everyStage(setops.StageRef) bool { return true }

// imageOf runs as a user.
func (f *field) imageOf(t *testing.T, user string) engine.Image {
	t.Helper()
	return f.store.push(t, f.stage, runtime.GOARCH, v1.Config{Entrypoint: []string{"/testapp"}, User: user})
}

// pod is the one of a generation that is ready and stays; empty: there is none.
func (f *field) pod(t *testing.T, g engine.Generation) string {
	t.Helper()
	pods, err := f.core.Pods(f.namespace).List(t.Context(), meta.ListOptions{LabelSelector: object.LabelGeneration + "=" + g.ID})
	must(t, err)
	for _, pod := range pods.Items {
		ready := len(pod.Status.ContainerStatuses) > 0 && pod.Status.ContainerStatuses[0].Ready
		if ready && pod.DeletionTimestamp == nil {
			return string(pod.UID)
		}
	}
	return ""
}

// output is a log that is read while it is written.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}
