package publish_test

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/setopsco/setops/internal/edge/edgetest"
	"github.com/setopsco/setops/internal/edge/publish"
	"github.com/setopsco/setops/internal/edge/published"
	"github.com/setopsco/setops/internal/routing"
)

// nobody is a cluster without routers.
type nobody struct{}

func (nobody) Replicas(context.Context) ([]string, error) { return nil, nil }

func open(t *testing.T, n *edgetest.Namespace) *publish.Publisher {
	t.Helper()
	p, err := publish.Open(t.Context(), config(n))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return p
}

func config(n *edgetest.Namespace) publish.Config {
	return publish.Config{
		Objects: n, Replicas: nobody{}, Installation: "0123abcd", Key: "secret", Logger: slog.New(slog.DiscardHandler),
		Retry: time.Millisecond, Look: 10 * time.Millisecond,
	}
}

// routes are those of apps that have one task each.
func routes(apps ...string) routing.Routes {
	var r routing.Routes
	for _, app := range apps {
		r.Apps = append(r.Apps, routing.Route{App: app, Port: 80, Tasks: []routing.Task{{ID: app + "-1", Address: "192.0.2.1:80"}}})
	}
	return r
}

// stages is what is published, as STAGE: APPS.
func stages(t *testing.T, n *edgetest.Namespace) []string {
	t.Helper()
	all, err := n.List(t.Context(), published.KindStage)
	if err != nil {
		return nil
	}
	var lines []string
	for _, o := range all {
		s, err := published.ReadStage(o)
		if err != nil {
			t.Fatal(err)
		}
		line := s.ID + ":"
		for _, a := range s.Routes.Apps {
			line += " " + a.App
		}
		lines = append(lines, line)
	}
	slices.Sort(lines)
	return lines
}

func index(t *testing.T, n *edgetest.Namespace) published.Index {
	t.Helper()
	o, err := n.Get(t.Context(), published.KindIndex, published.IndexName)
	if err != nil {
		t.Fatal(err)
	}
	i, err := published.ReadIndex(o)
	if err != nil {
		t.Fatal(err)
	}
	return i
}

func until(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !is(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not so after 20 s: %s", what)
		}
	}
}

func (s want) in(t *testing.T, n *edgetest.Namespace) {
	t.Helper()
	until(t, strings.Join(s, "; "), func() bool { return slices.Equal(stages(t, n), s) })
}

type want []string

func TestNothingIsWrittenBeforeAllIsKnown(t *testing.T) {
	n := &edgetest.Namespace{}
	p := open(t, n)
	before := n.Writes()
	p.Set("s1", routes("web"))
	p.Set("s2", routes("web", "api"))
	if got := n.Writes(); got != before || index(t, n).Complete {
		t.Errorf("%d writes, complete: %v", got-before, index(t, n).Complete)
	}
	p.Complete()
	want{"s1: web", "s2: web api"}.in(t, n)
	until(t, "complete", func() bool { return index(t, n).Complete })
}

func TestTheNextServerLeavesWhatIsThereUntilItKnowsAll(t *testing.T) {
	n := &edgetest.Namespace{}
	p := open(t, n)
	p.Set("s1", routes("web"))
	p.Set("s2", routes("web"))
	p.Complete()
	want{"s1: web", "s2: web"}.in(t, n)
	until(t, "complete", func() bool { return index(t, n).Complete })
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	p = open(t, n)
	p.Set("s1", routes("api"))
	if got := stages(t, n); !slices.Equal(got, []string{"s1: web", "s2: web"}) || !index(t, n).Complete {
		t.Errorf("before it knows all: %v, complete: %v", got, index(t, n).Complete)
	}
	p.Complete()
	want{"s1: api"}.in(t, n) // s2 was destroyed meanwhile
}

func TestASwitchOfSeveralAppsIsOneWrite(t *testing.T) {
	n := &edgetest.Namespace{}
	p := open(t, n)
	p.Complete()
	p.Set("s1", routes("web", "api"))
	want{"s1: web api"}.in(t, n)
	until(t, "complete", func() bool { return index(t, n).Complete })
	before := n.Writes()
	p.Set("s1", routes("web2", "api2"))
	want{"s1: web2 api2"}.in(t, n)
	p.Set("s1", routes("web2", "api2"))
	if err := p.Reached(t.Context(), "s1"); err != nil {
		t.Error(err)
	}
	if got := n.Writes() - before; got != 1 {
		t.Errorf("%d writes", got)
	}
}

func TestOnlyTheNewestIsWrittenOnceTheClusterAnswersAgain(t *testing.T) {
	n := &edgetest.Namespace{}
	p := open(t, n)
	p.Complete()
	p.Set("s1", routes("web"))
	want{"s1: web"}.in(t, n)
	until(t, "complete", func() bool { return index(t, n).Complete })
	n.Fail(errors.New("the API server is away"))
	for range 100 {
		p.Set("s1", routes("web"))
		p.Set("s1", routes("api"))
	}
	refused := n.Refused()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := p.Reached(ctx, "s1"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("reached while nothing can be written: %v", err)
	}
	until(t, "tried with the newest", func() bool { return n.Refused() >= refused+2 }) // the first may have begun with one before
	before := n.Writes()
	n.Fail(nil)
	want{"s1: api"}.in(t, n)
	if err := p.Reached(t.Context(), "s1"); err != nil {
		t.Error(err)
	}
	if got := n.Writes() - before; got > 1 {
		t.Errorf("%d writes", got)
	}
}

