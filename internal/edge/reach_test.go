package edge_test

import (
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/setopsco/setops/internal/edge"
	"github.com/setopsco/setops/internal/edge/edgetest"
	"github.com/setopsco/setops/internal/freeport"
	"github.com/setopsco/setops/internal/routing"
)

// Who enforces policies lets a router in some time after it has begun: until then it would answer for apps that it does not reach.
func TestARouterIsReadyOnceTasksTakeItsConnections(t *testing.T) {
	n := &edgetest.Namespace{}
	r := start(t, n, func(c *edge.Config) { c.Reach = time.Hour })
	p := publisher(t, n, podsOf(r))
	address, err := freeport.Address()
	if err != nil {
		t.Fatal(err)
	}
	p.Set("s1", apps(app("web", task(t, "web-1"), routing.Task{ID: "web-2", Address: address})))
	p.Complete()
	until(t, "it tries", func() bool { return strings.Contains(r.whyNotReady(), "does not reach all tasks") })
	l, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	until(t, "ready", func() bool { return r.status("/readyz") == http.StatusNoContent })
}

func TestATaskThatTakesNoConnectionKeepsARouterForAWhileOnly(t *testing.T) {
	n := &edgetest.Namespace{}
	r := start(t, n, func(c *edge.Config) { c.Reach = time.Millisecond })
	p := publisher(t, n, podsOf(r))
	address, err := freeport.Address()
	if err != nil {
		t.Fatal(err)
	}
	p.Set("s1", apps(app("web", routing.Task{ID: "web-1", Address: address})))
	p.Complete()
	until(t, "ready", func() bool { return r.status("/readyz") == http.StatusNoContent })
}

// whyNotReady is what the cluster is told; empty: it is ready, or does not answer yet.
func (r *replica) whyNotReady() string {
	answer, err := r.client.Get("http://" + r.admin + "/readyz")
	if err != nil {
		return ""
	}
	defer answer.Body.Close()
	text, _ := io.ReadAll(answer.Body)
	return string(text)
}
