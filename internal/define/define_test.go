package define_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/setopsco/setops/internal/changeset"
	"github.com/setopsco/setops/internal/define"
	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/idempotency"
	"github.com/setopsco/setops/internal/plan"
	"github.com/setopsco/setops/internal/seal"
	"github.com/setopsco/setops/internal/setops"
	"github.com/setopsco/setops/internal/store"
	"github.com/setopsco/setops/internal/store/storetest"
)

var (
	stage = setops.StageRef{ID: "s-1", Organization: "demo", Project: "shop", Name: "production"}
	ada   = setops.User{ID: "u-ada", Email: "ada@example.com"}
	now   = time.UnixMilli(1_700_000_000_000).UTC()

	unkeyed idempotency.Receipt[define.Applied]
)

func digest(n int) string { return fmt.Sprintf("sha256:%064x", n) }

func TestMain(m *testing.M) { os.Exit(storetest.Run(m)) }

// images is a registry in which all images are of app web: tags with what they name.
type images struct {
	tags     map[string]string
	prepared []engine.Image
}

const webRepository = "demo/shop/production/web"

func (i *images) Exists(_ context.Context, repository, digest string) (bool, error) {
	return repository == webRepository && slices.Contains(slices.Collect(maps.Values(i.tags)), digest), nil
}

func (i *images) Digest(_ context.Context, repository, tag string) (string, bool, error) {
	digest, ok := i.tags[tag]
	return digest, ok && repository == webRepository, nil
}

func (i *images) Tags(_ context.Context, repository string) ([]string, error) {
	if repository != webRepository {
		return nil, nil
	}
	return slices.Sorted(maps.Keys(i.tags)), nil
}

func (i *images) Tag(_ context.Context, _, digest string) (string, error) {
	for _, tag := range slices.Sorted(maps.Keys(i.tags)) {
		if i.tags[tag] == digest {
			return tag, nil
		}
	}
	return "", nil
}

func (i *images) Prepare(image engine.Image) { i.prepared = append(i.prepared, image) }

type world struct {
	*define.Service
	t      *testing.T
	store  *store.Store
	images *images
	refuse error // what the server says of a domain that is to be validated
	ids    int
}

// newWorld has a stage with the committed app web, and the images v1 and v2 in its repository.
func newWorld(t *testing.T) *world {
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
	w := &world{t: t, store: s, images: &images{tags: map[string]string{"v1": digest(1), "v2": digest(2), "latest": digest(2)}}}
	w.Service = &define.Service{
		Store: s, Images: w.images, Box: box, NewID: w.newID, Now: func() time.Time { return now },
		Admit: func(_ context.Context, _ setops.StageRef, c changeset.Command) error {
			if _, ok := c.(*changeset.DomainValidate); ok {
				return w.refuse
			}
			return nil
		},
	}
	w.stage(&changeset.AppCreate{AppName: "web"})
	w.commit(changeset.Done)
	return w
}

func (w *world) newID() string { w.ids++; return fmt.Sprint("id-", w.ids) }

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (w *world) stage(commands ...changeset.Command) {
	w.t.Helper()
	decide := func(setops.Spec, []changeset.Command, func(string) (int, error)) ([]changeset.Command, error) {
		return commands, nil
	}
	must(w.t, w.store.AppendCommands(w.t.Context(), stage.ID, ada.ID, w.newID(), now, decide, idempotency.Receipt[[]changeset.Command]{}))
}

// commit ends a commit of what ada has staged.
func (w *world) commit(end changeset.State) {
	w.t.Helper()
	ctx := w.t.Context()
	_, err := w.store.Enqueue(ctx, changeset.Ticket{ID: w.newID(), StageID: stage.ID, UserID: ada.ID, Now: now, QueueUntil: now.Add(time.Hour)})
	must(w.t, err)
	c, _, err := w.store.Claim(ctx, stage.ID, "owner", now, now.Add(time.Hour))
	must(w.t, err)
	if end == changeset.Done {
		before, err := w.store.Spec(ctx, stage.ID)
		must(w.t, err)
		after, problems := changeset.Fold(before, c.Changeset.Commands)
		if len(problems) > 0 {
			w.t.Fatal(problems[0])
		}
		must(w.t, w.store.Pass(ctx, c, after, plan.Plan{}, now))
	}
	must(w.t, w.store.EndCommit(ctx, c, end, nil, now))
}

func (w *world) apply(r define.Request) (string, error) {
	w.t.Helper()
	r.File = "setops.yml"
	done, err := w.Apply(w.t.Context(), stage, ada, r, unkeyed)
	var names []string
	for _, c := range done.Commands {
		names = append(names, strings.TrimPrefix(c.Name(), "app:"))
	}
	return strings.Join(names, " "), err
}

