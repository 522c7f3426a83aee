//go:build linux

package system

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"testing"

	core "k8s.io/api/core/v1"
	kerrors "k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/setopsco/setops/internal/daemon"
	"github.com/setopsco/setops/internal/engine/kubernetes/cluster/clustertest"
	"github.com/setopsco/setops/internal/kube"
	"github.com/setopsco/setops/pkg/api"
	"github.com/setopsco/setops/pkg/client"
)

// atNodePorts opens a server whose public apps of protocol tcp have ports of the nodes, and a stage that has nothing yet.
func atNodePorts(t *testing.T, low, high int) *stage {
	t.Helper()
	clustertest.Kubeconfig(t)
	s := openServerAs(t, "kubernetes", func(c *daemon.Config) {
		c.TCPServices, c.TCPPorts = "nodeport", fmt.Sprintf("%d-%d", low, high)
	})
	st := &stage{server: s, ref: client.StageRef{ProjectRef: projectRef, Stage: "ports"}}
	_, err := s.CreateStage(t.Context(), st.ref)
	must(t, err)
	return st
}

var queue = []api.Arguments{
	api.AppCreate{Name: "queue"}, api.NetworkSet{Name: "queue", Protocol: new("tcp"), Public: new(true)},
}

// portOf is where the world reaches the app, as its users are told.
func (st *stage) portOf(t *testing.T) (port int) {
	t.Helper()
	domains, err := st.Domains(t.Context(), st.app("queue"))
	must(t, err)
	for _, d := range domains {
		if d.Kind == "default" {
			port = d.Port
		}
	}
	return port
}

// A public app of protocol tcp answers at the nodes, at the port that its users are told, for as long as it is that.
func TestAPublicTCPAppAnswersAtTheNodesOfACluster(t *testing.T) {
	t.Parallel()
	low := 31000 + rand.IntN(1700)
	st := atNodePorts(t, low, low+20)
	st.succeed(t, queue...)
	image, err := appImage()
	must(t, err)
	st.succeed(t, st.release(t, "queue", image, 1)...)
	port := st.portOf(t)
	if port < low || port > low+20 {
		t.Fatalf("the app has port %d", port)
	}
	cluster, err := kube.Connect(st.config.Kubeconfig)
	must(t, err)
	nodes, err := cluster.Core.Nodes().List(t.Context(), meta.ListOptions{})
	must(t, err)
	for _, node := range nodes.Items {
		for _, a := range node.Status.Addresses {
			if a.Type == core.NodeInternalIP {
				at := fmt.Sprintf("http://%s:%d/", a.Address, port)
				until(t, at+" answers", func(ctx context.Context) error { return says(ctx, at, "hello\n") })
			}
		}
	}
	b := &broken{server: st.server, api: cluster}
	services := cluster.Core.Services(b.namespaceOf(t, st))
	_, err = services.Get(t.Context(), "queue-public-tcp-port", meta.GetOptions{})
	must(t, err)
	st.succeed(t, api.NetworkSet{Name: "queue", Public: new(false)})
	if _, err := services.Get(t.Context(), "queue-public-tcp-port", meta.GetOptions{}); !kerrors.IsNotFound(err) {
		t.Errorf("a private app has its Service: %v", err)
	}
}

func says(ctx context.Context, url, want string) error {
	q, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	answer, err := http.DefaultClient.Do(q)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if got, err := io.ReadAll(answer.Body); string(got) != want {
		return fmt.Errorf("it says %q, %v", got, err)
	}
	return nil
}
