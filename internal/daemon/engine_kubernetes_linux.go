package daemon

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime/debug"
	"time"

	"github.com/setopsco/setops/internal/edge/space"
	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/engine/kubernetes"
	"github.com/setopsco/setops/internal/engine/kubernetes/latch"
)

// clusterEngine is an engine with the registry as nodes reach it.
type clusterEngine struct {
	*kubernetes.Engine
	images *imageServer // nil: they use the API's address
}

// Close stops following; tasks go on.
func (e *clusterEngine) Close() error {
	err := e.Engine.Close()
	if e.images == nil {
		return err
	}
	return errors.Join(err, e.images.close())
}

// collectAt is the garbage collector's percentage on a cluster: with thousands of tasks a server keeps a lot, their goroutines' stacks
// count twice, and nearly half of what it has would be garbage.
const collectAt = 50

func openCluster(ctx context.Context, c EngineConfig) (engine.Engine, error) {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(collectAt)
	}
	e := &clusterEngine{}
	routing, err := leadByCluster(ctx, c)
	if err != nil {
		return nil, err
	}
	if e.images, err = serveNodes(c); err != nil {
		return nil, err
	}
	e.Engine, err = kubernetes.New(ctx, kubernetes.Config{
		Dir: filepath.Join(c.Dir, "kubernetes"), Kubeconfig: c.Cluster.Kubeconfig, Installation: c.Instance,
		Namespace: c.Cluster.Namespace, Domain: c.Cluster.Domain, ProbeArgs: []string{listenWord},
		Registry: c.Cluster.Registry, Credentials: c.StageCredentials, Images: c.Images, Latch: latch.Program(),
		Restricted: c.Cluster.Restricted, Callers: c.Cluster.Callers,
		Routing: routing, Holds: c.Cluster.Holds, Drainer: c.Drainer, LogsKept: c.LogsKept, Logger: c.Logger,
	})
	if err == nil {
		return e, nil
	}
	err = fmt.Errorf("open %s engine: %w", kubernetesKind, err)
	if e.images != nil {
		err = errors.Join(err, e.images.close())
	}
	return nil, err
}

// chooseRouting takes the first of Gateway, Ingress, routers in a namespace of their own, and this server, that the cluster has.
func chooseRouting(ctx context.Context, c ClusterConfig, routers, instance string) (*led, error) {
	r, why, err := kubernetes.Choose(ctx, c.Kubeconfig, instance, c.wanted())
	installed := false
	if err == nil && r.By == kubernetes.ByServer {
		installed, err = space.Installed(ctx, c.Kubeconfig, routers)
	}
	if err != nil {
		return nil, fmt.Errorf("lead requests by --routing %s: %w", c.Routing, err)
	}
	if installed {
		return &led{by: routingRouter, because: why + "; there are routers in the namespace " + routers}, nil
	}
	return &led{r.By, r.Gateway, r.IngressClass, why}, nil
}

// wanted is what was asked for.
func (c ClusterConfig) wanted() kubernetes.Routing {
	return kubernetes.Routing{By: c.Routing, Gateway: c.Gateway, IngressClass: c.IngressClass, Issuer: c.Issuer, TCP: c.TCP}
}

// leadByCluster finds out what leads the world to apps.
func leadByCluster(ctx context.Context, c EngineConfig) (kubernetes.Routing, error) {
	routing, why, err := kubernetes.Choose(ctx, c.Cluster.Kubeconfig, c.Instance, c.Cluster.wanted())
	if err != nil {
		return routing, fmt.Errorf("lead requests by --routing %s: %w", c.Cluster.Routing, err)
	}
	if err := kubernetes.CheckPorts(ctx, c.Cluster.Kubeconfig, routing, c.Cluster.Low, c.Cluster.High); err != nil {
		return routing, fmt.Errorf("take connections by --tcp-services %s: %w", c.Cluster.TCP, err)
	}
	c.Logger.Info("routing", "by", routing.String(), "tcp", routing.TCP, "because", cmp.Or(c.Cluster.Because, why))
	return routing, nil
}

// serveNodes answers the nodes of a cluster from before the engine is opened: what is put back may have to be pulled.
func serveNodes(c EngineConfig) (*imageServer, error) {
	if c.Cluster.Listen == "" {
		return nil, nil
	}
	listen := func() (net.Listener, error) { return net.Listen("tcp", c.Cluster.Listen) }
	var l net.Listener
	var err error
	if c.Sockets != nil {
		l, err = c.Sockets.Listen("registry "+c.Cluster.Listen, listen)
	} else {
		l, err = listen()
	}
	if err != nil {
		return nil, fmt.Errorf("listen for nodes, which pull images: %w", err)
	}
	return serveAt(l, c.Registry), nil
}

// leaveCluster refuses to leave tasks behind that nobody would look after.
func leaveCluster(ctx context.Context, c EngineConfig, kind string) error {
	old, err := openCluster(ctx, c)
	if err == nil {
		var o engine.Observed
		if o, err = old.Observe(ctx); err == nil && len(o.Generations) > 0 {
			err = fmt.Errorf("%d generations of it run; scale every app to 0 first", len(o.Generations))
		}
		err = errors.Join(err, old.Close())
	}
	if err != nil {
		return fmt.Errorf("the data directory belongs to the %s engine and not to the %s engine: %w", kubernetesKind, kind, err)
	}
	c.Logger.Info("the data directory has changed its engine", "from", kubernetesKind, "to", kind)
	return nil
}

// serveAt answers with the registry alone.
func serveAt(l net.Listener, registry http.Handler) *imageServer {
	s := &imageServer{
		address: l.Addr().String(), served: make(chan struct{}),
		server: &http.Server{Handler: registry, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute},
	}
	go func() {
		defer close(s.served)
		_ = s.server.Serve(l) // it ends with close
	}()
	return s
}