func (w *world) mustApply(want string, r define.Request) {
	w.t.Helper()
	if got, err := w.apply(r); err != nil || got != want {
		w.t.Fatalf("%s, %v, want %s", got, err, want)
	}
}

func (w *world) staged() int {
	w.t.Helper()
	c, _, err := w.store.Changeset(w.t.Context(), stage.ID, ada.ID)
	must(w.t, err)
	return len(c.Commands)
}

func text(file string) define.Request {
	return define.Request{Text: []byte("schema_version: \"2\"\n" + file)}
}

func TestADefinitionIsStagedAndItsDumpChangesNothing(t *testing.T) {
	w := newWorld(t)
	file := text("apps:\n  web: {image_tag: v1, env: {A: {value: x}, S: {value: '{{ .Secrets.S }}'}}, resources: {scale: 2}}\n  worker: {}\n")
	file.Secrets = map[string]string{"S": "hush"}
	w.mustApply("resource:set env:set env:set release:create release:set create resource:set", file)
	if len(w.images.prepared) != 1 || w.images.prepared[0] != (engine.Image{Repository: webRepository, Digest: digest(1)}) {
		t.Errorf("prepared %v", w.images.prepared)
	}
	w.commit(changeset.Done)
	web, _, err := w.store.App(t.Context(), stage.ID, "web")
	must(t, err)
	want := setops.Release{ID: 1, Digest: digest(1), Tag: "v1", CreatedAt: now, CreatedBy: ada.Email}
	got, _ := web.Release(1)
	if got.ActivatedAt, got.ActivatedBy = want.ActivatedAt, ""; got != want || web.ActiveRelease != 1 || !web.Env["S"].Secret || web.Env["A"].Secret {
		t.Errorf("%+v %+v", got, web)
	}
	for _, moved := range []bool{false, true} { // with a tag that names another image by then, it is the digest that is dumped
		if moved {
			w.images.tags["v1"] = digest(2)
		}
		d, err := w.Dump(t.Context(), stage)
		must(t, err)
		dump, err := d.YAML()
		must(t, err)
		if named := strings.Contains(string(dump), "image_tag: v1\n"); named == moved || strings.Contains(string(dump), "hush") {
			t.Errorf("%s", dump)
		}
		w.mustApply("", define.Request{Text: dump})
	}
	if w.staged() > 0 {
		t.Error("something is staged")
	}
}

func TestWhatWasStagedOtherwiseIsInTheWayAndWhatADefinitionStagedIsNot(t *testing.T) {
	w := newWorld(t)
	w.mustApply("resource:set", text("apps: {web: {}}"))
	w.mustApply("resource:set create resource:set", text("apps: {web: {}, worker: {}}"))
	if n := w.staged(); n != 3 {
		t.Errorf("%d commands are staged", n)
	}
	w.stage(&changeset.ResourceSet{AppName: "web", Scale: new(2)})
	for _, r := range []define.Request{text("apps: {web: {}}"), {Images: map[string]string{"web": "v1"}, Preview: true}} {
		if _, err := w.apply(r); !setops.IsCode(err, setops.ChangesetInvalid) || !strings.Contains(err.Error(), "4 commands") {
			t.Errorf("%v", err)
		}
	}
	w.commit(changeset.Failed)
	if n := w.staged(); n != 4 {
		t.Errorf("%d commands are staged: it was more than a definition", n)
	}
}

func TestNothingOfADefinitionStaysStagedWhereItsCommitFails(t *testing.T) {
	for _, end := range []changeset.State{changeset.Failed, changeset.Cancelled} {
		w := newWorld(t)
		w.mustApply("resource:set", text("apps: {web: {}}"))
		w.commit(end)
		if n := w.staged(); n != 0 {
			t.Errorf("%s: %d commands are staged", end, n)
		}
	}
}

func TestAPreviewStagesNothing(t *testing.T) {
	w := newWorld(t)
	r := text("apps: {web: {image_tag: v2}}")
	r.Preview = true
	w.mustApply("resource:set release:create release:set", r)
	if w.staged() != 0 || w.images.prepared != nil {
		t.Error("something is staged")
	}
}

