package kubernetes

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"sync"

	kerrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/engine/kubernetes/object"
	"github.com/setopsco/setops/internal/setops"
)

// leading is what leads requests to the apps of a stage.
type leading struct {
	mu      sync.Mutex // is held while it is written
	served  []engine.Served
	written map[string]engine.Served // by app, as the cluster has it; nil: that is not known
	objects []map[string]imprint     // by leader and name
	opened  map[string]bool          // Services of ports that are kept for apps, and lead to nobody yet
	streams map[string]bool          // apps that the world has reached at a port since this process began
}

// SetServed points the Service of each app at its generation, one request per app after the other: nearer together the API does
// not have it. What leads the world to an app follows. Only what has changed is written; what was written before and is not
// named any more goes.
//
// What the cluster refuses is logged and tried again with the next regular look: whoever called could do nothing else. An error is
// worth another try at once.
func (e *Engine) SetServed(ctx context.Context, stageID string, served []engine.Served) error {
	e.mu.Lock()
	s, known := e.stages[stageID]
	if !known {
		e.mu.Unlock()
		return nil // nothing of it runs
	}
	l := e.leadingOf(stageID)
	e.mu.Unlock()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.served = served
	l.noteStreams()
	return e.lead(ctx, s, l, false)
}

// IsPublic implements engine.Switch.
func (e *Engine) IsPublic() bool { return e.cfg.Routing.isPublic() }

// leadingOf gives that of a stage. e.mu is held.
func (e *Engine) leadingOf(stageID string) *leading {
	l := e.leads[stageID]
	if l == nil {
		l = &leading{opened: map[string]bool{}, streams: map[string]bool{}}
		e.leads[stageID] = l
	}
	return l
}

// mendServed writes all of it again, whatever is known of it.
func (e *Engine) mendServed(ctx context.Context, s setops.StageRef) error {
	e.mu.Lock()
	l := e.leads[s.ID]
	e.mu.Unlock()
	if l == nil {
		return nil // nobody has said yet where requests go
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return e.lead(ctx, s, l, true)
}

// lead writes what has changed, or all of it. l is locked. What goes goes last, so that no request falls between two kinds of objects.
func (e *Engine) lead(ctx context.Context, s setops.StageRef, l *leading, all bool) error {
	o := object.Stage{StageRef: s, Installation: e.cfg.Installation}
	before, had := l.written, l.objects
	if before == nil {
		all, had = true, make([]map[string]imprint, len(e.leaders))
	}
	l.written, l.objects = map[string]engine.Served{}, make([]map[string]imprint, len(e.leaders))
	var failed []error
	for i, leader := range e.leaders {
		l.objects[i] = map[string]imprint{}
		for _, one := range l.served {
			l.written[one.App] = one
			if same := reflect.DeepEqual(before[one.App], one); same && !all {
				keep(l.objects[i], had[i], one.App)
			} else if err := e.put(ctx, leader, o, one, l.objects[i], had[i], same); err != nil {
				failed = append(failed, err)
			}
		}
	}
	for i, leader := range e.leaders {
		failed = append(failed, e.removeOthers(ctx, leader, o, l, i, had[i], all))
	}
	if err := errors.Join(failed...); err != nil {
		l.written = nil
		return e.worthAnotherTry(s, err)
	}
	return nil
}

// worthAnotherTry logs what the cluster refuses for good.
func (e *Engine) worthAnotherTry(s setops.StageRef, err error) error {
	var status kerrors.APIStatus
	if errors.As(err, &status) && (kerrors.IsForbidden(err) || kerrors.IsInvalid(err) || kerrors.IsNotFound(err)) {
		e.cfg.Logger.Error("requests may not be led as they should; it is tried again from time to time", "stage", s.ID, "error", err)
		return nil
	}
	return fmt.Errorf("lead requests of stage %s: %w", s.Name, err)
}

// keep notes that the objects of an app are as they were.
func keep(now, had map[string]imprint, app string) {
	for name, m := range had {
		if m.app == app {
			now[name] = m
		}
	}
}
