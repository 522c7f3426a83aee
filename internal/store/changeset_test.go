package store

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"sync"
	"testing"

	"github.com/setopsco/setops/internal/changeset"
	"github.com/setopsco/setops/internal/idempotency"
	"github.com/setopsco/setops/internal/plan"
	"github.com/setopsco/setops/internal/setops"
)

func create(app string) changeset.Command  { return &changeset.AppCreate{AppName: app} }
func destroy(app string) changeset.Command { return &changeset.AppDestroy{AppName: app} }
func scale(app string, n int) changeset.Command {
	return &changeset.ResourceSet{AppName: app, Scale: new(n)}
}

func release(app string, id int) changeset.Command {
	return &changeset.ReleaseCreate{AppName: app, Digest: fmt.Sprintf("sha256:%064x", id), ID: id, Tag: "v1", CreatedAt: now, CreatedBy: ada.Email}
}

func activate(app string, id int) changeset.Command {
	return &changeset.ReleaseActivate{AppName: app, ID: id}
}

func start(app, generation string) plan.Plan {
	return plan.Plan{Steps: []plan.Step{
		{ID: "start " + generation, Kind: plan.StartGeneration, App: app, Generation: generation}, {ID: "switch", Kind: plan.Switch},
	}}
}

func TestEveryUserHasAChangesetOfTheirOwn(t *testing.T) {
	s := withStage(t)
	stage(t, s, ada, create("web"))
	stage(t, s, bob, create("worker"))
	stage(t, s, ada, scale("web", 2))
	if got := staged(t, s, ada); !slices.Equal(got, []string{"app:create web", "app:resource:set web"}) {
		t.Errorf("ada's: %v", got)
	}
	if got := staged(t, s, bob); !slices.Equal(got, []string{"app:create worker"}) {
		t.Errorf("bob's: %v", got)
	}
	n, ok, err := s.Discard(t.Context(), "s-1", ada.ID, now, idempotency.Receipt[int]{})
	if n != 2 || !ok || err != nil {
		t.Errorf("discarded %d, %v, %v", n, ok, err)
	}
	if _, ok, err = s.Discard(t.Context(), "s-1", ada.ID, now, idempotency.Receipt[int]{}); ok || err != nil {
		t.Errorf("discarded twice: %v, %v", ok, err)
	}
	if got := staged(t, s, bob); len(got) != 1 {
		t.Errorf("bob's: %v", got)
	}
}

func TestNothingIsStagedWhenTheDecisionIsNo(t *testing.T) {
	s := withStage(t)
	no := errors.New("no")
	err := s.AppendCommands(t.Context(), "s-1", ada.ID, "c", now,
		func(_ setops.Spec, _ []changeset.Command, reserve func(string) (int, error)) ([]changeset.Command, error) {
			if id, err := reserve("web"); id != 1 || err != nil {
				t.Errorf("reserved %d, %v", id, err)
			}
			return []changeset.Command{create("web")}, no
		}, idempotency.Receipt[[]changeset.Command]{})
	if !errors.Is(err, no) || staged(t, s, ada) != nil {
		t.Errorf("%v, staged %v", err, staged(t, s, ada))
	}
	if got := reserveOne(t, s, ada); got != 1 {
		t.Errorf("the number of a refused command is lost: the next is %d", got)
	}
}

func reserveOne(t *testing.T, s *Store, u setops.User) (id int) {
	t.Helper()
	must(t, s.AppendCommands(t.Context(), "s-1", u.ID, "changeset of "+u.ID, now,
		func(_ setops.Spec, _ []changeset.Command, reserve func(string) (int, error)) (none []changeset.Command, err error) {
			id, err = reserve("web")
			return nil, err
		}, idempotency.Receipt[[]changeset.Command]{}))
	return id
}

func TestReleaseIDsAreReservedOnce(t *testing.T) {
	s := withStage(t)
	ids := make(chan int, 40)
	var wg sync.WaitGroup
	for i := range 40 {
		wg.Go(func() { ids <- reserveOne(t, s, []setops.User{ada, bob}[i%2]) })
	}
	wg.Wait()
	close(ids)
	var all []int
	for id := range ids {
		all = append(all, id)
	}
	slices.Sort(all)
	for i, id := range all {
		if id != i+1 {
			t.Fatalf("reserved %v", all)
		}
	}
}

func TestTheStateSurvivesTheStore(t *testing.T) {
	s := withStage(t)
	commands := []changeset.Command{
		create("web"), release("web", 1), release("web", 3), activate("web", 3), scale("web", 4),
		&changeset.EnvSet{AppName: "web", Key: "A", Value: "s1:x", Description: "d"},
		&changeset.ContainerSet{AppName: "web", Command: []string{"a b", "c"}, HealthCheck: &changeset.HealthCheck{Command: []string{"true"}}, StopTimeout: new(90)},
		&changeset.NetworkSet{AppName: "web", Public: new(true), HealthCheckPath: new("/up")},
		create("idle"),
	}
	after := pass(t, s, "c-1", start("web", "g-1"), commands...)
	for _, a := range after.Apps {
		a.Committed = true
	}
	after.Apps["web"].Releases[1].ActivatedAt, after.Apps["web"].Releases[1].ActivatedBy = now, ada.Email
	got, err := s.Spec(t.Context(), "s-1")
	must(t, err)
	if !reflect.DeepEqual(got, after) {
		t.Errorf("got %+v\nwant %+v", got.Apps["web"], after.Apps["web"])
	}
	one, ok, err := s.App(t.Context(), "s-1", "web")
	if err != nil || !ok || !reflect.DeepEqual(one, after.Apps["web"]) {
		t.Errorf("%+v, %v, %v", one, ok, err)
	}
	if _, ok, err := s.App(t.Context(), "s-1", "gone"); ok || err != nil {
		t.Errorf("an app that is not there: %v, %v", ok, err)
	}
	names, err := s.AppNames(t.Context(), "s-1")
	if err != nil || !slices.Equal(names, []string{"idle", "web"}) {
		t.Errorf("%v, %v", names, err)
	}
}

func TestAnAppThatBeginsAnewHasNoReleases(t *testing.T) {
	s := withStage(t)
	pass(t, s, "c-1", start("web", "g-1"), create("web"), release("web", 1), activate("web", 1))
	if id := reserveOne(t, s, bob); id != 2 { // the number above was not reserved, as those of a revert are not
		t.Errorf("reserved %d", id)
	}
	remove := plan.Plan{Steps: []plan.Step{{ID: "remove g-1", Kind: plan.RemoveGeneration, App: "web", Generation: "g-1", After: true}}}
	pass(t, s, "c-2", remove, destroy("web"), create("web"))
	web, ok, err := s.App(t.Context(), "s-1", "web")
	if err != nil || !ok || len(web.Releases) > 0 || web.ActiveRelease != 0 {
		t.Errorf("%+v, %v", web, err)
	}
	if id := reserveOne(t, s, bob); id != 1 {
		t.Errorf("the new app's first release is %d", id)
	}
}
