package kubernetes

import (
	"context"
	"sync"
	"time"

	core "k8s.io/api/core/v1"

	"github.com/setopsco/setops/internal/engine/kubernetes/object"
	"github.com/setopsco/setops/internal/engine/verdict"
)

// attendant follows one pod from when it is known until it is gone and all of its tasks are STOPPED. One goroutine runs its
// loop; what takes time (checks, draining, shipping logs) is done beside it and reported by a channel.
type attendant struct {
	e   *Engine
	key string // the id of a one-off task, else the pod's uid
	gen *generation

	mu   sync.Mutex
	next *core.Pod // the newest, not looked at yet
	gone bool
	wake chan struct{}

	pod        *core.Pod // nil: there is none yet
	tasks      map[int]*task
	current    *task // the newest
	checks     *checks
	told       chan string // the reason why the newest task is to end
	drained    chan struct{}
	leaving    bool      // it was told to the cluster that it ends, or is about to be
	toldAt     time.Time // when the cluster sent SIGTERM
	newest     int       // the number of the current run
	unread     bool      // its node did not have the secret that images are pulled with
	writtenOff bool      // its node does not answer, and it was removed in its stead
	cause      string    // why the run before it ended
	beside     sync.WaitGroup

	limit, sigterm, again, look, unjoined, overdue <-chan time.Time
}

// attend makes sure that somebody follows a pod, and hands it over. e.mu is not held.
func (e *Engine) attend(pod *core.Pod, gone bool) {
	key := keyOf(pod)
	e.mu.Lock()
	a := e.attendants[key]
	_, dropped := e.dropped[key]
	if gone {
		delete(e.dropped, key)
	}
	// Events come late: what they tell may be over.
	if a == nil && (gone || dropped || e.closed || e.podNamed(pod.Namespace, pod.Name) == nil) {
		e.mu.Unlock()
		return
	}
	if a == nil {
		a = e.newAttendant(key, nil)
	}
	e.mu.Unlock()
	a.hand(pod, gone)
}

// newAttendant begins to follow. First is a one-off task whose pod is still to be made, or nil. e.mu is held.
func (e *Engine) newAttendant(key string, first *task) *attendant {
	a := &attendant{
		e: e, key: key, wake: make(chan struct{}, 1), tasks: map[int]*task{}, told: make(chan string, 1), drained: make(chan struct{}, 1),
	}
	e.attendants[key] = a
	e.wg.Go(func() {
		if first != nil {
			a.own(first, 0)
			a.look = time.After(unmadeSoon)
		}
		a.live()
	})
	return a
}

func keyOf(pod *core.Pod) string {
	if id := pod.Labels[object.LabelTask]; id != "" {
		return id
	}
	return string(pod.UID)
}

// hand gives the attendant the newest state of its pod.
func (a *attendant) hand(pod *core.Pod, gone bool) {
	a.mu.Lock()
	a.next, a.gone = pod, gone
	a.mu.Unlock()
	select {
	case a.wake <- struct{}{}:
	default:
	}
}

func (a *attendant) take() (pod *core.Pod, gone bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.next, a.gone
}

// tell has the newest task end.
func (a *attendant) tell(reason string) {
	select {
	case a.told <- reason:
	default: // it was told already
	}
}

func (a *attendant) live() {
	defer a.bury()
	life, cancel := context.WithCancel(a.e.ctx)
	defer cancel()
	a.checks = newChecks(life, a)
	for !a.over() {
		select {
		case <-a.e.ctx.Done():
			return
		case <-a.wake:
			if pod, _ := a.take(); pod != nil {
				a.pod = pod
				a.follow()
			}
		case reason := <-a.told:
			a.stop(reason)
		case <-a.drained:
			a.remove()
		case <-a.limit:
			a.stop("stopped: it ran for its limit of " + a.current.limit.String())
		case <-a.sigterm:
			a.sigterm = nil
			a.leave()
		case <-a.again:
			a.again = nil
			a.remove()
		case <-a.unjoined:
			a.giveUp()
		case <-a.overdue:
			a.overdue = nil
			a.writeOff()
		case <-a.look:
			a.look = nil
			a.lookAgain()
		case <-a.checks.late:
			a.late()
		case <-a.checks.due():
			a.checks.run()
		case r := <-a.checks.results:
			a.checks.judge(r)
		}
		a.advance()
	}
}

// over reports whether there is nothing to follow any more.
func (a *attendant) over() bool {
	_, gone := a.take()
	if a.pod == nil && a.current == nil {
		return gone
	}
	for _, t := range a.tasks {
		if !t.isOver() {
			return false
		}
	}
	return gone || a.gen == nil
}

// bury waits for what is done beside, and lets go of the pod.
func (a *attendant) bury() {
	a.beside.Wait()
	a.e.mu.Lock()
	defer a.e.mu.Unlock()
	if a.e.attendants[a.key] == a {
		delete(a.e.attendants, a.key)
	}
	if a.gen != nil {
		delete(a.gen.attendants, a)
		a.e.forgetIfGone(a.gen)
	}
}

// follow takes in what the pod says.
func (a *attendant) follow() {
	_, gone := a.take()
	for _, r := range runsOf(a.pod) {
		t := a.task(r)
		switch {
		case t.isOver():
		case r.exit != nil:
			a.ended(t, r)
		case r.waits:
			a.waits(t, r)
		default:
			a.runs(t, r)
		}
	}
	if a.pod.DeletionTimestamp != nil {
		a.leave()
		a.awaitEnd()
	}
	if gone {
		a.vanished()
	}
	a.health()
}

// lookAgain is for what the cluster tells nothing of: that time has passed, or that a pod cannot be made.
func (a *attendant) lookAgain() {
	if a.pod != nil {
		a.follow()
		return
	}
	a.unborn()
}

// vanished ends tasks of a pod that is not there any more and did not say how they ended.
func (a *attendant) vanished() {
	for _, t := range a.tasks {
		if t.isOver() {
			continue
		}
		exit := verdict.Exit{Lost: true, At: time.Now()}
		if t.StartedAt.IsZero() {
			exit = verdict.Exit{Unrun: "its pod was deleted before it began", At: exit.At}
		}
		a.ended(t, run{exit: &exit})
	}
}
