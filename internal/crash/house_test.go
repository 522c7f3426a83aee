//go:build linux

package crash

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/setopsco/setops/internal/setops"
	"github.com/setopsco/setops/pkg/api"
	"github.com/setopsco/setops/pkg/client"
)

const email = "admin@localhost"

var stageRef = client.StageRef{ProjectRef: client.ProjectRef{Organization: "demo", Project: "crash"}, Stage: "prod"}

// apps are changed together in each commit: two are public, one is private, one is public and speaks tcp.
var apps = []string{"api", "queue", "store", "web"}

// house is a server with one stage. Each version of its apps says which it is; 0 is none.
type house struct {
	*server
	client    *client.Client
	password  string
	token     string
	live      int    // the version that serves
	staged    int    // what the changeset makes of it; the same: there is no changeset
	storePort int    // of the router
	settled   traces // what there is on this machine when nothing goes on
}

// newHouse starts a server whose apps serve version 1.
func newHouse(t *testing.T, engine string, prepare func(s *server)) *house {
	t.Helper()
	h := openHouse(t, engine, prepare)
	var create []api.Arguments
	for _, app := range apps {
		create = append(create, api.AppCreate{Name: app})
	}
	create = append(
		create,
		api.NetworkSet{Name: "web", Public: new(true)}, api.NetworkSet{Name: "api", Public: new(true)},
		api.NetworkSet{Name: "store", Public: new(true), Protocol: new("tcp")}, api.NetworkSet{Name: "queue", HealthCheckPath: new("/")},
	)
	h.stage(create...)
	h.commit()
	h.stage(h.releases()...)
	h.stageVersion()
	h.commit()
	domains, err := h.client.Domains(t.Context(), appRef("store"))
	must(t, err)
	for _, d := range domains {
		if d.Kind == "default" {
			h.storePort = d.Port
		}
	}
	h.serves(1)
	h.settle()
	h.settled = h.traces()
	if n := h.settled["containers"]; n != len(apps) {
		t.Fatalf("%d containers: %v", n, h.settled)
	}
	return h
}

// openHouse starts a server with an empty stage.
func openHouse(t *testing.T, engine string, prepare func(s *server)) *house {
	t.Helper()
	h := &house{server: newServer(t, engine)}
	if prepare != nil {
		prepare(h.server)
	}
	t.Cleanup(h.abandon)
	h.start()
	h.signIn()
	return h
}

func appRef(app string) client.AppRef { return client.AppRef{StageRef: stageRef, App: app} }

func (h *house) signIn() {
	h.t.Helper()
	text, err := os.ReadFile(h.data("admin-password"))
	must(h.t, err)
	h.password = strings.TrimSpace(string(text))
	ctx := h.t.Context()
	session, err := client.New("http://"+h.api(), "", client.Options{}).SignIn(ctx,
		api.Credentials{Organization: stageRef.Organization, Email: email, Password: h.password})
	must(h.t, err)
	h.token = session.Token
	h.connect()
	_, err = h.client.CreateProject(ctx, stageRef.ProjectRef)
	must(h.t, err)
	_, err = h.client.CreateStage(ctx, stageRef)
	must(h.t, err)
}

// connect makes the client anew, which keeps connections.
func (h *house) connect() { h.client = client.New("http://"+h.api(), h.token, client.Options{}) }

// releases pushes the image for each app and gives the commands that make it the active release.
func (h *house) releases() (commands []api.Arguments) {
	h.t.Helper()
	for _, app := range apps {
		digest := h.push(appRef(app))
		commands = append(commands, api.ReleaseCreate{Name: app, Digest: digest}, api.ReleaseActivate{Name: app, ReleaseID: 1})
	}
	return commands
}

// push pushes the image for an app.
func (h *house) push(app client.AppRef) (digest string) {
	h.t.Helper()
	image, err := appImage()
	must(h.t, err)
	return h.pushImage(app, image)
}

func (h *house) pushImage(app client.AppRef, image v1.Image) (digest string) {
	h.t.Helper()
	hash, err := image.Digest()
	must(h.t, err)
	tag, err := name.NewTag(fmt.Sprintf("%s/%s/%s/%s/%s:1", h.api(), app.Organization, app.Project, app.Stage, app.App))
	must(h.t, err)
	must(h.t, remote.Write(tag, image, remote.WithContext(h.t.Context()),
		remote.WithAuth(&authn.Basic{Username: email, Password: h.password})))
	return hash.String()
}

func (h *house) stage(commands ...api.Arguments) {
	h.t.Helper()
	_, err := h.client.StageCommands(h.t.Context(), stageRef, commands...)
	must(h.t, err)
}

// stageVersion stages the next version of all apps, unless an interrupted commit has left one.
func (h *house) stageVersion() {
	h.t.Helper()
	if h.staged > h.live {
		return
	}
	var commands []api.Arguments
	for _, app := range apps {
		commands = append(commands, api.EnvSet{Name: app, Key: "VERSION", Value: strconv.Itoa(h.live + 1)})
	}
	h.stage(commands...)
	h.staged = h.live + 1
}

// commit commits what is staged, and waits until it is live.
func (h *house) commit() (end api.Progress) {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(h.t.Context(), 2*patience)
	defer cancel()
	c, err := h.client.StartCommit(ctx, stageRef, api.StartCommit{})
	must(h.t, err)
	end, err = h.client.WatchCommit(ctx, stageRef, c.ID, func(api.Progress) {})
	must(h.t, err)
	if end.State != "done" {
		h.t.Fatalf("the commit has failed: %+v; log:\n%s", end.Failure, h.logged())
	}
	h.live = h.staged
	return end
}

