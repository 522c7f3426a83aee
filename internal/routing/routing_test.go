package routing

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/plan"
	"github.com/setopsco/setops/internal/router"
	"github.com/setopsco/setops/internal/setops"
)

var ref = setops.StageRef{ID: "s1", Organization: "demo", Project: "shop", Name: "production"}

// world is a stage: what is committed, what runs, and the routes that were set last.
type world struct {
	mu      sync.Mutex
	spec    setops.Spec
	serving map[string]plan.Generation
	tasks   []setops.Task
	fault   error
	listing func() // called while tasks are listed

	routes []string
	sets   int
	drains []string

	certified, fronts []string
	unanswered        error
}

func (w *world) Spec(context.Context, string) (setops.Spec, error) { return w.spec, w.fault }

func (w *world) Serving(context.Context, string) (map[string]plan.Generation, error) {
	return w.serving, nil
}

func (w *world) List(context.Context, string, string) ([]setops.Task, error) {
	if w.listing != nil {
		w.listing()
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.tasks), nil
}

func (w *world) Set(owner string, data Routes) {
	routes := data.Table()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.routes = nil
	w.sets++
	for _, r := range routes.HTTP {
		w.routes = append(w.routes, line(owner, r.Host, r.Upstreams, r.CheckKey, mark("private", r.Private)+mark("unproven", r.Unproven)+mark("→ "+r.Redirect, r.Redirect != "")))
	}
	for _, r := range routes.TCP {
		w.routes = append(w.routes, line(owner, "tcp "+r.Key, r.Upstreams, r.CheckKey, mark("unproven", r.Unproven)))
	}
	slices.Sort(w.routes)
}

func line(owner, host string, upstreams []router.Upstream, key, marks string) string {
	var ups []string
	for _, u := range upstreams {
		ups = append(ups, u.ID+"="+u.Addr)
	}
	return fmt.Sprintf("%s %s → %s [%s]%s", owner, host, strings.Join(ups, ","), key, marks)
}

func mark(name string, is bool) string {
	if !is {
		return ""
	}
	return " " + name
}

// certificates is the side of a world that is told which names need one.
type certificates struct{ *world }

func (c certificates) Set(_ string, names []string) { c.certified = names }

func (w *world) SetFronts(_ context.Context, _ string, fronts []engine.Front) error {
	w.fronts = nil
	for _, f := range fronts {
		w.fronts = append(w.fronts, fmt.Sprintf("%s %s %s:%d", f.App, f.Protocol, f.Host, f.Port))
	}
	return w.unanswered
}

func (w *world) Drain(_ context.Context, _, id string) error {
	w.drains = append(w.drains, fmt.Sprintf("%s after %d sets", id, w.sets))
	return nil
}

// want compares the public routes; all compares every one.
func (w *world) want(t *testing.T, routes ...string) {
	t.Helper()
	same(t, slices.DeleteFunc(w.set(), func(r string) bool { return strings.Contains(r, " private") }), routes)
}

func (w *world) all(t *testing.T, routes ...string) {
	t.Helper()
	same(t, w.set(), routes)
}

func (w *world) set() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.routes)
}

