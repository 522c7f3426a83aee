package host

import (
	"cmp"
	"crypto/rand"
	"encoding/hex"
	"slices"
	"time"

	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/engine/verdict"
	"github.com/setopsco/setops/internal/setops"
)

// generation is a set of tasks that is kept alive. The supervisor's lock guards all of it.
type generation struct {
	engine.Generation      // only ID, Stage and App where it is not kept
	kept              bool // Ensure was called
	removing          bool // Remove was called
	tasks             []*task
	vacancies         []vacancy     // places whose replacement is not made yet
	missed            int           // tasks that ended before they were RUNNING, since all were
	verdict           *judgement    // why it is out of reach that all are RUNNING
	miss              *judgement    // why the last of missed did not get there
	changed           chan struct{} // closed and made anew at each change
}

// judgement is a failure and the task that met it.
type judgement struct {
	verdict.Failure
	taskID string
}

func newGeneration(id string, stage setops.StageRef, app string) *generation {
	return &generation{
		Generation: engine.Generation{ID: id, Stage: stage, App: app},
		changed:    make(chan struct{}),
	}
}

// running counts the tasks that serve.
func (g *generation) running() int {
	n := 0
	for _, t := range g.tasks {
		if t.active() && t.Status == setops.Running {
			n++
		}
	}
	return n
}

// changed tells everybody who waits that t is not what it was, and lets its generation follow. s.mu is held.
func (s *Supervisor) changed(t *task) {
	if g := t.gen; g != nil {
		s.follow(g)
	}
	s.notify(t.StageID)
}

// follow makes the tasks of a generation what they should be. s.mu is held.
func (s *Supervisor) follow(g *generation) {
	defer func() {
		close(g.changed)
		g.changed = make(chan struct{})
	}()
	g.tasks = slices.DeleteFunc(g.tasks, func(t *task) bool { return t.Status == setops.Stopped })
	if g.removing {
		if len(g.tasks) == 0 {
			delete(s.generations, g.ID)
		}
		return
	}
	if !g.kept {
		if len(g.tasks) == 0 {
			delete(s.generations, g.ID)
		}
		return
	}
	if s.closed {
		return
	}
	s.fill(g)
	trim(g)
	if g.running() >= g.Scale {
		g.missed, g.verdict, g.miss = 0, nil, nil
	}
}

// fill starts what is missing.
func (s *Supervisor) fill(g *generation) {
	active := 0
	for _, t := range g.tasks {
		if t.active() {
			active++
		}
	}
	for ; active < g.Scale; active++ {
		var place vacancy
		if len(g.vacancies) > 0 {
			place, g.vacancies = g.vacancies[0], g.vacancies[1:]
		}
		s.startTask(g, place)
	}
	g.vacancies = nil
}

// trim stops what is too many: of active tasks those that are not RUNNING first, then the youngest; of doomed ones
// those in whose place another runs.
func trim(g *generation) {
	var active, doomed []*task
	for _, t := range g.tasks {
		switch {
		case t.active():
			active = append(active, t)
		case t.doomed != "" && !t.stopping() && !t.Status.Ended():
			doomed = append(doomed, t)
		}
	}
	slices.SortStableFunc(active, func(a, b *task) int {
		return cmp.Or(rank(a)-rank(b), a.CreatedAt.Compare(b.CreatedAt))
	})
	for len(active) > g.Scale {
		last := len(active) - 1
		active[last].requestStop(verdict.ReasonScaled)
		active = active[:last]
	}
	surplus := g.running() + len(doomed) - g.Scale
	for _, t := range doomed[:min(max(surplus, 0), len(doomed))] {
		t.requestStop(t.doomed)
	}
}

func rank(t *task) int {
	if t.Status == setops.Running {
		return 0
	}
	return 1
}

// startTask makes a task of g. s.mu is held.
func (s *Supervisor) startTask(g *generation, place vacancy) {
	t := s.newTask(setops.Task{
		ID: newID(), StageID: g.Stage.ID, App: g.App, Generation: g.ID, Release: g.Release,
		Digest: g.Container.Image.Digest, Status: setops.Provisioning, Desired: setops.Running,
		Health: setops.Unknown, CreatedAt: s.now(),
	}, factsOf(g.Container, g.Stage, g.StopTimeout, 0))
	t.container, t.filled, t.gen = g.Container, place, g
	g.tasks = append(g.tasks, t)
	s.add(t)
	s.wg.Go(func() { s.live(t) })
}

// doom has t replaced: it no longer counts, whether it goes at once or when another can take its place. s.mu is held.
func (s *Supervisor) doom(t *task, cause string, ran time.Duration, f *verdict.Failure) {
	s.left(t, cause, ran, f)
	t.doomed = cause
}

// left notes that t is no longer active by its own doing. Failure is nil for a task that was RUNNING before. s.mu is held.
func (s *Supervisor) left(t *task, cause string, ran time.Duration, f *verdict.Failure) {
	g := t.gen
	if g == nil || t.stopping() || t.doomed != "" {
		return
	}
	if f != nil {
		g.missed++
		g.miss = &judgement{Failure: *f, taskID: t.ID}
		if f.Final || g.missed >= verdict.MostMissed {
			g.verdict = g.miss
		}
	}
	place := s.cfg.Timings.BackOff.after(t.filled, ran, cause, s.now())
	// Later than that the generation has been kept in spite of the verdict.
	place.doubtful = g.verdict != nil && place.failures <= verdict.MostMissed
	g.vacancies = append(g.vacancies, place)
}

// newID makes 32 hexadecimal digits.
func newID() string {
	var raw [16]byte
	rand.Read(raw[:]) //nolint:errcheck // it never fails
	return hex.EncodeToString(raw[:])
}
