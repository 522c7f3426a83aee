//go:build linux

package crash

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/setopsco/setops/internal/setops"
	"github.com/setopsco/setops/pkg/api"
)

// moment is one of a commit.
type moment struct {
	name    string
	came    func(api.Progress) bool // nil: after pause
	pause   time.Duration
	drained bool // behind the end, while old tasks wait for their last requests
}

func in(phase string, done int) moment {
	return moment{name: fmt.Sprintf("%s (%d)", phase, done), came: func(p api.Progress) bool {
		return p.State != "running" || p.Phase == phase && p.Done >= done || rank(p.Phase) > rank(phase)
	}}
}

// rank orders the phases.
func rank(phase string) int {
	return slices.Index([]string{"initializing", "planning", "applying"}, phase)
}

// moments are those that a server is killed at: each phase, each step, the end, what is behind it, and any.
func moments(steps int, length time.Duration) []moment {
	all := []moment{in("initializing", 0), in("planning", 0)}
	for done := range steps {
		all = append(all, in("applying", done))
	}
	all = append(all, moment{name: "done", came: func(p api.Progress) bool { return p.State != "running" }}, moment{name: "draining", drained: true})
	r := rand.New(rand.NewPCG(*seed, 0))
	for range *random {
		pause := time.Duration(r.Int64N(int64(length)))
		all = append(all, moment{name: "after " + pause.String(), pause: pause})
	}
	return all
}

func TestAServerKilledInACommitLeavesTheStageBeforeOrBehindIt(t *testing.T) {
	onEachEngine(t, func(t *testing.T, engine string) {
		h := newHouse(t, engine, nil)
		steps, length := h.measure()
		all := moments(steps, length)
		if engine == "docker" { // which takes long, and differs in no phase
			all = slices.DeleteFunc(all, func(m moment) bool { return m.came != nil && rand.IntN(3) > 0 })
		}
		for _, m := range all {
			began := time.Now()
			h.stageVersion()
			id, passed := h.commitUntil(m)
			h.outlived()
			h.start()
			h.judge(id, passed)
			h.settle()
			t.Logf("%s: version %d serves, %d is staged; %s", m.name, h.live, h.staged, time.Since(began).Round(time.Millisecond))
		}
		h.stageVersion()
		h.commit()
		h.serves(h.live)
		h.settle()
		h.destroy()
	})
}

// measure commits once and says how many steps that has, and how long it takes.
func (h *house) measure() (steps int, length time.Duration) {
	h.t.Helper()
	h.stageVersion()
	began := time.Now()
	c, err := h.client.StartCommit(h.t.Context(), stageRef)
	must(h.t, err)
	last, err := h.client.WatchCommit(h.t.Context(), stageRef, c.ID, func(api.Progress) {})
	must(h.t, err)
	if last.State != "done" {
		h.t.Fatalf("%+v", last.Failure)
	}
	h.live = h.staged
	length = time.Since(began)
	h.serves(h.live)
	h.settle()
	return last.Total, length
}

// commitUntil commits what is staged and kills the server at that moment. It says whether the commit was done by then.
func (h *house) commitUntil(m moment) (id string, passed bool) {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(h.t.Context(), 2*patience)
	defer cancel()
	if m.drained {
		defer h.linger(ctx)()
	}
	c, err := h.client.StartCommit(ctx, stageRef)
	must(h.t, err)
	if m.pause > 0 {
		time.Sleep(m.pause) // any moment will do
		h.kill()
		return c.ID, false
	}
	came := m.came
	if m.drained {
		came = func(p api.Progress) bool { return p.State != "running" }
	}
	killed := false
	last, err := h.client.WatchCommit(ctx, stageRef, c.ID, func(p api.Progress) {
		if !killed && came(p) {
			if m.drained {
				h.awaitDraining(ctx)
			}
			h.kill()
			killed = true
			passed = p.State == "done"
			cancel()
		}
	})
	if !killed {
		h.t.Fatalf("the commit ended at %+v, %v", last, err)
	}
	return c.ID, passed
}

// linger has a request in flight, which the old task of web ends with. What it returns waits for it.
func (h *house) linger(ctx context.Context) (wait func()) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, h.hostOf("web")+"/slow/1m", nil)
	must(h.t, err)
	req.Host, req.URL.Host = req.URL.Host, h.router()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if res, err := http.DefaultClient.Do(req); err == nil { // it is cut by the end of the server
			res.Body.Close() //nolint:errcheck // nothing is read
		}
	}()
	return func() { <-ended }
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
		version, err := h.ask("http://" + task.Address + "/env/VERSION")
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
		if c, err = h.client.Commit(h.t.Context(), stageRef, id); err == nil && c.State == "running" {
			err = errors.New("it runs")
		}
		return err
	})
	if isDone := c.State == "done"; isDone != (h.live == after) {
		h.t.Errorf("the commit is %s, and version %d serves", c.State, h.live)
	}
	staged, err := h.client.Changeset(h.t.Context(), stageRef)
	var refused *api.ServiceError
	switch {
	case h.live == after && (!errors.As(err, &refused) || refused.Code != "ChangesetDoesNotExist"):
		h.t.Errorf("the changeset is live, and there is %+v, %v", staged, err)
	case h.live == before && (err != nil || len(staged.Commands) != len(apps)):
		h.t.Errorf("the changeset is not live, and there is %+v, %v", staged, err)
	}
}
