package kubernetes

import (
	"context"
	"time"

	"github.com/setopsco/setops/internal/engine/kubernetes/isolation"
)

// How often it is looked whether the cluster enforces network policies: they are a property of its network, which hardly ever changes.
const (
	isolationAgain   = 24 * time.Hour
	isolationUnknown = time.Hour
)

// isolate looks, and says it in the log where it is another finding than before.
func (e *Engine) isolate() {
	for {
		f := e.lookAtIsolation(e.ctx)
		if e.ctx.Err() != nil {
			return
		}
		e.noteIsolation(f)
		wait := isolationAgain
		if f.Verdict == isolation.Unknown {
			wait = isolationUnknown
		}
		select {
		case <-e.ctx.Done():
			return
		case <-time.After(wait):
		}
	}
}

func (e *Engine) lookAtIsolation(ctx context.Context) isolation.Finding {
	program, err := isolation.Own(ctx, e.api, e.cfg.Namespace, e.cfg.ProbeArgs...)
	if err != nil {
		return isolation.Finding{Verdict: isolation.Unknown, Reason: err.Error(), At: time.Now().UTC()}
	}
	return isolation.Check(ctx, isolation.Config{API: e.api, Namespace: e.cfg.Namespace, Installation: e.cfg.Installation, Program: program})
}

func (e *Engine) noteIsolation(f isolation.Finding) {
	e.mu.Lock()
	before := e.isolation
	e.isolation = f
	e.mu.Unlock()
	if before.Verdict == f.Verdict && before.Reason == f.Reason {
		return
	}
	switch f.Verdict {
	case isolation.Unenforced:
		e.cfg.Logger.Warn("the cluster does not enforce network policies: tasks of a stage can be called by those of all others, and by whatever "+
			"else runs there; give it a network that does, as Calico or Cilium", "because", f.Reason)
	case isolation.Enforced:
		e.cfg.Logger.Info("the cluster enforces network policies", "because", f.Reason)
	default:
		e.cfg.Logger.Info("it is not known whether the cluster enforces network policies", "because", f.Reason)
	}
}

// Isolation is what is known of the cluster's network policies. It has no verdict as long as it is looked for the first time.
func (e *Engine) Isolation() isolation.Finding {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.isolation
}

// NameServers are the addresses of those that tasks ask for private names; none: tasks ask the cluster's.
func (e *Engine) NameServers() []string { return e.knownNames() }