// doors are all ways to the apps, from outside and from within the stage; each asks an app for its version.
func (h *house) doors() map[string]string {
	return map[string]string{
		"web in public":    h.hostOf("web") + "/env/VERSION",
		"api in public":    h.hostOf("api") + "/env/VERSION",
		"store in public":  "http://" + local(h.storePort) + "/env/VERSION",
		"queue in private": h.hostOf("web") + "/ask/" + h.inside("queue", "") + "/env/VERSION",
		"store in private": h.hostOf("api") + "/ask/" + h.inside("store", ":5000") + "/env/VERSION",
	}
}

// inside is where an app answers within the stage.
func (h *house) inside(app, port string) string {
	if h.cluster != nil {
		return h.serviceOf(app)
	}
	return app + ".prod.crash.localhost.internal" + port
}

// hostOf names a public app; ask leads it to the router.
func (h *house) hostOf(app string) string {
	return "http://" + app + ".prod.crash.localhost:" + strconv.Itoa(h.port+1)
}

// versions asks at every door once.
func (h *house) versions() (all map[string]int, err error) { return h.ask(h.doors()) }

func (h *house) ask(doors map[string]string) (all map[string]int, err error) {
	all = map[string]int{}
	var errs []error
	for _, door := range slices.Sorted(maps.Keys(doors)) {
		version, err := h.visit(doors[door])
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", door, err))
		}
		all[door] = version
	}
	return all, errors.Join(errs...)
}

// serves looks whether all doors lead to the same version, now, and to which of these. Only within a cluster they may take a moment: it
// is the cluster that tells its nodes where a Service leads.
func (h *house) serves(allowed ...int) (version int) {
	h.t.Helper()
	now, later := h.doors(), map[string]string{}
	maps.DeleteFunc(now, func(door, url string) bool {
		late := h.cluster != nil && strings.HasSuffix(door, "in private")
		if late {
			later[door] = url
		}
		return late
	})
	all, err := h.ask(now)
	if err != nil {
		h.t.Fatalf("not all apps serve: %v; log:\n%s", err, h.logged())
	}
	version = all["web in public"]
	for door, other := range all {
		if other != version {
			h.t.Errorf("%s leads to version %d, others to %d", door, other, version)
		}
	}
	if !slices.Contains(allowed, version) {
		h.t.Fatalf("version %d serves, not one of %d", version, allowed)
	}
	h.await("all Services lead where the router does", func() error {
		all, err := h.ask(later)
		for door, other := range all {
			if err == nil && other != version {
				err = fmt.Errorf("%s leads to version %d and not %d", door, other, version)
			}
		}
		return err
	})
	return version
}

// anew has every request dial: the server it asks may be another one than a moment ago. Names below localhost are here.
var anew = &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}

func (h *house) visit(url string) (version int, err error) {
	req, err := http.NewRequestWithContext(h.t.Context(), http.MethodGet, url, nil)
	if err != nil {
		return 0, err
	}
	if _, port := req.URL.Hostname(), req.URL.Port(); strings.HasSuffix(req.URL.Hostname(), ".localhost") {
		req.Host, req.URL.Host = req.URL.Host, "127.0.0.1:"+port
	}
	res, err := anew.Do(req)
	if err != nil {
		return 0, err
	}
	defer res.Body.Close() //nolint:errcheck // it is only read
	body, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		return 0, fmt.Errorf("%s: %q, %w", res.Status, body, err)
	}
	return strconv.Atoi(string(body))
}

// settle waits until every app has one task that serves, and nothing else goes on.
func (h *house) settle() {
	h.t.Helper()
	h.await("exactly one task of each app runs", func() error {
		for _, app := range apps {
			tasks, err := h.client.Tasks(h.t.Context(), appRef(app))
			if err != nil {
				return err
			}
			tasks = slices.DeleteFunc(tasks, func(t api.Task) bool { return t.Status == "STOPPED" })
			if len(tasks) != 1 || tasks[0].Status != "RUNNING" {
				return fmt.Errorf("app %s has %+v", app, tasks)
			}
		}
		return nil
	})
	if h.settled != nil {
		h.await("what is on this machine is as before", func() error { return h.settled.differ(h.traces()) })
	}
}

// records are the tasks as the server's files know them. While it lives, one may go between two looks.
func (h *house) records() (all []setops.Task) {
	h.t.Helper()
	files, err := filepath.Glob(h.kept("records", "*.json"))
	must(h.t, err)
	for _, file := range files {
		if task, there := readRecord(h.t, file); there {
			all = append(all, task)
		}
	}
	return all
}

// destroy ends all that the server has, stops it and looks what is left.
func (h *house) destroy() {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(h.t.Context(), 2*patience)
	defer cancel()
	must(h.t, h.client.DestroyProject(ctx, stageRef.ProjectRef))
	h.stop()
	h.leavesNothing()
}

// leavesNothing looks at this machine when the server has stopped.
func (h *house) leavesNothing() {
	h.t.Helper()
	if left := h.traces(); len(left) > 0 {
		h.t.Errorf("left: %v", left)
	}
	if left := append(h.processes(), processesOf(filepath.Join(h.dir, "setops-shim"))...); len(left) > 0 {
		h.t.Errorf("processes are left: %v", left)
	}
	if left := taken(h.port); len(left) > 0 {
		h.t.Errorf("ports are still listened on: %v", left)
	}
}

// abandon frees the machine from what a failed test has left.
func (h *house) abandon() {
	if !h.t.Failed() {
		return
	}
	if h.life != nil && h.isAlive() {
		h.kill()
	}
	h.wipe()
	h.wipeDocker()
	h.wipeCluster()
}
