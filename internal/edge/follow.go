package edge

import (
	"github.com/setopsco/setops/internal/edge/published"
	"github.com/setopsco/setops/internal/router"
)

// follow takes in an object that is there, has changed, or is gone.
func (e *Edge) follow(o published.Object, gone bool) {
	var err error
	switch o.Kind {
	case published.KindStage:
		err = e.followStage(o, gone)
	case published.KindIndex:
		err = e.followIndex(o, gone)
	case published.KindCertificate:
		err = e.followCertificate(o, gone)
	case published.KindKey:
		e.followKey(o, gone)
	}
	if err != nil {
		e.log.Error("what was published cannot be used; this router goes on with what it has", "object", o.Name, "error", err)
	}
}

// followStage has the router serve the routes of a stage, all of them in one step. Older ones never replace newer ones.
func (e *Edge) followStage(o published.Object, gone bool) error {
	s, err := published.ReadStage(o)
	if err != nil {
		return err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	have, has := e.stages[s.ID]
	switch {
	case gone && has:
		delete(e.stages, s.ID)
		delete(e.tasks, s.ID)
		e.router.Set(s.ID, router.Routes{})
	case gone, has && o.Version.Before(have):
		return nil
	default:
		e.stages[s.ID] = o.Version
		if !e.tried {
			e.tasks[s.ID] = s.Tasks()
		}
		e.router.Set(s.ID, s.Routes.Table())
	}
	e.announce()
	return nil
}

// announce wakes who waits for what is followed. e.mu is held.
func (e *Edge) announce() {
	close(e.changed)
	e.changed = make(chan struct{})
}

func (e *Edge) followIndex(o published.Object, gone bool) error {
	if gone { // setopsd puts it back
		return nil
	}
	i, err := published.ReadIndex(o)
	if err != nil {
		return err
	}
	e.index.Store(&i)
	e.mu.Lock()
	defer e.mu.Unlock()
	e.announce()
	return nil
}

func (e *Edge) followKey(o published.Object, gone bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !gone {
		e.key = published.ReadKey(o)
	}
}

// sync is called once all that was there at the start was followed.
func (e *Edge) sync() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.synced = true
	e.announce()
}

// hasAll reports whether the table has everything: what was there at the start, and setopsd has written all of it some time. e.mu is held.
func (e *Edge) hasAll() bool {
	i := e.index.Load()
	return e.synced && i != nil && i.Complete
}

// reached reports whether at least a version of a stage's routes is served, and gives what is closed at the next change.
func (e *Edge) reached(d published.Drain) (bool, <-chan struct{}) {
	e.mu.Lock()
	defer e.mu.Unlock()
	have, has := e.stages[d.Stage]
	switch {
	case !e.synced:
		return false, e.changed
	case d.Removed:
		return !has || d.Version.Before(have), e.changed
	}
	return has && !have.Before(d.Version), e.changed
}
