//go:build linux

package crash

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/setopsco/setops/internal/setops"
	"github.com/setopsco/setops/pkg/api"
	"github.com/setopsco/setops/pkg/client"
)

// moment is one of a commit.
type moment struct {
	name  string
	came  func(api.Progress) bool
	drain bool          // and old tasks wait for their last requests
	pause time.Duration // from then
	again time.Duration // another kill, so long after the next process was started; 0: none
}

func in(phase string, done int) moment {
	return moment{name: fmt.Sprintf("%s (%d)", phase, done), came: func(p api.Progress) bool {
		return ended(p) || p.Phase == phase && p.Done >= done || rank(p.Phase) > rank(phase)
	}}
}

// rank orders the phases.
func rank(phase string) int {
	return slices.Index([]string{"initializing", "planning", "applying"}, phase)
}

// begun is the moment that a commit's turn has come. One that is killed before it is nobody's: the next server may commit it.
func begun(p api.Progress) bool { return p.State != client.StateQueued }

func ended(p api.Progress) bool { return !client.Live(p.State) }

// moments are those that a server is killed at: each phase, each step, the end, what is behind it, and any.
func moments(steps int, commit, start time.Duration) []moment {
	r := rand.New(rand.NewPCG(*seed, 0))
	within := func(limit time.Duration) time.Duration { return time.Duration(1 + r.Int64N(int64(limit))) }
	all := []moment{in("initializing", 0), in("planning", 0)}
	for done := range steps {
		all = append(all, in("applying", done))
	}
	all = append(all, moment{name: "done", came: ended}, moment{name: "draining", came: ended, drain: true})
	for range *random {
		m := in("applying", steps-1) // nothing but the switch is left
		m.pause = within(commit / 20)
		all = append(all, m, moment{name: "any", came: begun, pause: within(commit), again: within(start)})
	}
	return all
}

func TestAServerKilledInACommitLeavesTheStageBeforeOrBehindIt(t *testing.T) {
	onEachEngine(t, func(t *testing.T, engine string) {
		h := newHouse(t, engine, nil)
		steps, commit, start := h.measure()
		all := moments(steps, commit, start)
		if engine == "docker" { // where each takes long
			r := rand.New(rand.NewPCG(*seed, 2))
			all = slices.DeleteFunc(all, func(m moment) bool { return !m.drain && r.IntN(3) > 0 })
		}
		if engine == "kubernetes" { // where the matrix has the steps
			all = []moment{in("planning", 0), in("applying", steps/2), {name: "done", came: ended}, {name: "draining", came: ended, drain: true}}
		}
		for _, m := range all {
			began := time.Now()
			h.stageVersion()
			id, passed := h.commitUntil(m)
			h.outlived()
			if m.again > 0 {
				h.launch()
				time.Sleep(m.again) // any moment will do
				h.kill()
				h.outlived()
			}
			h.start()
			h.judge(id, passed)
			h.settle()
			t.Logf("%s + %s + %s: version %d serves, %d is staged; %s", m.name, m.pause, m.again, h.live, h.staged, time.Since(began))
		}
		h.stageVersion()
		h.commit()
		h.serves(h.live)
		h.settle()
		h.destroy()
	})
}

// measure says how many steps a commit has, and how long commits and starts of the server take.
func (h *house) measure() (steps int, commit, start time.Duration) {
	h.t.Helper()
	h.stageVersion()
	began := time.Now()
	steps = h.commit().Total
	commit = time.Since(began)
	h.settle()
	h.kill()
	began = time.Now()
	h.start()
	start = time.Since(began)
	h.serves(h.live)
	return steps, commit, start
}

// commitUntil commits what is staged and kills the server at that moment. It says whether the commit was done by then.
func (h *house) commitUntil(m moment) (id string, passed bool) {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(h.t.Context(), 2*patience)
	defer cancel()
	if m.drain {
		defer h.linger(ctx)()
	}
	c, err := h.client.StartCommit(ctx, stageRef, api.StartCommit{})
	must(h.t, err)
	watching, leave := context.WithCancel(ctx)
	defer leave()
	came := false
	last, err := h.client.WatchCommit(watching, stageRef, c.ID, func(p api.Progress) {
		if came = came || m.came(p); came {
			passed = p.State == "done"
			leave()
		}
	})
	if !came {
		h.t.Fatalf("the commit ended at %+v, %v", last, err)
	}
	if m.drain {
		h.awaitDraining(ctx)
	}
	time.Sleep(m.pause) // any moment will do
	h.kill()
	return c.ID, passed
}

// linger has a request in flight, which the old task of web ends with. What it returns waits for it.
func (h *house) linger(ctx context.Context) (wait func()) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, h.hostOf("web")+"/slow/1m", nil)
	must(h.t, err)
	req.Host, req.URL.Host = req.URL.Host, h.router()
	cut := make(chan struct{})
	go func() {
		defer close(cut)
		if res, err := http.DefaultClient.Do(req); err == nil { // it is cut by the end of the server
			res.Body.Close() //nolint:errcheck // nothing is read
		}
	}()
	return func() { <-cut }
}

func (h *house) awaitDraining(ctx context.Context) {
	h.await("a task of web drains", func() error {
		tasks, err := h.client.Tasks(ctx, appRef("web"))
		if err == nil && !slices.ContainsFunc(tasks, func(t api.Task) bool { return t.Status == "DEACTIVATING" }) {
			err = fmt.Errorf("%+v", tasks)
		}
		return err
	})
}

// outlived asks all tasks that serve, where they are: there is no router. Each app must have one of the same version.
func (h *house) outlived() {
	h.t.Helper()
	answered := map[int]map[string]bool{h.live: {}, h.staged: {}}
	for _, task := range h.records() {
		if task.Status != setops.Running || task.Desired != setops.Running {
			continue
		}
		version, err := h.visit("http://" + task.Address + "/env/VERSION")
		if err != nil || answered[version] == nil {
			h.t.Errorf("with the server dead, task %s of %s answers version %d, %v", task.ID, task.App, version, err)
			continue
		}
		answered[version][task.App] = true
	}
	if len(answered[h.live]) != len(apps) && len(answered[h.staged]) != len(apps) {
		h.t.Errorf("with the server dead, these answer: %v", answered)
	}
}

// judge looks whether the stage is what it was or what it should become, from the very moment that the server is ready.
func (h *house) judge(id string, passed bool) {
	h.t.Helper()
	before, after := h.live, h.staged
	h.live = h.serves(before, after)
	if passed && h.live != after {
		h.t.Errorf("the commit was done, and version %d serves", h.live)
	}
	var c api.Commit
	h.await("the commit has ended", func() (err error) {
		if c, err = h.client.Commit(h.t.Context(), stageRef, id); err == nil && client.Live(c.State) {
			err = fmt.Errorf("it is %s", c.State)
		}
		return err
	})
	if isDone := c.State == "done"; isDone != (h.live == after) {
		h.t.Errorf("the commit is %s, and version %d serves", c.State, h.live)
	}
	staged, err := h.client.Changeset(h.t.Context(), stageRef)
	switch {
	case h.live == after && unless(err, "ChangesetDoesNotExist") != nil:
		h.t.Errorf("the changeset is live, and there is %+v, %v", staged, err)
	case h.live == before && (err != nil || len(staged.Commands) != len(apps)):
		h.t.Errorf("the changeset is not live, and there is %+v, %v", staged, err)
	}
}
