//go:build linux

package crash

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/setopsco/setops/pkg/api"
	"github.com/setopsco/setops/pkg/client"
)

// matrix is a house whose stage is led between two sides while its server breaks at every write of the commits.
type matrix struct {
	*house
	sides   [2]*side
	here    *side
	passed  string               // the last commit that passed
	arrived bool                 // whether that was the last of all
	todo    map[*side][][]string // faults that commits away from a side have yet to meet; nil: it was never reached
}

func newMatrix(t *testing.T, engine string) *matrix {
	t.Helper()
	h := openHouse(t, engine, (*server).breaks)
	m := &matrix{house: h, sides: sides(engine), todo: map[*side][][]string{}}
	m.build()
	m.here = m.sides[0]
	m.isWhole(m.here)
	return m
}

// breaks gives the server the program that breaks where it is told to.
func (s *server) breaks() {
	s.t.Helper()
	program, err := breakable()
	must(s.t, err)
	must(s.t, os.Remove(s.program))
	must(s.t, os.Link(program, s.program))
}

// arm lists the faults that the server is to meet, each once.
func (s *server) arm(faults ...string) {
	s.t.Helper()
	must(s.t, os.WriteFile(s.faults, []byte(strings.Join(faults, "\n")), 0o600))
}

// unmet lists the faults that the server has not met yet.
func (s *server) unmet() (faults []string) {
	s.t.Helper()
	text, err := os.ReadFile(s.faults)
	must(s.t, err)
	return strings.FieldsFunc(string(text), func(r rune) bool { return r == '\n' })
}

func (m *matrix) there() *side { return m.other(m.here) }

func (m *matrix) other(s *side) *side {
	if s == m.sides[0] {
		return m.sides[1]
	}
	return m.sides[0]
}

// prepare stages what leads to the other side, unless it is staged still.
func (m *matrix) prepare() {
	m.t.Helper()
	if m.here.commands != "" {
		return
	}
	if m.here == m.sides[0] {
		m.stageThose(m.toB()...)
	} else {
		_, err := m.client.Revert(m.t.Context(), stageRef, m.passed, api.Revert{})
		must(m.t, err)
	}
	var err error
	m.here.commands, err = m.changeset()
	must(m.t, err)
	p, err := m.client.Plan(m.t.Context(), stageRef)
	must(m.t, err)
	m.here.steps = places(p)
	if m.todo[m.here] == nil {
		m.todo[m.here] = m.faults(p)
	}
}

// walk leads the stage to and fro until its commits have met all faults.
func (m *matrix) walk() {
	m.t.Helper()
	for m.prepare(); len(m.todo[m.here])+len(m.todo[m.there()]) > 0 || m.todo[m.there()] == nil; m.prepare() {
		var faults []string
		if todo := m.todo[m.here]; len(todo) > 0 {
			faults, m.todo[m.here] = todo[0], todo[1:]
		}
		began, from := time.Now(), m.here
		m.endure(faults...)
		m.t.Logf("%s → %s, %q: it is %s; %s", from.name, m.other(from).name, faults, m.here.name, time.Since(began).Round(time.Millisecond))
	}
}

// endure commits while the server meets these faults, in this order, and is started again whenever it is dead. Then the stage
// must be whole, on the side that the commit's end tells.
func (m *matrix) endure(faults ...string) {
	m.t.Helper()
	before := m.newest(stageRef).ID
	m.meet(stageRef, faults...)
	c := m.newest(stageRef)
	m.arrived = c.ID != before && c.State == "done"
	switch {
	case c.ID == before && !startsAt(faults, "before enqueue"):
		m.t.Fatal("there is no commit")
	case m.arrived:
		m.here.commands, m.passed, m.here = "", c.ID, m.there()
	case len(faults) == 0:
		m.t.Fatalf("the commit is %s; log:\n%s", c.State, m.logged())
	}
	m.isWhole(m.here)
}

// startsAt reports whether the first fault is at a point.
func startsAt(faults []string, point string) bool {
	return len(faults) > 0 && strings.HasSuffix(faults[0], point)
}

// meet commits what is staged on a stage, and returns when the server has met all faults and the commit has ended.
func (m *matrix) meet(ref client.StageRef, faults ...string) {
	m.t.Helper()
	deaths := 0
	for _, fault := range faults {
		if strings.HasPrefix(fault, "kill ") {
			deaths++
		}
	}
	m.arm(faults...)
	_, err := m.client.StartCommit(m.t.Context(), ref, api.StartCommit{})
	// The answer may be lost with a server that dies, however soon; whether there is a commit is looked at in the end.
	if err != nil && deaths == 0 && !startsAt(faults, "enqueue") && !startsAt(faults, "claim") {
		m.t.Fatal(err)
	}
	for ; deaths > 0; deaths-- {
		m.await(fmt.Sprintf("%q strike, and %d of them kill", faults, deaths), func() error {
			if m.isAlive() {
				return fmt.Errorf("yet to come: %q", m.unmet())
			}
			return nil
		})
		m.revive(deaths == 1)
	}
	m.await(fmt.Sprintf("%q have struck, and the commit has ended", faults), func() error {
		if left := m.unmet(); len(left) > 0 {
			return fmt.Errorf("yet to come: %q", left)
		}
		if c, err := m.client.Commits(m.t.Context(), ref, 1); err != nil || len(c) > 0 && c[0].FinishedAt == nil {
			return fmt.Errorf("%+v, %w", c, err)
		}
		return nil
	})
}

// revive starts the server again. Unless it is the last time, it may die before it is ready.
func (m *matrix) revive(last bool) {
	m.t.Helper()
	m.awaitEnd()
	m.outlives()
	m.launch()
	if last {
		m.awaitReady()
		if m.newest(stageRef).State != "queued" { // that one is about to run
			m.serving()
		}
		return
	}
	select {
	case <-m.life.ended:
	case <-m.life.ready:
	case <-time.After(patience):
		m.t.Fatal("the server is not ready; log:\n", m.logged())
	}
}

// newest gives the last commit of a stage.
func (m *matrix) newest(ref client.StageRef) (c api.CommitSummary) {
	m.t.Helper()
	all, err := m.client.Commits(m.t.Context(), ref, 1)
	must(m.t, err)
	if len(all) > 0 {
		c = all[0]
	}
	return c
}
