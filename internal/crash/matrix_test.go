//go:build linux

package crash

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/setopsco/setops/pkg/api"
	"github.com/setopsco/setops/pkg/client"
)

// matrix is a house whose stage is led between two sides while its server breaks at every write of the commits.
type matrix struct {
	*house
	sides  [2]*side
	here   *side
	passed string // the last commit that passed
}

func newMatrix(t *testing.T, engine string) *matrix {
	t.Helper()
	h := openHouse(t, engine, (*server).breaks)
	m := &matrix{house: h, sides: sides()}
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

func (m *matrix) there() *side {
	if m.here == m.sides[0] {
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
		m.stage(m.toB()...)
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
}

// endure commits while the server meets these faults, in this order, and is started again whenever it is dead. Then the stage
// must be whole, on the side that the commit's end tells.
func (m *matrix) endure(faults ...string) {
	m.t.Helper()
	m.prepare()
	before := m.newest().ID
	m.meet(stageRef, faults...)
	c := m.newest()
	switch {
	case c.ID == before && !strings.HasSuffix(faults[0], "before enqueue"):
		m.t.Fatal("there is no commit")
	case c.ID != before && c.State == "done":
		m.here.commands, m.passed, m.here = "", c.ID, m.there()
	}
	m.isWhole(m.here)
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
	if err != nil && !strings.HasSuffix(faults[0], "enqueue") && !strings.HasSuffix(faults[0], "claim") {
		m.t.Fatal(err)
	}
	m.await(fmt.Sprintf("%q have happened, and the commit has ended", faults), func() error {
		if !m.isAlive() {
			deaths--
			m.revive(ref)
		}
		if left := m.unmet(); deaths != 0 || len(left) > 0 {
			return fmt.Errorf("yet to come: %d deaths, %q", deaths, left)
		}
		if c, err := m.client.Commits(m.t.Context(), ref, 1); err != nil || len(c) > 0 && c[0].FinishedAt == nil {
			return fmt.Errorf("%+v, %w", c, err)
		}
		return nil
	})
}

// revive starts the server again. It may die before it is ready.
func (m *matrix) revive(ref client.StageRef) {
	m.t.Helper()
	m.awaitEnd()
	if ref == stageRef {
		m.outlives()
	}
	m.launch()
	select {
	case <-m.life.ended:
	case <-m.life.ready:
		if c := m.newest(); ref == stageRef && len(m.unmet()) == 0 && c.State != "queued" {
			m.serving()
		}
	case <-time.After(patience):
		m.t.Fatal("the server is not ready; log:\n", m.logged())
	}
}

// newest gives the last commit of the stage.
func (m *matrix) newest() (c api.CommitSummary) {
	m.t.Helper()
	all, err := m.client.Commits(m.t.Context(), stageRef, 1)
	must(m.t, err)
	if len(all) > 0 {
		c = all[0]
	}
	return c
}

// faultsOf lists the faults of the steps of a plan: at each the server is killed before it is begun, when only the journal
// knows of it, when it is done and the journal does not know, and when that knows; and the journal cannot be written.
func faultsOf(plan api.Plan) (all [][]string) {
	for _, s := range plan.Steps {
		for _, moment := range []string{
			"kill before begin ", "kill after begin ", "kill before done ", "kill after done ", "fail before begin ", "fail before done ",
		} {
			all = append(all, []string{moment + placeOf(s)})
		}
	}
	return all
}

// allFaults are those of a commit on its way, besides those of its steps.
func otherFaults() (all [][]string) {
	for _, point := range []string{"enqueue", "claim", "phase planning", "journal", "phase applying", "pass", "end done"} {
		for _, moment := range []string{"kill before ", "kill after ", "fail before ", "fail after "} {
			all = append(all, []string{moment + point})
		}
	}
	undone := "fail before done await web"
	for _, next := range []string{
		"kill before phase undoing", "kill after phase undoing", "fail before phase undoing", "kill before end failed",
		"kill after end failed", "fail before end failed", "fail after end failed",
	} {
		all = append(all, []string{undone, next})
	}
	for _, next := range []string{"take over", "end failed"} { // of the next process
		all = append(
			all, []string{"kill before done await web", "kill before " + next}, []string{"kill before done await web", "kill after " + next},
			[]string{"kill before done run task of api", "kill before " + next}, []string{"kill before done run task of api", "kill after " + next},
		)
	}
	return append(
		all, []string{"kill after pass", "kill before take over"}, []string{"kill after pass", "kill after take over"},
		[]string{"kill after pass", "kill before end done"}, []string{"kill after pass", "kill after end done"},
		[]string{"kill before done remove web", "kill before done remove web"},
	)
}

func TestAStageIsBeforeOrBehindACommitWhereverTheServerBreaks(t *testing.T) {
	onEachEngine(t, func(t *testing.T, engine string) {
		m := newMatrix(t, engine)
		m.prepare()
		plan, err := m.client.Plan(t.Context(), stageRef)
		must(t, err)
		todo := slices.Concat(faultsOf(plan), otherFaults())
		for _, faults := range todo {
			began := time.Now()
			m.endure(faults...)
			t.Logf("%q: side %s; %s", faults, m.here.name, time.Since(began).Round(time.Millisecond))
			if m.here != m.sides[0] {
				m.prepare()
				m.meet(stageRef)
				m.here.commands, m.passed, m.here = "", m.newest().ID, m.there()
				m.isWhole(m.here)
			}
		}
		m.destroy()
	})
}