func TestAServerThatWasSucceededWritesNothingMore(t *testing.T) {
	n := &edgetest.Namespace{}
	old := open(t, n)
	old.Complete()
	old.Set("s1", routes("old"))
	want{"s1: old"}.in(t, n)
	next := open(t, n)
	next.Complete()
	next.Set("s1", routes("next"))
	want{"s1: next"}.in(t, n)
	old.Set("s1", routes("stale"))
	old.Set("s2", routes("stale"))
	old.Set("s3", routing.Routes{})
	until(t, "the old one notices", func() bool { return old.Reached(t.Context(), "s1") != nil })
	next.Set("s4", routes("next"))
	until(t, "what it began goes", func() bool { return slices.Equal(stages(t, n), []string{"s1: next", "s4: next"}) })
}

func TestWhatOthersChangeIsPutBack(t *testing.T) {
	n := &edgetest.Namespace{}
	p := open(t, n)
	p.Set("s1", routes("web"))
	p.Set("s2", routes("web"))
	p.Complete()
	want{"s1: web", "s2: web"}.in(t, n)
	one, err := n.Get(t.Context(), published.KindStage, published.StageName("s1"))
	if err != nil {
		t.Fatal(err)
	}
	if err := n.Delete(t.Context(), one); err != nil {
		t.Fatal(err)
	}
	two, err := n.Get(t.Context(), published.KindStage, published.StageName("s2"))
	if err != nil {
		t.Fatal(err)
	}
	spoilt, err := published.Stage{ID: "s2", Routes: routes("evil")}.Object(two.Version)
	if err != nil {
		t.Fatal(err)
	}
	spoilt.Resource = two.Resource
	if _, err := n.Update(t.Context(), spoilt); err != nil {
		t.Fatal(err)
	}
	want{"s1: web", "s2: web"}.in(t, n)
}

func TestAStageThatIsRemovedIsGone(t *testing.T) {
	n := &edgetest.Namespace{}
	p := open(t, n)
	p.Complete()
	p.Set("s1", routes("web"))
	want{"s1: web"}.in(t, n)
	p.Set("s1", routing.Routes{})
	want{}.in(t, n)
	p.Set("s1", routes("api"))
	want{"s1: api"}.in(t, n)
}

func TestANamespaceIsOneInstallations(t *testing.T) {
	n := &edgetest.Namespace{}
	open(t, n)
	other := config(n)
	other.Installation = "ffff0000"
	_, err := publish.Open(t.Context(), other)
	if err == nil || !strings.Contains(err.Error(), "0123abcd") || !strings.Contains(err.Error(), "--router-namespace") {
		t.Errorf("%v", err)
	}
}

func TestATermIsNewerThanAllThatIsThere(t *testing.T) {
	n := &edgetest.Namespace{}
	for range 3 {
		p := open(t, n)
		p.Set("s1", routes("web"))
		p.Complete()
		want{"s1: web"}.in(t, n)
		if err := p.Close(); err != nil {
			t.Fatal(err)
		}
	}
	lost, err := n.Get(t.Context(), published.KindIndex, published.IndexName)
	if err != nil {
		t.Fatal(err)
	}
	if err := n.Delete(t.Context(), lost); err != nil {
		t.Fatal(err)
	}
	p := open(t, n)
	p.Set("s1", routes("api"))
	p.Complete()
	want{"s1: api"}.in(t, n)
}

func TestTasksThatTheNextServerDoesNotKnowYetGoOnServing(t *testing.T) {
	n := &edgetest.Namespace{}
	p := open(t, n)
	p.Set("s1", routes("web", "api"))
	p.Set("s2", routes("web"))
	p.Complete()
	want{"s1: web api", "s2: web"}.in(t, n)
	until(t, "complete", func() bool { return index(t, n).Complete })
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	p = open(t, n)
	fewer := routes("web", "api")
	fewer.Apps[1].Tasks = nil
	p.Set("s1", fewer)
	p.Set("s2", routes("web", "new"))
	p.Complete()
	want{"s1: web api", "s2: web new"}.in(t, n)
	if got := tasks(t, n, "s1"); got != 2 {
		t.Errorf("%d tasks are published", got)
	}
	p.Set("s1", routes("web", "api", "new"))
	want{"s1: web api new", "s2: web new"}.in(t, n)
	p.Set("s1", fewer) // now it knows
	until(t, "one task", func() bool { return tasks(t, n, "s1") == 1 })
}

func TestTasksThatDoNotComeAreNotWaitedForForEver(t *testing.T) {
	n := &edgetest.Namespace{}
	p := open(t, n)
	p.Set("s1", routes("web", "api"))
	p.Complete()
	want{"s1: web api"}.in(t, n)
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	c := config(n)
	c.Adopt = 10 * time.Millisecond
	p, err := publish.Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	fewer := routes("web", "api")
	fewer.Apps[1].Tasks = nil
	p.Set("s1", fewer)
	p.Complete()
	until(t, "one task", func() bool { return tasks(t, n, "s1") == 1 })
	if err := p.Close(); err != nil {
		t.Error(err)
	}
}

// tasks counts those that are published of a stage.
func tasks(t *testing.T, n *edgetest.Namespace, stageID string) (count int) {
	t.Helper()
	o, err := n.Get(t.Context(), published.KindStage, published.StageName(stageID))
	if err != nil {
		t.Fatal(err)
	}
	s, err := published.ReadStage(o)
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range s.Routes.Apps {
		count += len(a.Tasks)
	}
	return count
}
