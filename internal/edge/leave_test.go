package edge_test

import (
	"net/http"
	"testing"

	"github.com/setopsco/setops/internal/edge"
	"github.com/setopsco/setops/internal/edge/edgetest"
)

func TestARouterThatEndsAnswersWhatItHas(t *testing.T) {
	n := &edgetest.Namespace{}
	r := start(t, n, func(c *edge.Config) { c.Linger = 0 }) // the default: long enough to be asked meanwhile
	p := publisher(t, n, podsOf(r))
	old, entered, goOn := slowTask(t, "web-1")
	p.Set("s1", apps(app("web", old)))
	p.Complete()
	until(t, "ready", func() bool { return r.status("/readyz") == http.StatusNoContent })
	slow := make(chan string, 1)
	go func() { slow <- r.ask("web.example.net", "/slow") }() // ends with the answer
	<-entered
	r.end()
	until(t, "it says that it is not ready", func() bool { return r.status("/readyz") == http.StatusServiceUnavailable })
	if got := r.get("web.example.net"); got != "web-1" {
		t.Errorf("while others learn of it: %s", got)
	}
	close(goOn)
	if got := <-slow; got != "web-1" {
		t.Errorf("what was in flight got %s", got)
	}
	if err := <-r.ended; err != nil {
		t.Error(err)
	}
}