func TestImagesAloneAreChangedByTagsAndDigests(t *testing.T) {
	w := newWorld(t)
	tag := func(name string) define.Request { return define.Request{Images: map[string]string{"web": name}} }
	for _, step := range []struct{ name, commands, tag string }{
		{"v1", "release:create release:set", "v1"},
		{"v1", "", "v1"},
		{digest(1), "", "v1"},
		{digest(2), "release:create release:set", "latest"},
		{"v2", "release:set", "v2"},
		{"v1", "release:set", "v1"},
	} {
		w.mustApply(step.commands, tag(step.name))
		if step.commands != "" {
			w.commit(changeset.Done)
		}
		web, _, err := w.store.App(t.Context(), stage.ID, "web")
		must(t, err)
		if r, _ := web.Release(web.ActiveRelease); r.Tag != step.tag {
			t.Errorf("%s: %+v", step.name, r)
		}
	}
	w.mustApply("resource:set release:set", define.Request{Text: []byte("schema_version: 2\napps: {web: {image_tag: v1}}"), Images: map[string]string{"web": "v2"}})
}

func TestAnImageThatIsNotThereIsSaidWithThoseThatAre(t *testing.T) {
	w := newWorld(t)
	w.stage(&changeset.AppCreate{AppName: "empty"})
	w.commit(changeset.Done)
	for _, test := range []struct {
		r    define.Request
		want string
	}{
		{text("apps:\n  web: {image_tag: v3}\n  empty: {}"), "setops.yml:3:20: apps.web.image_tag: there is no image with the tag v3 in demo/shop/production/web; it has latest, v1, v2"},
		{text("apps:\n  empty: {image_tag: v3}\n  web: {}"), "setops.yml:3:22: apps.empty.image_tag: there is no image with the tag v3 in demo/shop/production/empty, nor with any other; push it there first"},
		{text("apps: {web: {image_tag: no tag}, empty: {}}"), `"no tag" is no tag of an image`},
		{text("apps: {web: {image_tag: '" + digest(9) + "'}}"), "there is no image " + digest(9)},
		{text("apps: {web: {}, new: {image_tag: v1}}"), "apps.new.image_tag: app new is new, so nothing can have been pushed to it yet"},
		{define.Request{Images: map[string]string{"gone": "v1"}}, "setops.yml: apps.gone.image_tag: there is no such app"},
	} {
		_, err := w.apply(test.r)
		if !setops.IsCode(err, setops.ValidationFailed) || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%v\nwant %s", err, test.want)
		}
	}
	if w.staged() > 0 {
		t.Error("something is staged")
	}
}

func TestAFileWithoutAppsDestroysThemOnlyByForce(t *testing.T) {
	w := newWorld(t)
	r := text("apps: {}")
	if _, err := w.apply(r); !setops.IsCode(err, setops.ChangesetInvalid) || !strings.Contains(err.Error(), "--force") {
		t.Errorf("%v", err)
	}
	r.Force = true
	w.mustApply("destroy", r)
	w.commit(changeset.Done)
	w.mustApply("", text("apps:"))
}

func TestADomainIsValidatedAsByItsCommandAndStaysSo(t *testing.T) {
	w := newWorld(t)
	file := text("apps:\n  web:\n    custom_domains:\n      www.example.com: {primary: true, validated: true}\n")
	w.refuse = setops.InvalidInput(setops.ValidationFailed, []setops.Violation{{Field: "domain", Validator: setops.Invalid, Message: "its record is not in DNS"}})
	if _, err := w.apply(file); err == nil || !strings.Contains(err.Error(), "setops.yml:5:51: apps.web.custom_domains.www.example.com.validated: its record is not in DNS") {
		t.Errorf("%v", err)
	}
	w.refuse = &setops.Error{Kind: setops.Fault, Code: setops.ServerFailure, Temporary: true, Message: "DNS does not answer"}
	if _, err := w.apply(file); !errors.Is(err, w.refuse) {
		t.Errorf("%v", err)
	}
	w.refuse = nil
	w.mustApply("resource:set domain:create domain:validate", file)
	w.commit(changeset.Done)
	w.mustApply("domain:option:set", text("apps:\n  web:\n    custom_domains:\n      www.example.com: {}\n"))
}

func TestAStageThatHasChangedMeanwhileIsLookedAtAgain(t *testing.T) {
	w := newWorld(t)
	version := int64(0)
	fresh := changeset.Changeset{ID: "late", StageID: stage.ID, UserID: ada.ID, CreatedAt: now, AppliedTo: &version}
	decide := func(setops.Spec, []changeset.Command, func(string) (int, error)) ([]changeset.Command, error) {
		t.Error("it is asked")
		return nil, nil
	}
	err := w.store.StageDefinition(t.Context(), fresh, decide, idempotency.Receipt[[]changeset.Command]{})
	var e *setops.Error
	if !errors.As(err, &e) || e.Code != setops.ChangesetLocked || !e.Temporary {
		t.Errorf("%v", err)
	}
}
