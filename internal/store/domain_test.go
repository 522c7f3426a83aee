package store

import (
	"reflect"
	"testing"
	"time"

	"github.com/setopsco/setops/internal/changeset"
	"github.com/setopsco/setops/internal/idempotency"
	"github.com/setopsco/setops/internal/plan"
	"github.com/setopsco/setops/internal/setops"
)

func newDomain(app, name string) changeset.Command {
	return &changeset.DomainCreate{AppName: app, Domain: name, Primary: true}
}

func validate(app, name string) changeset.Command {
	return &changeset.DomainValidate{AppName: app, Domain: name}
}

// owner gives STAGE/APP of who has validated a domain, "" for nobody.
func owner(t *testing.T, s *Store, name string) string {
	t.Helper()
	stageID, app, ok, err := s.DomainOwner(t.Context(), name)
	must(t, err)
	if !ok {
		return ""
	}
	return stageID + "/" + app
}

// withOther adds stage s-2, on which app shop has a domain that is validated as said.
func withOther(t *testing.T, s *Store, domain string, isValidated bool) error {
	t.Helper()
	ctx := t.Context()
	must(t, s.AddStage(ctx, setops.Stage{ID: "s-2", ProjectID: "p-1", Name: "staging", CreatedAt: now, CreatedBy: ada.Email}, ada))
	app := setops.NewApp("shop")
	app.Domains = map[string]setops.Domain{domain: {Validated: isValidated}}
	must(t, s.AppendCommands(ctx, "s-2", ada.ID, "changeset on s-2", now,
		func(setops.Spec, []changeset.Command, func(string) (int, error)) ([]changeset.Command, error) {
			return []changeset.Command{create("shop")}, nil
		}, idempotency.Receipt[[]changeset.Command]{}))
	other := ticket("c-other", ada)
	other.StageID = "s-2"
	_, err := s.Enqueue(ctx, other)
	must(t, err)
	c, _, err := s.Claim(ctx, "s-2", "owner", now, now.Add(time.Minute))
	must(t, err)
	return s.Pass(ctx, c, setops.Spec{Apps: map[string]*setops.App{"shop": app}}, plan.Plan{}, now)
}

func TestDomainsAreReadBackAsTheyWereCommitted(t *testing.T) {
	s := withStage(t)
	pass(t, s, "c-1", plan.Plan{}, create("web"), newDomain("web", "example.com"), newDomain("web", "www.example.com"), validate("web", "example.com"))
	app, _, err := s.App(t.Context(), "s-1", "web")
	want := map[string]setops.Domain{"example.com": {Validated: true}, "www.example.com": {Primary: true}}
	if err != nil || !reflect.DeepEqual(app.Domains, want) {
		t.Errorf("%+v, %v", app.Domains, err)
	}
	if got := owner(t, s, "example.com"); got != "s-1/web" {
		t.Errorf("example.com is of %q", got)
	}
	if got := owner(t, s, "www.example.com"); got != "" {
		t.Errorf("one that is not validated is of %q", got)
	}
}

func TestADomainMovesWithTheCommitThatMovesIt(t *testing.T) {
	s := withStage(t)
	pass(t, s, "c-1", plan.Plan{}, create("web"), create("worker"), newDomain("web", "a.example"), validate("web", "a.example"))
	pass(t, s, "c-2", plan.Plan{}, &changeset.DomainDestroy{AppName: "web", Domain: "a.example"}, newDomain("worker", "a.example"), validate("worker", "a.example"))
	if got := owner(t, s, "a.example"); got != "s-1/worker" {
		t.Errorf("moved: %q", got)
	}
	pass(t, s, "c-3", plan.Plan{}, &changeset.AppDestroy{AppName: "worker"})
	if got := owner(t, s, "a.example"); got != "" {
		t.Errorf("its app is destroyed: %q", got)
	}
}

