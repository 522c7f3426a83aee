//go:build linux

package crash

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/setopsco/setops/pkg/api"
)

// side is one of the two states that a stage is led between: what it must be when nothing goes on.
type side struct {
	name    string
	version int            // what versioned apps answer
	tasks   map[string]int // by app
	ports   []string       // apps with a TCP port of the router

	known    bool     // whether the rest was looked at
	shape    string   // what the API says of the apps
	traces   traces   // what there is on this machine
	commands string   // what leads away from here
	steps    []string // and the plan of it, by the places of its steps
}

// versioned apps get new tasks with each commit: two are public, one is private, one is public and speaks tcp. The others have
// the same tasks on both sides, or tasks on one side only.
var versioned = []string{"api", "queue", "store", "web"}

// tooMany are apps that a cluster of two cores has no room for, as it reserves CPU for each task. Every kind of step is there without them.
var tooMany = []string{"queue", "shrink", "new"}

// Side B has no app old. The plans between them have every kind of step that there is on a stage with a network.
func sides(engine string) [2]*side {
	both := [2]*side{
		{
			name: "A", version: 1, ports: []string{"store", "wire"},
			tasks: map[string]int{"api": 1, "queue": 1, "store": 1, "web": 1, "grow": 1, "shrink": 2, "line": 1, "wire": 1, "new": 0, "old": 1},
		},
		{
			name: "B", version: 2, ports: []string{"line", "store"},
			tasks: map[string]int{"api": 1, "queue": 1, "store": 1, "web": 1, "grow": 2, "shrink": 1, "line": 1, "wire": 1, "new": 1},
		},
	}
	if engine == "kubernetes" {
		for _, app := range tooMany {
			delete(both[0].tasks, app)
			delete(both[1].tasks, app)
		}
	}
	return both
}

// has reports whether an app is on any side.
func (m *matrix) has(app string) bool {
	_, a := m.sides[0].tasks[app]
	_, b := m.sides[1].tasks[app]
	return a || b
}

// versioned are those of them that there are.
func (m *matrix) versioned() []string {
	return slices.DeleteFunc(slices.Clone(versioned), func(app string) bool { return !m.has(app) })
}

// stageThose stages the commands of apps that there are.
func (m *matrix) stageThose(commands ...api.Arguments) {
	m.t.Helper()
	m.stage(slices.DeleteFunc(commands, func(a api.Arguments) bool {
		text, err := json.Marshal(a)
		must(m.t, err)
		var of struct{ Name string }
		must(m.t, json.Unmarshal(text, &of))
		return !m.has(of.Name)
	})...)
}

// build makes an empty stage side A. An app must be there for its image to be pushed.
func (m *matrix) build() {
	m.t.Helper()
	var create, release []api.Arguments
	for app := range m.sides[0].tasks {
		create = append(create, api.AppCreate{Name: app})
	}
	for _, app := range []string{"store", "wire", "line"} {
		create = append(create, api.NetworkSet{Name: app, Protocol: new("tcp")})
	}
	m.stageThose(create...)
	m.commit()
	for app, tasks := range m.sides[0].tasks {
		digest := m.push(appRef(app))
		release = append(
			release, api.ReleaseCreate{Name: app, Digest: digest}, api.ReleaseCreate{Name: app, Digest: digest},
			api.EnvSet{Name: app, Key: "VERSION", Value: "1"},
		)
		if tasks > 0 {
			release = append(release, api.ReleaseActivate{Name: app, ReleaseID: 1})
		}
	}
	for _, app := range []string{"queue", "grow", "shrink", "old", "new"} { // an app without a check is watched for some seconds
		release = append(release, api.NetworkSet{Name: app, HealthCheckPath: new("/")})
	}
	m.stageThose(append(
		release,
		api.NetworkSet{Name: "web", Public: new(true)}, api.NetworkSet{Name: "api", Public: new(true)},
		api.NetworkSet{Name: "store", Public: new(true)}, api.NetworkSet{Name: "wire", Public: new(true)},
		api.ResourceSet{Name: "shrink", Scale: new(2)},
	)...)
	m.commit()
}

// toB are the commands that lead from A to B. A revert leads back.
func (m *matrix) toB() []api.Arguments {
	var all []api.Arguments
	for _, app := range m.versioned() {
		all = append(all, api.EnvSet{Name: app, Key: "VERSION", Value: "2"})
	}
	return append(
		all,
		api.ReleaseActivate{Name: "api", ReleaseID: 2, Before: []string{"print", "migrated"}},
		api.ResourceSet{Name: "grow", Scale: new(2)}, api.NetworkSet{Name: "grow", HealthCheckPath: new("/status/204")},
		api.ResourceSet{Name: "shrink", Scale: new(1)},
		api.NetworkSet{Name: "line", Public: new(true)}, api.NetworkSet{Name: "wire", Public: new(false)},
		api.AppDestroy{Name: "old"}, api.ReleaseActivate{Name: "new", ReleaseID: 1},
	)
}

// nobody is what a door leads to behind which there must be no task.
const nobody = -1

// doors are the ways to the apps of a side, with the version that must answer there.
func (m *matrix) doors(s *side) map[string]int {
	doors := map[string]int{
		m.hostOf("web") + "/env/VERSION":    s.version,
		m.hostOf("api") + "/env/VERSION":    s.version,
		m.within("store", ":5000"):          s.version,
		m.hostOf("queue") + "/env/VERSION":  nobody,
		m.hostOf("shrink") + "/env/VERSION": nobody,
		m.within("wire", ":5000"):           1,
		m.within("line", ":5000"):           1,
	}
	if m.has("queue") {
		doors[m.within("queue", "")] = s.version
	}
	for _, app := range []string{"grow", "shrink", "old", "new"} {
		doors[m.within(app, "")] = nobody
		if s.tasks[app] > 0 {
			doors[m.within(app, "")] = 1
		}
	}
	return doors
}

// within asks an app from a task of web.
func (m *matrix) within(app, port string) string {
	return m.hostOf("web") + "/ask/" + m.inside(app, port) + "/env/VERSION"
}

// publicPorts gives the doors of public tcp apps, as the API names them.
func (m *matrix) publicPorts(s *side) (doors map[string]int, err error) {
	doors = map[string]int{}
	for app := range s.tasks {
		domains, err := m.client.Domains(m.t.Context(), appRef(app))
		if err != nil {
			return nil, err
		}
		for _, d := range domains {
			if d.Kind == "default" && d.Port > 0 && d.Public {
				version := 1
				if slices.Contains(versioned, app) {
					version = s.version
				}
				doors["http://"+local(d.Port)+"/env/VERSION"] = version
			}
		}
	}
	if len(doors) != len(s.ports) {
		err = fmt.Errorf("public TCP ports: %v", doors)
	}
	return doors, err
}

// opens tells a door that does not lead where it must.
func (m *matrix) opens(door string, want int) error {
	got, err := m.visit(door)
	if err != nil && want != nobody || err == nil && got != want {
		return fmt.Errorf("%s leads to %s, and must to %s; %v", door, strconv.Itoa(got), strconv.Itoa(want), err)
	}
	return nil
}

// placeOf names a step as the faults do: by the app in the place of the generation.
func placeOf(s api.PlanStep) string {
	place, _, _ := strings.Cut(s.ID, "-")
	return place
}
