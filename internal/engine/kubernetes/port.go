package kubernetes

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"syscall"
	"time"

	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	kerrors "k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/engine/kubernetes/object"
	"github.com/setopsco/setops/internal/kube"
	"github.com/setopsco/setops/internal/setops"
)

// OpenPort implements engine.Ports: it makes the Service, so that the cluster's answer is known before anything is switched.
func (e *Engine) OpenPort(ctx context.Context, s setops.StageRef, app string, port int) error {
	l := e.lockLeading(s.ID)
	defer l.mu.Unlock()
	o := object.Stage{StageRef: s, Installation: e.cfg.Installation}.Port(engine.Served{
		App: app, Protocol: setops.TCP, Stream: &engine.Stream{Port: port},
	}, e.cfg.Routing.portType())
	if o == nil {
		return fmt.Errorf("--tcp-services %s has no Services of ports", e.cfg.Routing.TCP)
	}
	if _, err := e.api.Core.Services(o.Namespace).Apply(ctx, o, apply); err != nil {
		return portError(err)
	}
	l.opened[o.Name] = true
	return nil
}

// ClosePort implements engine.Ports.
func (e *Engine) ClosePort(ctx context.Context, s setops.StageRef, app string) error {
	l := e.lockLeading(s.ID)
	defer l.mu.Unlock()
	delete(l.opened, object.PortName(app))
	namespace := object.Namespace(e.cfg.Installation, s)
	return ignoreGone(e.api.Core.Services(namespace).Delete(ctx, object.PortName(app), meta.DeleteOptions{}))
}

// lockLeading gives that of a stage, locked.
func (e *Engine) lockLeading(stageID string) *leading {
	e.mu.Lock()
	l := e.leadingOf(stageID)
	e.mu.Unlock()
	l.mu.Lock()
	return l
}

// noteStreams takes in what is served. l is locked.
func (l *leading) noteStreams() {
	for _, one := range l.served {
		if one.Stream != nil {
			l.streams[one.App] = true
			delete(l.opened, object.PortName(one.App))
		}
	}
}

// portPolicies let the world in to apps that it reaches at a port.
func portPolicies(api kube.API) leader {
	return leaderOf("NetworkPolicy", api.Networking.NetworkPolicies, func(s object.Stage, one engine.Served) (all []*networking.NetworkPolicy) {
		if o := s.PortPolicy(one); o != nil {
			all = append(all, o)
		}
		return all
	})
}

// unbalanced says that nobody balances the load of a Service that asks for it; empty: somebody does, or it does not ask.
func unbalanced(o meta.Object) string {
	if s, ok := o.(*core.Service); ok && s.Spec.Type == core.ServiceTypeLoadBalancer && len(s.Status.LoadBalancer.Ingress) == 0 {
		return "no controller of load balancers has given its Service an address; see what it says with kubectl -n " + s.Namespace + " describe service " + s.Name
	}
	return ""
}

// portError says what to do about a port that the nodes of the cluster do not have, or have for something else.
func portError(err error) error {
	var status kerrors.APIStatus
	if !kerrors.IsInvalid(err) || !errors.As(err, &status) || status.Status().Details == nil {
		return err
	}
	for _, cause := range status.Status().Details.Causes {
		switch {
		case !strings.HasSuffix(cause.Field, ".nodePort"):
		case strings.Contains(cause.Message, "already allocated"):
			return fmt.Errorf("%w: %w", syscall.EADDRINUSE, err)
		default:
			return &setops.Error{Kind: setops.StateError, Code: setops.CommitFailed, Err: err, Message: setops.Printable(
				"the nodes of the cluster do not take connections at such a port; ask the server's operator to set --tcp-ports to a range that they have (" + cause.Message + ")",
			)}
		}
	}
	return err
}

// awaitStreams gives the streams of a generation the time to end that they have everywhere, as nobody tells of a stream that the cluster
// leads whether it is open. Who destroys a stage does not mean to wait for them. It reports false when the engine was closed before.
func (e *Engine) awaitStreams(g *generation) bool {
	l := e.lockLeading(g.Stage.ID)
	has := l.streams[g.App]
	l.mu.Unlock()
	over := time.After(e.cfg.Timings.Drain)
	for has {
		e.mu.Lock()
		tasks, destroyed, changed := len(g.tasks), e.gone[g.Stage.ID], g.changed
		e.mu.Unlock()
		if tasks == 0 || destroyed {
			break
		}
		select {
		case <-changed:
		case <-over:
			return true
		case <-e.ctx.Done():
			return false
		}
	}
	return e.ctx.Err() == nil
}
