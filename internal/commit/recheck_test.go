package commit_test

import (
	"strings"
	"testing"
	"time"

	"github.com/setopsco/setops/internal/changeset"
	"github.com/setopsco/setops/internal/idempotency"
	"github.com/setopsco/setops/internal/plan"
	"github.com/setopsco/setops/internal/setops"
)

func TestACommandThatTheServerDoesNotAllowAnyMoreIsNamed(t *testing.T) {
	w, p := deployed(t)
	defer p.stop(t)
	end := p.commit(t, w,
		&changeset.DomainCreate{AppName: "web", Domain: "good.example.com"},
		&changeset.DomainCreate{AppName: "web", Domain: "forbidden.example.com"},
		&changeset.ResourceSet{AppName: "gone", Scale: new(2)})
	if end.State != changeset.Failed || end.Failure.Code != string(setops.ChangesetInvalid) {
		t.Fatalf("%+v %+v", end, end.Failure)
	}
	lines := strings.Split(end.Failure.Message, "\n")
	if len(lines) != 2 || !strings.HasPrefix(lines[0], "command 2 (app:domain:create of app web) does not apply: ") ||
		!strings.HasPrefix(lines[1], "command 3 (app:resource:set of app gone) does not apply: ") {
		t.Errorf("%q", lines)
	}
	if w.staged(t) != 3 {
		t.Errorf("%d commands staged", w.staged(t))
	}
}

func TestACommitFailsWhereItsCommandsCannotBeChecked(t *testing.T) {
	w, p := deployed(t)
	defer p.stop(t)
	end := p.commit(t, w, &changeset.DomainCreate{AppName: "web", Domain: "faulty.example.com"})
	if end.State != changeset.Failed || !strings.Contains(end.Failure.Message, "on fire") || w.staged(t) != 1 {
		t.Errorf("%+v %+v", end, end.Failure)
	}
}

func TestOfTwoCommitsThatTakeOneDomainTheSecondFailsAndChangesNothing(t *testing.T) {
	w, p := deployed(t)
	defer p.stop(t)
	ctx := t.Context()
	must(t, w.store.AddStage(ctx, setops.Stage{ID: "s-2", ProjectID: "p-1", Name: "staging", CreatedAt: time.Now()}, ada))
	shop := setops.NewApp("shop")
	shop.Domains = map[string]setops.Domain{"www.example.com": {Validated: true}}
	must(t, w.store.AppendCommands(ctx, "s-2", ada.ID, newID(), time.Now(),
		func(setops.Spec, []changeset.Command, func(string) (int, error)) ([]changeset.Command, error) {
			return []changeset.Command{&changeset.AppCreate{AppName: "shop"}}, nil
		}, idempotency.Receipt[[]changeset.Command]{}))
	_, err := w.store.Enqueue(ctx, changeset.Ticket{ID: "c-other", StageID: "s-2", UserID: ada.ID, Now: time.Now(), QueueUntil: time.Now().Add(time.Hour)})
	must(t, err)
	other, _, err := w.store.Claim(ctx, "s-2", "host", time.Now(), time.Now().Add(time.Hour))
	must(t, err)
	must(t, w.store.Pass(ctx, other, setops.Spec{Apps: map[string]*setops.App{"shop": shop}}, plan.Plan{}, time.Now()))
	end := p.commit(t, w, append(deploy("web", 2),
		&changeset.DomainCreate{AppName: "web", Domain: "www.example.com"}, &changeset.DomainValidate{AppName: "web", Domain: "www.example.com"})...)
	if end.State != changeset.Failed || end.Failure.Code != string(setops.ValidationFailed) || !strings.Contains(end.Failure.Message, "another app has validated www.example.com") {
		t.Errorf("%+v %+v", end, end.Failure)
	}
	if got := w.releases(t); got != "web:1 worker:1" || w.staged(t) != 4 {
		t.Errorf("%s, %d commands staged", got, w.staged(t))
	}
}
