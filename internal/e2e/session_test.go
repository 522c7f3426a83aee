package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/setopsco/setops/internal/cli"
	"github.com/setopsco/setops/internal/setops"
	"github.com/setopsco/setops/internal/store"
	"github.com/setopsco/setops/pkg/api"
	"github.com/setopsco/setops/pkg/client"
)

// session is somebody who types commands behind a faulty proxy, and what must have come of them.
type session struct {
	t      *testing.T
	env    []string
	random *rand.Rand
	typed  int

	staged    []string // keys of variables, in order
	committed []string
	commits   int
	tasks     int
	stages    map[string]bool
	projects  map[string]bool
}

// TestWhatAFaultyConnectionLosesIsDoneOnce types some hundred commands through a proxy that loses or delays one answer in
// twenty and more. Every command has to succeed, and to have been done once.
func TestWhatAFaultyConnectionLosesIsDoneOnce(t *testing.T) {
	t.Parallel()
	const seed, commands = 20, 340
	w, token := withStage(t)
	serveWeb(t, w, token)
	version := w.version(t)
	proxy := newFaulty(t, w.config.Listen, seed)
	s := &session{
		t: t, random: rand.New(rand.NewPCG(seed, 0)), stages: map[string]bool{"production": true}, projects: map[string]bool{"shop": true},
		env: []string{
			"HOME=" + t.TempDir(), "SETOPS_URL=" + proxy.URL, "SETOPS_TOKEN=" + token, "SETOPS_ORGANIZATION=" + organization,
			"SETOPS_PROJECT=shop", "SETOPS_STAGE=production", "SETOPS_APP=web",
		},
	}
	for s.typed < commands && !t.Failed() {
		s.step()
	}
	s.compare(w, token, version)
	for _, r := range rates {
		t.Logf("the proxy %s: %d times", r.fault, proxy.count(r.fault))
		if proxy.count(r.fault) == 0 {
			t.Errorf("it never %s", r.fault)
		}
	}
}

// serveWeb makes an app that has an active release.
func serveWeb(t *testing.T, w *world, token string) {
	t.Helper()
	c := client.New(w.url(), token, client.Options{})
	digest := ""
	for _, commands := range [][]api.Arguments{
		{api.AppCreate{Name: "web"}},
		{api.ReleaseCreate{Name: "web"}, api.ReleaseActivate{Name: "web", ReleaseID: 1}},
	} {
		if create, ok := commands[0].(api.ReleaseCreate); ok {
			create.Digest = digest
			commands[0] = create
		}
		if _, err := c.StageCommands(t.Context(), ref, commands...); err != nil {
			t.Fatal(err)
		}
		if err := commitAll(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		var err error
		if digest, err = w.push(t.Context(), "demo/shop/production/web:v1", admin, passwordOf(admin)); err != nil {
			t.Fatal(err)
		}
	}
}

// version counts the commits of stage production that are live.
func (w *world) version(t *testing.T) (version int64) {
	t.Helper()
	err := w.inStore(func(s *store.Store) error {
		u, _, _, err := s.Login(t.Context(), organization, admin)
		if err != nil {
			return err
		}
		p, _, err := s.Project(t.Context(), u.OrganizationID, "shop")
		if err != nil {
			return err
		}
		var st setops.Stage
		st, _, err = s.Stage(t.Context(), p.ID, "production")
		version = st.Version
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return version
}

// run types a command that has to succeed, and gives what it says.
func (s *session) run(line string) string {
	s.typed++
	var out, said bytes.Buffer
	if code := cli.Main(s.t.Context(), strings.Fields(line), s.env, strings.NewReader(""), &out, &said); code != 0 {
		s.t.Errorf("command %d, %s, ended with %d: %s%s", s.typed, line, code, out.String(), said.String())
	}
	return out.String()
}

// step does one thing, most often it stages a variable.
func (s *session) step() {
	switch n := s.random.IntN(100); {
	case n < 6 && len(s.staged) > 0:
		s.run("changeset:discard")
		s.staged = nil
	case n < 16 && len(s.staged) > 0:
		s.run("changeset:commit")
		s.committed, s.staged, s.commits = append(s.committed, s.staged...), nil, s.commits+1
	case n < 22:
		s.run("task:run -- exit 0")
		s.tasks++
	case n < 32:
		s.turn("stage", s.stages, "-s")
	case n < 40:
		s.turn("project", s.projects, "-p")
	case n < 45:
		s.look()
	default:
		key := fmt.Sprintf("KEY_%d", s.typed)
		s.run("env:set " + key + "=x")
		s.staged = append(s.staged, key)
	}
}

// turn makes one of a few stages or projects, or destroys it where it is there.
func (s *session) turn(noun string, there map[string]bool, flag string) {
	name := fmt.Sprintf("one%d", s.random.IntN(4))
	if there[name] {
		s.run(fmt.Sprintf("%s %s %s:destroy --force", flag, name, noun))
		delete(there, name)
		return
	}
	s.run(fmt.Sprintf("%s:create %s", noun, name))
	there[name] = true
}

// look compares the changeset with what was typed.
func (s *session) look() {
	if len(s.staged) == 0 {
		return
	}
	var shown api.Changeset
	if err := json.Unmarshal([]byte(s.run("-o json changeset:info")), &shown); err != nil {
		s.t.Error(err)
	}
	var keys []string
	for _, c := range shown.Commands {
		keys = append(keys, fmt.Sprint(c.Arguments["key"]))
	}
	if !slices.Equal(keys, s.staged) {
		s.t.Errorf("staged are %v, not %v", keys, s.staged)
	}
}

// compare looks at all that came of the session, past the proxy.
func (s *session) compare(w *world, token string, version int64) {
	s.look()
	c := client.New(w.url(), token, client.Options{})
	app := client.AppRef{StageRef: ref, App: "web"}
	web, err := c.App(s.t.Context(), app)
	if err != nil {
		s.t.Fatal(err)
	}
	var keys []string
	for _, v := range web.Env {
		keys = append(keys, v.Key)
	}
	if slices.Sort(s.committed); !slices.Equal(keys, s.committed) {
		s.t.Errorf("committed are %v, not %v", keys, s.committed)
	}
	if got := w.version(s.t) - version; got != int64(s.commits) {
		s.t.Errorf("%d commits were made, not %d", got, s.commits)
	}
	tasks, err := c.Tasks(s.t.Context(), app)
	if oneOff := len(slices.DeleteFunc(tasks, func(t api.Task) bool { return !t.OneOff })); err != nil || oneOff != s.tasks {
		s.t.Errorf("%d tasks were run, not %d; %v", oneOff, s.tasks, err)
	}
	stages, err := c.Stages(s.t.Context(), ref.ProjectRef)
	if got := namesOf(stages, func(st api.Stage) string { return st.Name }); err != nil || !maps.Equal(got, s.stages) {
		s.t.Errorf("stages %v, not %v; %v", got, s.stages, err)
	}
	projects, err := c.Projects(s.t.Context(), organization)
	if got := namesOf(projects, func(p api.Project) string { return p.Name }); err != nil || !maps.Equal(got, s.projects) {
		s.t.Errorf("projects %v, not %v; %v", got, s.projects, err)
	}
	s.t.Logf("%d commands: %d commits of %d variables, %d tasks", s.typed, s.commits, len(s.committed), s.tasks)
}

func namesOf[T any](all []T, name func(T) string) map[string]bool {
	names := map[string]bool{}
	for _, one := range all {
		names[name(one)] = true
	}
	return names
}
