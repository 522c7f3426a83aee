package staging_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/setopsco/setops/internal/changeset"
	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/idempotency"
	"github.com/setopsco/setops/internal/plan"
	"github.com/setopsco/setops/internal/seal"
	"github.com/setopsco/setops/internal/setops"
	"github.com/setopsco/setops/internal/staging"
	"github.com/setopsco/setops/internal/store"
	"github.com/setopsco/setops/internal/store/storetest"
)

var (
	stage  = setops.StageRef{ID: "s-1", Organization: "demo", Project: "shop", Name: "production"}
	ada    = setops.User{ID: "u-ada", Email: "ada@example.com"}
	now    = time.UnixMilli(1_700_000_000_000).UTC()
	digest = fmt.Sprintf("sha256:%064x", 1)

	unkeyed idempotency.Receipt[[]staging.Result]
)

func TestMain(m *testing.M) { os.Exit(storetest.Run(m)) }

// images is a registry that has one image, in the repository of app web.
type images struct {
	fault    error
	prepared []engine.Image
}

func (i *images) Exists(_ context.Context, repository, d string) (bool, error) {
	return repository == "demo/shop/production/web" && d == digest, i.fault
}

func (i *images) Tag(context.Context, string, string) (string, error) { return "v1", i.fault }
func (i *images) Digest(_ context.Context, repository, tag string) (string, bool, error) {
	return digest, repository == "demo/shop/production/web" && tag == "v2", i.fault
}

func (i *images) Prepare(image engine.Image) { i.prepared = append(i.prepared, image) }

type world struct {
	*staging.Service
	store  *store.Store
	images *images
	box    *seal.Box

	refuse func(changeset.Command) error // what the server says of a command, if anything
	asked  int
}

func (w *world) Admit(_ context.Context, _ setops.StageRef, c changeset.Command) error {
	w.asked++
	if w.refuse == nil {
		return nil
	}
	return w.refuse(c)
}