func same(t *testing.T, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nnot\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func task(id, generation string, status setops.TaskStatus) setops.Task {
	return setops.Task{ID: id, StageID: "s1", App: "web", Generation: generation, Status: status, Address: id + ":5000"}
}

// public is a world in which app web is public and served by generation g1, with two tasks.
func public() (*world, *Table) {
	web := setops.NewApp("web")
	web.Network.Public = true
	w := &world{
		spec:    setops.Spec{Apps: map[string]*setops.App{"web": web, "worker": setops.NewApp("worker")}},
		serving: map[string]plan.Generation{"web": {ID: "g1"}, "worker": {ID: "g2"}},
		tasks:   []setops.Task{task("t1", "g1", setops.Running), task("t2", "g1", setops.Running), task("t3", "g2", setops.Running)},
	}
	return w, &Table{Hosts: setops.Hosts{Domain: "example.net", First: ref.Organization}, Store: w, Tasks: w, Router: w, Fronts: w, Certs: certificates{w}, Logger: slog.New(slog.DiscardHandler)}
}

const webRoute = "s1 web.production.shop.example.net → %s [/ 200-499 5000]"

func TestEveryAppIsRoutedInsideItsStageAndPublicOnesOutsideToo(t *testing.T) {
	w, table := public()
	proxy := setops.NewApp("proxy")
	proxy.Network.Protocol = setops.TCP
	w.spec.Apps["proxy"] = proxy
	w.serving["proxy"] = plan.Generation{ID: "g3"}
	refresh(t, table)
	private := []string{
		"s1 tcp proxy →  [connect 5000] unproven",
		"s1 web.production.shop.example.net → t1=t1:5000,t2=t2:5000 [/ 200-499 5000]",
		"s1 web.production.shop.example.net.internal → t1=t1:5000,t2=t2:5000 [/ 200-499 5000] private",
		"s1 worker.production.shop.example.net.internal → t3=t3:5000 [connect 5000] private unproven",
	}
	w.all(t, private...)
	w.spec.Apps["web"].Network.Public = false
	proxy.Network.Public = true
	refresh(t, table)
	w.all(t, "s1 tcp proxy →  [connect 5000]",
		"s1 web.production.shop.example.net.internal → t1=t1:5000,t2=t2:5000 [connect 5000] private unproven", private[3])
}

func TestWhereTheEngineAnswersPrivateNamesByItselfPublicAppsAloneAreRouted(t *testing.T) {
	w, table := public()
	table.Fronts = nil
	refresh(t, table)
	w.all(t, "s1 web.production.shop.example.net → t1=t1:5000,t2=t2:5000 [/ 200-499 5000]")
}

func refresh(t *testing.T, table *Table) {
	t.Helper()
	if err := table.Refresh(t.Context(), ref); err != nil {
		t.Fatal(err)
	}
}

func TestOnlyValidatedDomainsAreRoutedAndAllButThePrimaryOneAndDirectOnesRedirect(t *testing.T) {
	w, table := public()
	w.tasks = nil
	web := w.spec.Apps["web"]
	web.Domains = map[string]setops.Domain{
		"shop.example.com": {Validated: true}, "*.shop.example.com": {Validated: true}, "www.example.com": {Primary: true},
	}
	refresh(t, table)
	w.want(t, "s1 *.shop.example.com →  [/ 200-499 5000]", "s1 shop.example.com →  [/ 200-499 5000]", fmt.Sprintf(webRoute, ""))
	web.Domains["www.example.com"] = setops.Domain{Primary: true, Validated: true}
	refresh(t, table)
	w.want(t, "s1 *.shop.example.com →  [/ 200-499 5000] → www.example.com", "s1 shop.example.com →  [/ 200-499 5000] → www.example.com",
		fmt.Sprintf(webRoute, "")+" → www.example.com", "s1 www.example.com →  [/ 200-499 5000]")
	same(t, w.certified, []string{"*.shop.example.com", "shop.example.com", "web.production.shop.example.net", "www.example.com"})
	web.Domains["shop.example.com"] = setops.Domain{Validated: true, Direct: true}
	refresh(t, table)
	w.want(t, "s1 *.shop.example.com →  [/ 200-499 5000] → www.example.com", "s1 shop.example.com →  [/ 200-499 5000]",
		fmt.Sprintf(webRoute, "")+" → www.example.com", "s1 www.example.com →  [/ 200-499 5000]")
	web.Network.Public = false
	refresh(t, table)
	w.want(t)
	same(t, w.certified, nil)
}

func TestPrivateNamesAreAnsweredAtTheirPorts(t *testing.T) {
	w, table := public()
	w.spec.Apps["worker"].Network.Protocol, w.spec.Apps["worker"].Network.Port = setops.TCP, 5432
	refresh(t, table)
	same(t, w.fronts, []string{
		"web http web.production.shop.example.net.internal:80", "worker tcp worker.production.shop.example.net.internal:5432",
	})
}

func TestOnlyTasksOfTheServingGenerationThatRunGetTraffic(t *testing.T) {
	w, table := public()
	w.tasks = nil
	for i, status := range []setops.TaskStatus{
		setops.Provisioning, setops.Pending, setops.Activating, setops.Running, setops.Deactivating, setops.Stopping,
		setops.Deprovisioning, setops.Stopped,
	} {
		w.tasks = append(w.tasks, task(fmt.Sprint("t", i), "g1", status))
	}
	w.tasks = append(w.tasks, task("next", "g0", setops.Running), task("one-off", "", setops.Running))
	nowhere := task("nowhere", "g1", setops.Running)
	nowhere.Address = ""
	w.tasks = append(w.tasks, nowhere)
	if err := table.Refresh(t.Context(), ref); err != nil {
		t.Fatal(err)
	}
	w.want(t, fmt.Sprintf(webRoute, "t3=t3:5000"))
}

func TestTheSwitchLeadsToTheNewGenerationAndTasksThatChangeFollow(t *testing.T) {
	w, table := public()
	if err := table.Refresh(t.Context(), ref); err != nil {
		t.Fatal(err)
	}
	w.tasks = append(w.tasks, task("t4", "g9", setops.Running))
	table.TasksChanged(t.Context(), "s1")
	w.want(t, fmt.Sprintf(webRoute, "t1=t1:5000,t2=t2:5000"))
	w.serving["web"] = plan.Generation{ID: "g9"}
	if err := table.Refresh(t.Context(), ref); err != nil {
		t.Fatal(err)
	}
	w.want(t, fmt.Sprintf(webRoute, "t4=t4:5000"))
	w.tasks = nil
	table.TasksChanged(t.Context(), "s1")
	w.want(t, fmt.Sprintf(webRoute, "")) // the host is known, nobody serves: 503 and not 404
}

func TestATaskIsOutOfItsRouteBeforeItIsDrained(t *testing.T) {
	w, table := public()
	if err := table.Refresh(t.Context(), ref); err != nil {
		t.Fatal(err)
	}
	w.tasks[0].Status = setops.Deactivating
	if err := table.Drain(t.Context(), w.tasks[0]); err != nil {
		t.Fatal(err)
	}
	w.want(t, fmt.Sprintf(webRoute, "t2=t2:5000"))
	if !slices.Equal(w.drains, []string{"t1 after 2 sets"}) {
		t.Errorf("drained %v", w.drains)
	}
}

func TestWhatCannotBeReadLeavesTheRoutesAsTheyAre(t *testing.T) {
	w, table := public()
	if err := table.Refresh(t.Context(), ref); err != nil {
		t.Fatal(err)
	}
	w.fault = errors.New("disk on fire")
	if err := table.Refresh(t.Context(), ref); !errors.Is(err, w.fault) {
		t.Errorf("got %v", err)
	}
	w.want(t, fmt.Sprintf(webRoute, "t1=t1:5000,t2=t2:5000"))
}

// switches is a cluster that leads requests by itself.
type switches struct {
	served []engine.Served
	fault  error
}

func (s *switches) SetServed(_ context.Context, _ string, served []engine.Served) error {
	s.served = served
	return s.fault
}

func (s *switches) IsPublic() bool { return true }

func TestWhoLeadsRequestsBesidesUsIsToldWhereTheyGo(t *testing.T) {
	w, table := public()
	s := &switches{}
	table.Switch = s
	w.spec.Apps["web"].Domains = map[string]setops.Domain{
		"example.org": {Validated: true}, "www.example.org": {Validated: true, Primary: true},
		"api.example.org": {Validated: true, Direct: true}, "soon.example.org": {},
	}
	refresh(t, table)
	want := []engine.Served{
		{App: "web", Host: "web.production.shop.example.net.internal", Generation: "g1", Protocol: setops.HTTP, Port: 80, Public: []engine.Host{
			{Name: "web.production.shop.example.net", Redirect: "www.example.org"},
			{Name: "api.example.org"},
			{Name: "example.org", Redirect: "www.example.org"},
			{Name: "www.example.org"},
		}},
		{App: "worker", Host: "worker.production.shop.example.net.internal", Generation: "g2", Protocol: setops.HTTP, Port: 80},
	}
	if !reflect.DeepEqual(s.served, want) {
		t.Errorf("got %+v", s.served)
	}
}

// A generation that requests are still led to may not be removed: the commit tries again.
func TestASwitchThatIsNotMadeIsAnErrorOfTheRefresh(t *testing.T) {
	_, table := public()
	s := &switches{fault: errors.New("the cluster does not answer")}
	table.Switch = s
	if err := table.Refresh(t.Context(), ref); !errors.Is(err, s.fault) {
		t.Errorf("got %v", err)
	}
}

func TestNamesThatCannotBeAnsweredDoNotTakeTheSwitchBack(t *testing.T) {
	w, table := public()
	w.unanswered = errors.New("no address is left")
	refresh(t, table)
	w.want(t, fmt.Sprintf(webRoute, "t1=t1:5000,t2=t2:5000"))
}

func TestAStageThatIsGoneStaysOutOfTheTable(t *testing.T) {
	w, table := public()
	if err := table.Refresh(t.Context(), ref); err != nil {
		t.Fatal(err)
	}
	// A task changes; while its stage's routes are made anew, the stage is destroyed.
	listing, goOn := make(chan struct{}), make(chan struct{})
	w.listing = func() { close(listing); <-goOn; w.listing = nil }
	var both sync.WaitGroup
	both.Go(func() { table.TasksChanged(t.Context(), "s1") })
	<-listing
	both.Go(func() { table.Remove("s1") })
	close(goOn)
	both.Wait()
	w.want(t)
	table.TasksChanged(t.Context(), "s1")
	table.TasksChanged(t.Context(), "another")
	w.want(t)
}

func TestTheProbeIsTheAppsNetworkHealthCheck(t *testing.T) {
	var asked string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = r.Host + r.URL.String()
		w.WriteHeader(http.StatusFound)
	}))
	defer server.Close()
	_, port, err := net.SplitHostPort(strings.TrimPrefix(server.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	for status, ok := range map[string]bool{"200-499": true, "302": true, "200": false} {
		a := app{public: []string{"web.production.shop.example.net"}, port: 5000, check: &setops.NetworkCheck{Protocol: setops.HTTP, Path: "/up?x=1", Status: status}}
		probe, _ := a.route(nil).probe()
		if err := probe(t.Context(), "127.0.0.1:"+port); (err == nil) != ok {
			t.Errorf("%s: %v", status, err)
		}
		if asked != "web.production.shop.example.net/up?x=1" {
			t.Errorf("asked for %s", asked)
		}
	}
}

func TestACheckThatChangesHasAnotherKey(t *testing.T) {
	check := func(path, status string, port int) string {
		_, key := app{port: port, check: &setops.NetworkCheck{Protocol: setops.HTTP, Path: path, Status: status}}.route(nil).probe()
		return key
	}
	seen := map[string]bool{check("/", "200", 80): true}
	for _, key := range []string{check("/up", "200", 80), check("/", "201", 80), check("/", "200", 81)} {
		if seen[key] {
			t.Errorf("the key %q is not new", key)
		}
		seen[key] = true
	}
}
