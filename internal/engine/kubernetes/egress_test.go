package kubernetes_test

import (
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/engine/kubernetes"
	"github.com/setopsco/setops/internal/engine/kubernetes/cluster/clustertest"
	"github.com/setopsco/setops/internal/setops"
)

// metadata is where clouds tell a machine about itself, and give it its credentials.
const metadata = "169.254.169.254"

// answerMetadata has each node of our cluster answer there as a cloud does, and at the port of name servers too.
func answerMetadata(t *testing.T) {
	t.Helper()
	c := clustertest.Ours(t)
	for i := range c.Nodes {
		listeners, release, err := c.Listen(t.Context(), fmt.Sprintf("node%d", i+1), metadata, 80, 53)
		must(t, err)
		t.Cleanup(func() { must(t, release()) })
		for _, l := range listeners {
			say(t, l, "credentials")
		}
	}
}

// say answers every request with a text, to the end of the test.
func say(t *testing.T, l net.Listener, text string) {
	t.Helper()
	s := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, text) }), ReadHeaderTimeout: time.Minute}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = s.Serve(l) // it ends with the test
	}()
	t.Cleanup(func() {
		_ = s.Close()
		<-done
	})
}

// A cloud gives the credentials of a machine to whoever asks from there: to tasks it does not, and all else they reach as before.
func TestTasksDoNotReachWhatACloudTellsItsMachines(t *testing.T) {
	f := newField(t, func(c *kubernetes.Config) { c.Timings.Mend = time.Hour })
	answerMetadata(t)
	world, err := net.Listen("tcp", clustertest.Ours(t).Host()+":0")
	must(t, err)
	say(t, world, "world")
	g := f.generation()
	g.Container.Env = append(g.Container.Env, "VERSION=1")
	must(t, f.keep(t, g))
	must(t, f.Engine.(engine.Switch).SetServed(t.Context(), f.stage.ID, []engine.Served{
		{App: g.App, Generation: g.ID, Protocol: setops.HTTP, Port: 80},
	}))
	task := f.callerOf(t, f.stage)

	policies := f.api.Networking.NetworkPolicies(f.namespace)
	must(t, policies.Delete(t.Context(), "no-link-local", meta.DeleteOptions{}))
	eventually(t, "without a policy a task gets them", func() bool { return task.ask(t.Context(), metadata, "") == "200 credentials" })
	must(t, f.EnsureStage(t.Context(), f.stage, 0))
	eventually(t, "with it no task does", func() bool { return strings.HasPrefix(task.ask(t.Context(), metadata, ""), "502 ") })

	eventually(t, "the name of an app leads to it", func() bool { return task.ask(t.Context(), "web", "env/VERSION") == "200 1" })
	for address, want := range map[string]string{metadata + ":53": "200 credentials", world.Addr().String(): "200 world"} {
		if got := task.ask(t.Context(), address, ""); got != want {
			t.Errorf("at %s: %s", address, got)
		}
	}
	if got := task.ask(t.Context(), metadata, ""); !strings.HasPrefix(got, "502 ") {
		t.Errorf("a task got %s", got)
	}
}

// The cluster brings credentials for its API into pods, where nobody says that it shall not.
func TestTasksHaveNoCredentialsForTheCluster(t *testing.T) {
	f := newField(t)
	must(t, f.keep(t, f.generation()))
	_, err := f.Run(t.Context(), engine.OneOff{
		ID: randomHex(16), Stage: f.stage, App: "web", Container: engine.Container{Image: f.image, Command: []string{"wait"}, CPU: 128, Memory: 128},
	})
	must(t, err)
	var pods *core.PodList
	eventually(t, "both tasks have pods", func() bool {
		pods, err = f.core.Pods(f.namespace).List(t.Context(), meta.ListOptions{})
		must(t, err)
		return len(pods.Items) == 2
	})
	for _, p := range pods.Items {
		if len(p.Spec.Volumes) > 0 {
			t.Errorf("%s has %+v", p.Name, p.Spec.Volumes)
		}
	}
}