func TestADomainIsValidatedOnOneStageOnly(t *testing.T) {
	s := withStage(t)
	pass(t, s, "c-1", plan.Plan{}, create("web"), newDomain("web", "a.example"), validate("web", "a.example"))
	err := withOther(t, s, "a.example", true)
	refused(t, err, setops.ValidationFailed)
	if got := owner(t, s, "a.example"); got != "s-1/web" {
		t.Errorf("it is of %q", got)
	}
	if names, err := s.AppNames(t.Context(), "s-2"); err != nil || len(names) > 0 {
		t.Errorf("a commit that was refused has left apps %v, %v", names, err)
	}
}

func TestADomainThatIsNotValidatedBlocksNobody(t *testing.T) {
	s := withStage(t)
	pass(t, s, "c-1", plan.Plan{}, create("web"), newDomain("web", "a.example"))
	must(t, withOther(t, s, "a.example", true))
	if got := owner(t, s, "a.example"); got != "s-2/shop" {
		t.Errorf("it is of %q", got)
	}
	pass(t, s, "c-2", plan.Plan{}, &changeset.DomainDestroy{AppName: "web", Domain: "a.example"})
	if got := owner(t, s, "a.example"); got != "s-2/shop" {
		t.Errorf("another's was freed: %q", got)
	}
	must(t, s.RemoveStage(t.Context(), "s-2"))
	if got := owner(t, s, "a.example"); got != "" {
		t.Errorf("its stage is gone: %q", got)
	}
}

func TestAnAppKeepsItsPortUntilItIsReleased(t *testing.T) {
	s := withStage(t)
	ctx := t.Context()
	must(t, s.AddStage(ctx, setops.Stage{ID: "s-2", ProjectID: "p-1", Name: "staging", CreatedAt: now, CreatedBy: ada.Email}, ada))
	reserve := func(stage, app string, low, high, want int) {
		t.Helper()
		if got, err := s.ReservePort(ctx, stage, app, low, high); err != nil || got != want {
			t.Errorf("%s/%s of %d-%d: %d, %v", stage, app, low, high, got, err)
		}
	}
	reserve("s-1", "sftp", 20000, 20002, 20000)
	reserve("s-1", "proxy", 20000, 20002, 20001)
	reserve("s-2", "sftp", 20000, 20002, 20002)
	reserve("s-1", "sftp", 20000, 20099, 20000)
	if _, err := s.ReservePort(ctx, "s-1", "more", 20000, 20002); !setops.IsCode(err, setops.CommitFailed) {
		t.Errorf("all are taken: %v", err)
	}
	must(t, s.ReleasePort(ctx, "s-1", "proxy"))
	reserve("s-2", "more", 20000, 20002, 20001)
	reserve("s-1", "sftp", 30000, 30001, 30000) // the server was told another range
	ports, err := s.Ports(ctx, "s-1")
	if err != nil || !reflect.DeepEqual(ports, map[string]int{"sftp": 30000}) {
		t.Errorf("%v, %v", ports, err)
	}
}

func TestADestroyedAppReleasesItsPortAndANewOneOfItsNameKeepsIt(t *testing.T) {
	s := withStage(t)
	ctx := t.Context()
	pass(t, s, "c-1", plan.Plan{}, create("web"))
	if _, err := s.ReservePort(ctx, "s-1", "web", 20000, 20099); err != nil {
		t.Fatal(err)
	}
	pass(t, s, "c-2", plan.Plan{}, &changeset.AppDestroy{AppName: "web"}, create("web"))
	if ports, err := s.Ports(ctx, "s-1"); err != nil || ports["web"] != 20000 {
		t.Errorf("made anew in one commit: %v, %v", ports, err)
	}
	pass(t, s, "c-3", plan.Plan{}, &changeset.AppDestroy{AppName: "web"})
	if ports, err := s.Ports(ctx, "s-1"); err != nil || len(ports) > 0 {
		t.Errorf("destroyed: %v, %v", ports, err)
	}
}
