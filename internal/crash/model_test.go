//go:build linux

package crash

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/setopsco/setops/internal/setops"
	"github.com/setopsco/setops/pkg/api"
)

// isWhole waits until the stage is a side and nothing else: nothing goes on, and nothing is left of another.
func (m *matrix) isWhole(s *side) {
	m.t.Helper()
	if !s.known {
		m.learn(s)
	}
	m.await("the stage is side "+s.name+", and nothing else", func() error {
		for _, wrong := range []func(*side) error{
			m.commitsHaveEnded, m.tasksAre, m.doorsAre, m.shapeIs, m.changesetIs, m.planIs, m.rowsAre, m.filesAre, m.portsAre, m.tracesAre,
		} {
			if err := wrong(s); err != nil {
				return err
			}
		}
		return nil
	})
}

// learn keeps what a side looks like when it is reached for the first time, without any fault.
func (m *matrix) learn(s *side) {
	m.t.Helper()
	m.await("the tasks of side "+s.name+" run", func() error { return errors.Join(m.tasksAre(s), m.rowsAre(s), m.filesAre(s), m.objectsAre(s)) })
	var err error
	s.shape, err = m.shape(s)
	must(m.t, err)
	s.traces = m.traces()
	s.known = true
}

func (m *matrix) commitsHaveEnded(*side) error {
	all, err := m.client.Commits(m.t.Context(), stageRef, 100)
	for _, c := range all {
		if c.FinishedAt == nil || c.State != "done" && c.State != "failed" {
			err = fmt.Errorf("commit %s is %s", c.ID, c.State)
		}
	}
	return err
}

func (m *matrix) tasksAre(s *side) error {
	for app, want := range s.tasks {
		tasks, err := m.client.Tasks(m.t.Context(), appRef(app))
		if err != nil {
			return err
		}
		tasks = slices.DeleteFunc(tasks, func(t api.Task) bool { return t.Status == "STOPPED" })
		other := slices.ContainsFunc(tasks, func(t api.Task) bool { return t.Status != "RUNNING" || t.Health == "UNHEALTHY" || t.OneOff })
		if len(tasks) != want || other {
			return fmt.Errorf("app %s has %d of %d tasks: %+v", app, len(tasks), want, tasks)
		}
	}
	return nil
}

func (m *matrix) doorsAre(s *side) error {
	doors, err := m.publicPorts(s)
	if err != nil {
		return err
	}
	maps.Copy(doors, m.doors(s))
	for door, version := range doors {
		if err := m.opens(door, version); err != nil {
			return err
		}
	}
	return nil
}

func (m *matrix) shapeIs(s *side) error {
	now, err := m.shape(s)
	if err == nil && now != s.shape {
		err = fmt.Errorf("the API says %s, and said %s", now, s.shape)
	}
	return err
}

// shape is what the API says of the stage, without times, numbers of ports, and those of releases of apps that are made anew.
func (m *matrix) shape(s *side) (string, error) {
	ctx := m.t.Context()
	names, err := m.client.Apps(ctx, stageRef)
	if err != nil {
		return "", err
	}
	all := map[string]any{}
	for _, name := range names {
		a, err := m.client.App(ctx, appRef(name.Name))
		if err != nil {
			return "", err
		}
		releases, err := m.client.Releases(ctx, appRef(name.Name))
		if err != nil {
			return "", err
		}
		if a.Status = (api.AppStatus{}); !slices.Contains(versioned, name.Name) {
			a.ActiveRelease = min(a.ActiveRelease, 1)
		}
		all[name.Name] = []any{a, len(releases)}
	}
	if len(all) != len(s.tasks) {
		return "", fmt.Errorf("the apps are %v", names)
	}
	text, err := json.Marshal(all)
	return string(text), err
}

// changesetIs looks whether what led away from here is still staged, in order, where a commit of it was undone.
func (m *matrix) changesetIs(s *side) error {
	text, err := m.changeset()
	if err == nil && text != s.commands {
		err = fmt.Errorf("staged is %s, and was %s", text, s.commands)
	}
	return err
}

