//go:build linux

package system

import (
	"context"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	meta "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/setopsco/setops/internal/daemon"
	"github.com/setopsco/setops/internal/engine/kubernetes/cluster"
	"github.com/setopsco/setops/internal/engine/kubernetes/cluster/clustertest"
	"github.com/setopsco/setops/internal/freeport"
	"github.com/setopsco/setops/internal/kube"
	"github.com/setopsco/setops/pkg/api"
)

// longPatience is for what a cluster waits a minute or two for by itself, before it says that something is lost.
const longPatience = 6 * time.Minute

// broken is a server on a cluster of ours, parts of which can be taken away.
type broken struct {
	*server
	cluster *cluster.Cluster
	api     kube.API
	relay   *relay // between nodes and the server's registry
}

// onCluster opens a server on the cluster that SETOPS_TEST_CLUSTER names.
func onCluster(t *testing.T) *broken {
	t.Helper()
	b := &broken{cluster: clustertest.Ours(t)}
	var err error
	b.api, err = kube.Connect(b.cluster.Kubeconfig())
	must(t, err)
	b.relay = newRelay(t, clustertest.Registry(t))
	b.server = openServerAs(t, "kubernetes", func(c *daemon.Config) {
		c.RegistryAddress, c.RegistryListen = b.relay.address, b.relay.behind
	})
	return b
}

// namespaceOf is where the tasks of a stage are.
func (b *broken) namespaceOf(t *testing.T, st *stage) string {
	t.Helper()
	all, err := b.api.Core.Namespaces().List(t.Context(), meta.ListOptions{LabelSelector: "app.kubernetes.io/managed-by=setops"})
	must(t, err)
	for _, n := range all.Items {
		if n.Annotations["setops.dev/project"] == project && n.Annotations["setops.dev/stage-name"] == st.ref.Stage && n.DeletionTimestamp == nil {
			return n.Name
		}
	}
	t.Fatalf("stage %s has no namespace", st.ref.Stage)
	return ""
}

// relay is an address that leads to another, and can be down.
type relay struct {
	address, behind string

	mu       sync.Mutex
	listener net.Listener
	open     map[net.Conn]bool
	going    sync.WaitGroup
}

func newRelay(t *testing.T, address string) *relay {
	t.Helper()
	behind, err := freeport.Address()
	must(t, err)
	r := &relay{address: address, behind: behind, open: map[net.Conn]bool{}}
	must(t, r.up())
	t.Cleanup(func() { r.down(); r.going.Wait() })
	return r
}

func (r *relay) up() error {
	l, err := net.Listen("tcp", r.address)
	if err != nil {
		return err
	}
	r.mu.Lock()
	r.listener = l
	r.mu.Unlock()
	r.going.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			r.going.Go(func() { r.lead(conn) })
		}
	})
	return nil
}

// down refuses connections, and cuts those that there are.
func (r *relay) down() {
	r.mu.Lock()
	defer r.mu.Unlock()
	_ = r.listener.Close()
	for conn := range r.open {
		_ = conn.Close()
	}
}

func (r *relay) lead(conn net.Conn) {
	defer conn.Close()
	there, err := net.Dial("tcp", r.behind)
	if err != nil {
		return
	}
	defer there.Close()
	r.mu.Lock()
	r.open[conn], r.open[there] = true, true
	r.mu.Unlock()
	defer func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		delete(r.open, conn)
		delete(r.open, there)
	}()
	r.going.Go(func() {
		_, _ = io.Copy(there, conn)
		_ = there.Close()
	})
	_, _ = io.Copy(conn, there)
}

// until waits for a condition that a cluster may take long to meet.
func until(t *testing.T, what string, is func(ctx context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), longPatience)
	defer cancel()
	for {
		err := is(ctx)
		if err == nil {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatalf("%s: not within %s: %v", what, longPatience, err)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// begin stages and commits, and gives what waits for the end.
func (st *stage) begin(t *testing.T, commands ...api.Arguments) (end func() (id string, p api.Progress)) {
	t.Helper()
	_, err := st.StageCommands(t.Context(), st.ref, commands...)
	must(t, err)
	c, err := st.StartCommit(t.Context(), st.ref, api.StartCommit{})
	must(t, err)
	return func() (string, api.Progress) {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), longPatience)
		defer cancel()
		p, err := st.WatchCommit(ctx, st.ref, c.ID, func(api.Progress) {})
		must(t, err)
		return c.ID, p
	}
}

// tasksOf gives the tasks of an app, by their status.
func (st *stage) tasksOf(ctx context.Context, app string) (map[string][]api.Task, error) {
	tasks, err := st.Tasks(ctx, st.app(app))
	if err != nil {
		return nil, err
	}
	by := map[string][]api.Task{}
	for _, one := range tasks {
		by[one.Status] = append(by[one.Status], one)
	}
	return by, nil
}