// committed gives a stage on which the apps web and worker are committed, without releases.
func committed(t *testing.T) *world {
	t.Helper()
	ctx := t.Context()
	s := storetest.Open(t)
	_, err := s.AddOrganization(ctx, "o-1", "demo", now)
	must(t, err)
	must(t, s.AddUser(ctx, ada, "hash", "o-1", now))
	must(t, s.AddProject(ctx, "o-1", setops.Project{ID: "p-1", Name: "shop"}, ada))
	must(t, s.AddStage(ctx, setops.Stage{ID: "s-1", ProjectID: "p-1", Name: "production"}, ada))
	box, err := seal.New(make([]byte, seal.KeySize))
	must(t, err)
	w := &world{store: s, images: &images{}, box: box}
	n := 0
	w.Service = &staging.Service{
		Store: s, Images: w.images, Domains: w, Box: box, Now: func() time.Time { return now },
		NewID: func() string { n++; return fmt.Sprint("id-", n) },
	}
	w.must(t, `app:create {"name":"web"}`, `app:create {"name":"worker"}`)
	w.commit(t)
	return w
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// commit makes what ada has staged the committed state.
func (w *world) commit(t *testing.T) {
	t.Helper()
	ctx := t.Context()
	_, err := w.store.Enqueue(ctx, changeset.Ticket{ID: w.NewID(), StageID: stage.ID, UserID: ada.ID, Now: now, QueueUntil: now.Add(time.Hour)})
	must(t, err)
	c, _, err := w.store.Claim(ctx, stage.ID, "owner", now, now.Add(time.Hour))
	must(t, err)
	before, err := w.store.Spec(ctx, stage.ID)
	must(t, err)
	after, problems := changeset.Fold(before, c.Changeset.Commands)
	if len(problems) > 0 {
		t.Fatal(problems[0])
	}
	must(t, w.store.Pass(ctx, c, after, plan.Plan{}, now))
	must(t, w.store.EndCommit(ctx, c, changeset.Done, nil, now))
}

// stage stages commands, each written as its name and its arguments.
func (w *world) stage(t *testing.T, commands ...string) ([]staging.Result, error) {
	t.Helper()
	requests := make([]staging.Request, 0, len(commands))
	for _, c := range commands {
		name, arguments, _ := strings.Cut(c, " ")
		requests = append(requests, staging.Request{Name: name, Arguments: json.RawMessage(arguments)})
	}
	return w.Stage(t.Context(), stage, ada, requests, unkeyed)
}

func (w *world) must(t *testing.T, commands ...string) []staging.Result {
	t.Helper()
	results, err := w.stage(t, commands...)
	must(t, err)
	return results
}

func (w *world) staged(t *testing.T) []changeset.Command {
	t.Helper()
	c, err := w.Changeset(t.Context(), stage, ada)
	if setops.IsCode(err, setops.ChangesetDoesNotExist) {
		return nil
	}
	must(t, err)
	return c.Commands
}

func TestAResultShowsTheAppAsItWillBe(t *testing.T) {
	w := committed(t)
	w.must(t, `app:resource:set {"name":"web","scale":3}`)
	results := w.must(t, `app:resource:set {"name":"web","memory":512}`, `app:destroy {"name":"worker"}`)
	if r := results[0].App.Resources; r.Scale != 3 || r.Memory != 512 {
		t.Errorf("%+v", r)
	}
	if results[1].App != nil {
		t.Error("a destroyed app is shown")
	}
	if n := len(w.staged(t)); n != 3 {
		t.Errorf("%d commands staged", n)
	}
}

func TestValuesAreSealedForTheirAppAndKey(t *testing.T) {
	w := committed(t)
	w.must(t, `app:env:set {"name":"web","key":"A","value":"canary"}`, `app:env:set {"name":"web","key":"B","value":"canary"}`,
		`app:env:set {"name":"worker","key":"A","value":"canary"}`)
	seen := map[setops.Sealed]bool{}
	for _, c := range w.staged(t) {
		e := c.(*changeset.EnvSet)
		if strings.Contains(string(e.Value), "canary") || seen[e.Value] {
			t.Errorf("%s of %s is kept as %q", e.Key, e.AppName, string(e.Value))
		}
		seen[e.Value] = true
		if got, err := w.box.Open(seal.EnvPurpose(stage.ID, e.AppName, e.Key), e.Value); got != "canary" || err != nil {
			t.Errorf("%s of %s opens to %q, %v", e.Key, e.AppName, got, err)
		}
	}
}

func TestAReleaseGetsItsNumberTagAndTimeWhenItIsStaged(t *testing.T) {
	w := committed(t)
	w.must(t, `app:release:create {"name":"web","release_digest":"`+digest+`"}`)
	// What a client says of these is not believed.
	w.must(t, `app:release:create {"name":"web","release_digest":"`+digest+`","release_id":99,"tag":"mine","created_by":"somebody else","created_at":"2001-01-01T00:00:00Z"}`)
	for i, c := range w.staged(t) {
		want := changeset.ReleaseCreate{AppName: "web", Digest: digest, ID: i + 1, Tag: "v1", CreatedAt: now, CreatedBy: ada.Email}
		if got := *c.(*changeset.ReleaseCreate); got != want {
			t.Errorf("%+v", got)
		}
	}
	if len(w.images.prepared) != 2 || w.images.prepared[0] != (engine.Image{Repository: "demo/shop/production/web", Digest: digest}) {
		t.Errorf("prepared %v", w.images.prepared)
	}
}

func TestARefusedListStagesNothingTakesNoNumberAndPreparesNothing(t *testing.T) {
	w := committed(t)
	_, err := w.stage(t, `app:release:create {"name":"web","release_digest":"`+digest+`"}`, `app:release:set {"name":"web","release_id":7}`)
	if !setops.IsCode(err, setops.ReleaseDoesNotExist) || !strings.HasPrefix(err.Error(), "command 2: ") {
		t.Errorf("got %v", err)
	}
	if w.staged(t) != nil || w.images.prepared != nil {
		t.Errorf("staged %v, prepared %v", w.staged(t), w.images.prepared)
	}
	w.must(t, `app:release:create {"name":"web","release_digest":"`+digest+`"}`, `app:release:set {"name":"web","release_id":1}`)
}

func TestADigestMustBeInTheAppsOwnRepository(t *testing.T) {
	w := committed(t)
	w.must(t, `app:destroy {"name":"web"}`, `app:create {"name":"web"}`)
	for name, command := range map[string]string{
		"another app's":                `app:release:create {"name":"worker","release_digest":"` + digest + `"}`,
		"of the app that is made anew": `app:release:create {"name":"web","release_digest":"` + digest + `"}`,
		"nobody's":                     `app:release:create {"name":"worker","release_digest":"sha256:` + strings.Repeat("0", 64) + `"}`,
	} {
		_, err := w.stage(t, command)
		var e *setops.Error
		if !errors.As(err, &e) || len(e.Violations) != 1 || e.Violations[0].Validator != setops.ReleaseDigestDoesNotExist {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestARegistryThatCannotBeAskedIsAFault(t *testing.T) {
	w := committed(t)
	w.images.fault = errors.New("disk on fire")
	_, err := w.stage(t, `app:release:create {"name":"web","release_digest":"`+digest+`"}`)
	if !errors.Is(err, w.images.fault) || w.staged(t) != nil {
		t.Errorf("got %v", err)
	}
}

func TestWhatDoesNotApplyAnyMoreDoesNotStandInTheWay(t *testing.T) {
	w := committed(t)
	bob := setops.User{ID: "u-bob", Email: "bob@example.com"}
	must(t, w.store.AddUser(t.Context(), bob, "hash", "o-1", now))
	if _, err := w.Stage(t.Context(), stage, bob, []staging.Request{{Name: "app:resource:set", Arguments: json.RawMessage(`{"name":"worker","scale":2}`)}}, unkeyed); err != nil {
		t.Fatal(err)
	}
	w.must(t, `app:destroy {"name":"worker"}`)
	w.commit(t)
	if _, err := w.Stage(t.Context(), stage, bob, []staging.Request{{Name: "app:resource:set", Arguments: json.RawMessage(`{"name":"web","scale":2}`)}}, unkeyed); err != nil {
		t.Error(err)
	}
}

func TestFieldsOfAListAreNamedWithTheirCommand(t *testing.T) {
	w := committed(t)
	for field, commands := range map[string][]string{
		"scale":             {`app:resource:set {"name":"web","scale":17}`},
		"commands[0].scale": {`app:resource:set {"name":"web","scale":17}`, `app:create {"name":"new"}`},
		"commands[1].name":  {`app:create {"name":"new"}`, `app:explode {}`},
		"commands[1].value": {`app:create {"name":"new"}`, `app:env:set {"name":"new","key":"A","value":"a\u0000b"}`},
	} {
		_, err := w.stage(t, commands...)
		var e *setops.Error
		if !errors.As(err, &e) || len(e.Violations) != 1 || e.Violations[0].Field != field {
			t.Errorf("%v: %v", commands, err)
		}
	}
	if w.staged(t) != nil {
		t.Error("something was staged")
	}
}

func TestAChangesetHasALimit(t *testing.T) {
	w := committed(t)
	thousand := make([]string, 1000)
	for i := range thousand {
		thousand[i] = `app:resource:set {"name":"web","scale":2}`
	}
	for range 10 {
		w.must(t, thousand...)
	}
	if _, err := w.stage(t, thousand[0]); !setops.IsCode(err, setops.ChangesetInvalid) {
		t.Errorf("got %v", err)
	}
	if n, err := w.Discard(t.Context(), stage, ada, idempotency.Receipt[int]{}); n != 10_000 || err != nil {
		t.Errorf("discarded %d, %v", n, err)
	}
	if _, err := w.Discard(t.Context(), stage, ada, idempotency.Receipt[int]{}); !setops.IsCode(err, setops.ChangesetDoesNotExist) {
		t.Errorf("got %v", err)
	}
}

func TestWhatTheServerKnowsOfADomainIsSaidWhereTheCommandFolds(t *testing.T) {
	w := committed(t)
	w.asked = 0
	w.refuse = func(c changeset.Command) error {
		if d, ok := c.(*changeset.DomainCreate); ok && strings.HasPrefix(d.Domain, "taken.") {
			return setops.DomainTaken(d.Domain)
		}
		return nil
	}
	_, err := w.stage(t, `app:domain:create {"name":"web","domain":"a.example.com"}`, `app:domain:create {"name":"web","domain":"TAKEN.example.com"}`,
		`app:domain:create {"name":"web","domain":"b.example.com"}`)
	var e *setops.Error
	if !errors.As(err, &e) || len(e.Violations) != 1 || e.Violations[0].Field != "commands[1].domain" || e.Violations[0].Validator != setops.Taken {
		t.Errorf("got %v", err)
	}
	if w.staged(t) != nil || w.asked != 2 {
		t.Errorf("staged %v, asked %d times", w.staged(t), w.asked)
	}
	// What is wrong with the command itself comes first.
	if _, err := w.stage(t, `app:domain:create {"name":"gone","domain":"taken.example.com"}`); !setops.IsCode(err, setops.AppDoesNotExist) {
		t.Errorf("got %v", err)
	}
}

func TestAServerThatCannotSayWhoseADomainIsStagesNothing(t *testing.T) {
	w := committed(t)
	fault := errors.New("disk on fire")
	w.refuse = func(changeset.Command) error { return fault }
	if _, err := w.stage(t, `app:domain:create {"name":"web","domain":"a.example.com"}`); !errors.Is(err, fault) || w.staged(t) != nil {
		t.Errorf("got %v", err)
	}
}

func TestAResultShowsTheAppAsItWasBefore(t *testing.T) {
	w := committed(t)
	w.must(t, `app:domain:create {"name":"web","domain":"a.example.com","primary":true}`)
	results := w.must(t, `app:domain:create {"name":"web","domain":"b.example.com","primary":true}`, `app:create {"name":"new"}`)
	if before := results[0].Before.Domains; len(before) != 1 || !before["a.example.com"].Primary {
		t.Errorf("before: %+v", before)
	}
	if after := results[0].App.Domains; len(after) != 2 || !after["b.example.com"].Primary || after["a.example.com"].Primary {
		t.Errorf("after: %+v", after)
	}
	if results[1].Before != nil || results[1].App == nil {
		t.Errorf("a new app: %+v", results[1])
	}
}

func TestACommandThatIsRemovedLeavesTheOthersAndAReceipt(t *testing.T) {
	w, ctx := committed(t), t.Context()
	w.must(t, `app:create {"name":"extra"}`, `app:env:set {"name":"extra","key":"A","value":"hidden"}`)
	request := idempotency.Request{ID: "r", UserID: ada.ID, Digest: "d"}
	kept := idempotency.Receipt[staging.Removed]{Request: request, Answer: func(r staging.Removed) any { return r.Broken }}
	r, err := w.Remove(ctx, stage, ada, 1, kept)
	if err != nil || r.Command.Name() != "app:create" || r.Left != 1 || len(r.Broken) != 1 || !strings.Contains(r.Broken[0], "extra") {
		t.Errorf("%+v, %v", r, err)
	}
	_, answer, ok, err := w.store.Request(ctx, "r", now)
	if err != nil || !ok || !strings.Contains(answer, "extra") {
		t.Errorf("%s, %v, %v", answer, ok, err)
	}
}