// changeset gives the staged commands; empty: there are none.
func (m *matrix) changeset() (string, error) {
	c, err := m.client.Changeset(m.t.Context(), stageRef)
	if err != nil {
		return "", unless(err, "ChangesetDoesNotExist")
	}
	text, err := json.Marshal(c.Commands)
	return string(text), err
}

// planIs looks whether an unchanged stage has an empty plan, and one with a changeset that was kept the same plan as before.
func (m *matrix) planIs(s *side) error {
	p, err := m.client.Plan(m.t.Context(), stageRef)
	if err != nil {
		return err
	}
	want := s.steps
	if s.commands == "" {
		want = nil
	}
	if got := places(p); !slices.Equal(got, want) {
		err = fmt.Errorf("the plan is %q, not %q", got, want)
	}
	return err
}

func places(p api.Plan) (all []string) {
	for _, s := range p.Steps {
		all = append(all, placeOf(s))
	}
	return all
}

// filesAre looks at what the engine knows of tasks: there is a record of each that runs. Those of tasks that have ended stay for
// a while, and logs longer; but nothing stays of an app that the last commit has destroyed.
func (m *matrix) filesAre(s *side) error {
	left := maps.Clone(s.tasks)
	for _, task := range m.records() {
		if _, there := left[task.App]; !there && m.arrived {
			return fmt.Errorf("there is a record of task %s of app %s", task.ID, task.App)
		}
		if task.Status != setops.Stopped {
			left[task.App]--
		}
	}
	for app, n := range left {
		if n != 0 {
			return fmt.Errorf("of app %s, %d records of tasks that run are missing", app, n)
		}
	}
	logs, err := filepath.Glob(m.kept("logs", "*", "*"))
	for _, dir := range logs {
		if _, there := s.tasks[filepath.Base(dir)]; !there && m.arrived {
			err = fmt.Errorf("there are logs in %s", dir)
		}
	}
	return err
}

// portsAre looks whether nothing is listened on but the API's, the router's and those of public tcp apps.
func (m *matrix) portsAre(s *side) error {
	if open := taken(m.port); len(open) != 2+len(s.ports) {
		return fmt.Errorf("ports that are listened on: %v", open)
	}
	return nil
}

func (m *matrix) tracesAre(s *side) error { return s.traces.differ(m.traces()) }

// serving tells the side that serves, at this very moment, from all doors that have a version.
func (m *matrix) serving() *side {
	m.t.Helper()
	version, err := m.visit(m.hostOf("web") + "/env/VERSION")
	must(m.t, err)
	i := slices.IndexFunc(m.sides[:], func(s *side) bool { return s.version == version })
	if i < 0 {
		m.t.Fatalf("version %d serves", version)
	}
	for door, want := range m.doors(m.sides[i]) {
		if want == nobody { // a name may be answered until what is behind the commit point is done
			continue
		}
		if m.cluster != nil && strings.Contains(door, "/ask/") { // its nodes take a moment
			continue
		}
		if err := m.opens(door, want); err != nil {
			m.t.Errorf("from the ready line on: %v; log:\n%s", err, m.logged())
		}
	}
	return m.sides[i]
}

// outlives asks the versioned apps where their tasks are, with no server and no router: all of one side must answer.
func (m *matrix) outlives() {
	m.t.Helper()
	answered := map[int]map[string]bool{1: {}, 2: {}}
	for _, task := range m.records() {
		if task.Status != setops.Running || task.Desired != setops.Running || !slices.Contains(m.versioned(), task.App) || task.OneOff() {
			continue
		}
		version, err := m.visit("http://" + task.Address + "/env/VERSION")
		if err != nil || answered[version] == nil {
			m.t.Errorf("with the server dead, task %s of %s answers version %d, %v", task.ID, task.App, version, err)
			continue
		}
		answered[version][task.App] = true
	}
	if all := len(m.versioned()); len(answered[1]) != all && len(answered[2]) != all {
		m.t.Errorf("with the server dead, these answer: %v", answered)
	}
}
