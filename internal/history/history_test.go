package history_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/setopsco/setops/internal/changeset"
	"github.com/setopsco/setops/internal/history"
	"github.com/setopsco/setops/internal/idempotency"
	"github.com/setopsco/setops/internal/plan"
	"github.com/setopsco/setops/internal/seal"
	"github.com/setopsco/setops/internal/setops"
	"github.com/setopsco/setops/internal/store"
	"github.com/setopsco/setops/internal/store/storetest"
)

func TestMain(m *testing.M) { os.Exit(storetest.Run(m)) }

var (
	stage = setops.StageRef{ID: "s-1", Organization: "demo", Project: "shop", Name: "production"}
	ada   = setops.User{ID: "u-ada", Email: "ada@example.com"}
	now   = time.UnixMilli(1_700_000_000_000).UTC()
)

// world is a stage with a past. Its registry has lost some images, and its server does not admit some domains.
type world struct {
	*history.Service
	t     *testing.T
	store *store.Store
	lost  map[string]bool
	n     int
}

func begun(t *testing.T) *world {
	t.Helper()
	ctx := t.Context()
	w := &world{t: t, store: storetest.Open(t), lost: map[string]bool{}}
	_, err := w.store.AddOrganization(ctx, "o-1", "demo", now)
	must(t, err)
	must(t, w.store.AddUser(ctx, ada, "hash", "o-1", now))
	must(t, w.store.AddProject(ctx, "o-1", setops.Project{ID: "p-1", Name: "shop"}, ada))
	must(t, w.store.AddStage(ctx, setops.Stage{ID: stage.ID, ProjectID: "p-1", Name: stage.Name}, ada))
	box, err := seal.New(make([]byte, seal.KeySize))
	must(t, err)
	w.Service = &history.Service{
		Store: w.store, Running: w, Box: box, Now: func() time.Time { return now }, NewID: func() string { return w.id("changeset") },
		Exists: func(_ context.Context, _, digest string) (bool, error) { return !w.lost[digest], nil },
		Admit: func(_ context.Context, _ setops.StageRef, c changeset.Command) error {
			if d, ok := c.(*changeset.DomainCreate); ok && strings.HasPrefix(d.Domain, "taken.") {
				return setops.DomainTaken(d.Domain)
			}
			return nil
		},
	}
	return w
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (w *world) id(of string) string { w.n++; return fmt.Sprint(of, "-", w.n) }

// Commit stands for the service that runs commits.
func (w *world) Commit(ctx context.Context, stageID, id string) (changeset.Commit, error) {
	c, ok, err := w.store.Commit(ctx, stageID, id)
	if err == nil && !ok {
		err = setops.Refuse(setops.CommitNotFound, "no commit %s", id)
	}
	return c, err
}

// commit makes commands live and gives the id of that; it fails where end is Failed.
func (w *world) commit(end changeset.State, commands ...changeset.Command) string {
	w.t.Helper()
	w.stage(commands...)
	return w.commitStaged(end)
}

func (w *world) stage(commands ...changeset.Command) {
	w.t.Helper()
	must(w.t, w.store.AppendCommands(w.t.Context(), stage.ID, ada.ID, w.id("changeset"), now,
		func(setops.Spec, []changeset.Command, func(string) (int, error)) ([]changeset.Command, error) {
			return commands, nil
		},
		idempotency.Receipt[[]changeset.Command]{}))
}

func (w *world) commitStaged(end changeset.State) string {
	w.t.Helper()
	id, c, after, p := w.planned()
	if end == changeset.Done {
		must(w.t, w.store.Pass(w.t.Context(), c, after, p, now))
	}
	must(w.t, w.store.EndCommit(w.t.Context(), c, end, nil, now))
	return id
}

// planned is a commit of what is staged whose plan is in the journal.
func (w *world) planned() (string, changeset.Commit, setops.Spec, plan.Plan) {
	w.t.Helper()
	ctx := w.t.Context()
	id := w.id("commit")
	_, err := w.store.Enqueue(ctx, changeset.Ticket{ID: id, StageID: stage.ID, UserID: ada.ID, Message: "m " + id, Now: now, QueueUntil: now.Add(time.Hour)})
	must(w.t, err)
	c, _, err := w.store.Claim(ctx, stage.ID, "owner", now, now.Add(time.Hour))
	must(w.t, err)
	before, err := w.store.Spec(ctx, stage.ID)
	must(w.t, err)
	after, problems := changeset.Fold(before, c.Changeset.Commands)
	if len(problems) > 0 {
		w.t.Fatal(problems[0])
	}
	p := plan.Plan{Steps: []plan.Step{{ID: "switch", Kind: plan.Switch}}}
	must(w.t, w.store.WriteJournal(ctx, c, p, nil, changeset.DeltaOf(before, after), now))
	return id, c, after, p
}

// web is app web with a release that is active.
func web(id int) []changeset.Command {
	return []changeset.Command{
		&changeset.ReleaseCreate{AppName: "web", ID: id, Digest: digest(id)}, &changeset.ReleaseActivate{AppName: "web", ID: id},
	}
}

func digest(n int) string { return fmt.Sprintf("sha256:%064x", n) }

// refused wants that a revert is refused with a sentence, and that nothing is staged by it.
func (w *world) refused(r history.Revert, why string) {
	w.t.Helper()
	before, had, err := w.store.Changeset(w.t.Context(), stage.ID, ada.ID)
	must(w.t, err)
	_, err = w.Revert(w.t.Context(), stage, ada, r, idempotency.Receipt[history.Reverted]{})
	if err == nil || !strings.Contains(err.Error(), why) {
		w.t.Errorf("%+v: %v", r, err)
	}
	after, has, err := w.store.Changeset(w.t.Context(), stage.ID, ada.ID)
	must(w.t, err)
	if had != has || len(before.Commands) != len(after.Commands) {
		w.t.Errorf("%d commands are staged", len(after.Commands))
	}
}

func TestTheHistoryIsListedNewestFirstAndToldInFull(t *testing.T) {
	w := begun(t)
	first := w.commit(changeset.Done, append([]changeset.Command{&changeset.AppCreate{AppName: "web"}}, web(1)...)...)
	second := w.commit(changeset.Failed, &changeset.ResourceSet{AppName: "web", Scale: new(2)})
	all, err := w.Commits(t.Context(), stage, "", 10)
	if err != nil || len(all) != 2 || all[0].ID != second || all[0].State != changeset.Failed || all[1].Version != 1 || all[1].Message != "m "+first {
		t.Fatalf("%+v, %v", all, err)
	}
	if older, err := w.Commits(t.Context(), stage, second, 10); err != nil || len(older) != 1 || older[0].ID != first {
		t.Errorf("%+v, %v", older, err)
	}
	if newest, err := w.Commits(t.Context(), stage, "", 1); err != nil || len(newest) != 1 || newest[0].ID != second {
		t.Errorf("%+v, %v", newest, err)
	}
	d, err := w.Details(t.Context(), stage, second)
	if err != nil || len(d.Steps) != 1 || d.Steps[0].ID != "switch" || d.Delta.After.Apps["web"].Resources.Scale != 2 {
		t.Errorf("%+v, %v", d, err)
	}
	if _, err := w.Details(t.Context(), stage, "none"); !setops.IsCode(err, setops.CommitNotFound) {
		t.Errorf("got %v", err)
	}
}

func TestNoStepOfACommitThatFailedIsToldAsRunning(t *testing.T) {
	w := begun(t)
	w.commit(changeset.Done, &changeset.AppCreate{AppName: "web"})
	for step, want := range map[string]string{"switch": "failed", "await web-1": "undone"} {
		w.stage(&changeset.ResourceSet{AppName: "web", Scale: new(2)})
		id, c, _, _ := w.planned()
		must(t, w.store.StepStarted(t.Context(), id, c.Lease.Fence, 0, now))
		if d, err := w.Details(t.Context(), stage, id); err != nil || d.Steps[0].State != "running" {
			t.Errorf("%+v, %v", d.Steps, err)
		}
		must(t, w.store.EndCommit(t.Context(), c, changeset.Failed, &changeset.Failure{Code: "CommitFailed", Step: step}, now))
		if d, err := w.Details(t.Context(), stage, id); err != nil || d.Steps[0].State != want {
			t.Errorf("the commit failed at %s: %+v, %v", step, d.Steps, err)
		}
		_, _, err := w.store.Discard(t.Context(), stage.ID, ada.ID, now, idempotency.Receipt[int]{})
		must(t, err)
	}
}

func TestValuesOfEnvAreShownOrHidden(t *testing.T) {
	w := begun(t)
	before := setops.Spec{Apps: map[string]*setops.App{"web": setops.NewApp("web")}}
	after := before.Clone()
	after.Apps["web"].Env = map[string]setops.EnvVar{"A": {Value: w.Box.Seal(seal.EnvPurpose(stage.ID, "web", "A"), "canary")}}
	for hide, want := range map[bool]string{false: "canary", true: ""} {
		changes, err := w.Changes(stage, before, after, hide)
		if err != nil || len(changes) != 1 || len(changes[0].Values) != 1 {
			t.Fatalf("%+v, %v", changes, err)
		}
		if v := changes[0].Values[0]; v.Old != nil || *v.New != want || v.Sealed != hide || v.Secret {
			t.Errorf("hidden %v: %+v", hide, v)
		}
	}
	secret := before.Clone()
	secret.Apps["web"].Env = map[string]setops.EnvVar{"A": {Value: w.Box.Seal(seal.EnvPurpose(stage.ID, "web", "A"), "hush"), Secret: true}}
	for _, between := range [][2]setops.Spec{{before, secret}, {secret, before}, {after, secret}, {secret, after}} {
		changes, err := w.Changes(stage, between[0], between[1], false)
		if err != nil || len(changes) != 1 || len(changes[0].Values) != 2 {
			t.Fatalf("%+v, %v", changes, err)
		}
		v := changes[0].Values[0]
		for _, value := range []*string{v.Old, v.New} {
			if value != nil && *value != "" || !v.Sealed || !v.Secret {
				t.Errorf("a secret is shown, or what it was before: %+v", v)
			}
		}
	}
	after.Apps["web"].Env["A"] = setops.EnvVar{Value: "s1:nonsense"}
	if _, err := w.Changes(stage, before, after, false); err == nil {
		t.Error("a value that cannot be opened was shown")
	}
}

func TestARevertTakesBackWhatACommitDidAndNothingElse(t *testing.T) {
	w := begun(t)
	w.commit(changeset.Done, append([]changeset.Command{&changeset.AppCreate{AppName: "web"}}, web(1)...)...)
	second := w.commit(changeset.Done, append(web(2), &changeset.ResourceSet{AppName: "web", Scale: new(3)})...)
	w.commit(changeset.Done, &changeset.ResourceSet{AppName: "web", Memory: new(512)})
	done, err := w.Revert(t.Context(), stage, ada, history.Revert{Commit: second}, idempotency.Receipt[history.Reverted]{})
	must(t, err)
	if app := done.After.Apps["web"]; app.ActiveRelease != 1 || app.Resources.Scale != 1 || app.Resources.Memory != 512 || len(app.Releases) != 2 {
		t.Errorf("%+v", app)
	}
	back := w.commitStaged(changeset.Done)
	if c, _, err := w.store.Commit(t.Context(), stage.ID, back); err != nil || c.Reverts != second {
		t.Errorf("%+v, %v", c, err)
	}
	w.refused(history.Revert{Commit: second}, "already as if")
}

func TestARevertIsRefusedWhereItWouldNotBeOne(t *testing.T) {
	w := begun(t)
	w.commit(changeset.Done, append([]changeset.Command{&changeset.AppCreate{AppName: "web"}}, web(1)...)...)
	second := w.commit(changeset.Done, web(2)...)
	failed := w.commit(changeset.Failed, &changeset.ResourceSet{AppName: "web", Scale: new(9)})
	must(t, func() error {
		_, _, err := w.store.Discard(t.Context(), stage.ID, ada.ID, now, idempotency.Receipt[int]{})
		return err
	}())
	w.refused(history.Revert{Commit: failed}, "it has failed")
	w.refused(history.Revert{Commit: "none"}, "no commit none")

	w.lost[digest(1)] = true
	w.refused(history.Revert{Commit: second}, "its image "+digest(1)+" is lost")
	delete(w.lost, digest(1))

	third := w.commit(changeset.Done, append(web(3), &changeset.ResourceSet{AppName: "web", Scale: new(2)})...)
	w.refused(history.Revert{Commit: second}, "app web, release: ")
	done, err := w.Revert(t.Context(), stage, ada, history.Revert{Commit: second, Force: true}, idempotency.Receipt[history.Reverted]{})
	if err != nil || done.After.Apps["web"].ActiveRelease != 1 || done.After.Apps["web"].Resources.Scale != 2 {
		t.Errorf("%+v, %v", done.After.Apps["web"], err)
	}
	w.refused(history.Revert{Commit: third}, "changeset:discard") // something is staged
}

func TestTheImageOfADestroyedAppIsPushedAgainToANewAppOfThatName(t *testing.T) {
	w := begun(t)
	w.commit(changeset.Done, append([]changeset.Command{&changeset.AppCreate{AppName: "web"}}, web(1)...)...)
	gone := w.commit(changeset.Done, &changeset.AppDestroy{AppName: "web"})
	w.lost[digest(1)] = true
	w.refused(history.Revert{Commit: gone}, "commit `setops app:create web`, push it to demo/shop/production/web once more, then revert again with --force")

	w.commit(changeset.Done, &changeset.AppCreate{AppName: "web"})
	delete(w.lost, digest(1))
	done, err := w.Revert(t.Context(), stage, ada, history.Revert{Commit: gone, Force: true}, idempotency.Receipt[history.Reverted]{})
	if err != nil || done.After.Apps["web"].ActiveRelease != 1 {
		t.Errorf("%+v, %v", done.After.Apps["web"], err)
	}
}

func TestARevertThatTheServerDoesNotAdmitStagesNothing(t *testing.T) {
	w := begun(t)
	w.commit(changeset.Done, &changeset.AppCreate{AppName: "web"}, &changeset.DomainCreate{AppName: "web", Domain: "taken.example.com"})
	gone := w.commit(changeset.Done, &changeset.DomainDestroy{AppName: "web", Domain: "taken.example.com"})
	w.refused(history.Revert{Commit: gone}, "taken.example.com")
}

func TestAStageGoesBackToWhatItWasRightAfterACommit(t *testing.T) {
	w := begun(t)
	w.commit(changeset.Done, append([]changeset.Command{&changeset.AppCreate{AppName: "web"}}, web(1)...)...)
	second := w.commit(changeset.Done, append(web(2), &changeset.ResourceSet{AppName: "web", Scale: new(3)})...)
	w.commit(changeset.Done, append(web(3), &changeset.AppCreate{AppName: "worker"})...)
	w.commit(changeset.Done, &changeset.AppDestroy{AppName: "web"})
	w.lost[digest(3)] = true // nothing needs it
	done, err := w.Revert(t.Context(), stage, ada, history.Revert{Commit: second, To: true}, idempotency.Receipt[history.Reverted]{})
	must(t, err)
	app := done.After.Apps["web"]
	if len(done.After.Apps) != 1 || app.ActiveRelease != 2 || app.Resources.Scale != 3 {
		t.Fatalf("%+v", done.After.Apps)
	}
	w.commitStaged(changeset.Done)
	// The numbers that came back are not given again.
	reserved := 0
	must(t, w.store.AppendCommands(t.Context(), stage.ID, ada.ID, w.id("changeset"), now,
		func(_ setops.Spec, _ []changeset.Command, reserve func(string) (int, error)) (none []changeset.Command, err error) {
			reserved, err = reserve("web")
			return nil, err
		}, idempotency.Receipt[[]changeset.Command]{}))
	if reserved <= 2 {
		t.Errorf("release %d would be given again", reserved)
	}
}

func TestARevertBringsSecretsBackAndKeepsThemSecret(t *testing.T) {
	w := begun(t)
	set := func(value setops.Sealed, secret bool) changeset.Command {
		return &changeset.EnvSet{AppName: "web", Key: "A", Value: w.Box.Seal(seal.EnvPurpose(stage.ID, "web", "A"), string(value)), Secret: secret}
	}
	w.commit(changeset.Done, &changeset.AppCreate{AppName: "web"}, set("open", false))
	hidden := w.commit(changeset.Done, set("first", true))
	changed := w.commit(changeset.Done, set("second", false))
	unset := w.commit(changeset.Done, &changeset.EnvUnset{AppName: "web", Key: "A"})
	for _, step := range []struct {
		revert string
		want   string
	}{{unset, "second"}, {changed, "first"}, {hidden, "open"}} {
		done, err := w.Revert(t.Context(), stage, ada, history.Revert{Commit: step.revert}, idempotency.Receipt[history.Reverted]{})
		must(t, err)
		v := done.After.Apps["web"].Env["A"]
		value, err := w.Box.Open(seal.EnvPurpose(stage.ID, "web", "A"), v.Value)
		if err != nil || value != step.want || !v.Secret {
			t.Errorf("%q, secret %v, %v; it was %q", value, v.Secret, err, step.want)
		}
		w.commitStaged(changeset.Done)
	}
}
