package gc

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/setopsco/setops/internal/changeset"
	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/idempotency"
	"github.com/setopsco/setops/internal/plan"
	"github.com/setopsco/setops/internal/registry"
	"github.com/setopsco/setops/internal/setops"
	"github.com/setopsco/setops/internal/store"
)

const day = 24 * time.Hour

var (
	now   = time.UnixMilli(1_700_000_000_123).UTC()
	ada   = setops.User{ID: "u-ada", Email: "ada@example.com", OrganizationID: "o-1", Organization: "demo"}
	stage = setops.StageRef{ID: "s-1", Organization: "demo", Project: "shop", Name: "prod"}
)

// images is a registry that has one image that nothing names.
type images struct {
	asked  []registry.Collection
	kept   string // what is named, as "web/1 web/2"
	during func()
	fault  error
}

var lone = registry.CollectedManifest{
	Reference: registry.Reference{Repository: "demo/shop/prod/web", Digest: digest(99)}, Tags: []string{"v99"}, Used: now.Add(-2 * day),
}

func (i *images) Collect(ctx context.Context, what registry.Collection) (registry.Collected, error) {
	i.asked = append(i.asked, what)
	if i.during != nil {
		i.during()
	}
	all, err := what.Keep(ctx)
	if err != nil {
		return registry.Collected{}, err
	}
	var kept []string
	for ref := range all {
		var n int
		if _, err := fmt.Sscanf(ref.Digest, "sha256:%x", &n); err != nil {
			return registry.Collected{}, err
		}
		kept = append(kept, strings.TrimPrefix(ref.Repository, "demo/shop/prod/")+fmt.Sprintf("/%02d", n))
	}
	slices.Sort(kept)
	i.kept = strings.Join(kept, " ")
	return registry.Collected{Manifests: []registry.CollectedManifest{lone}, Blobs: 3, Bytes: 12345}, i.fault
}

// tasks are what runs on the stage.
type tasks struct {
	all   []setops.Task
	fault error
}

func (t *tasks) List(_ context.Context, stageID, _ string) ([]setops.Task, error) {
	if stageID != stage.ID {
		return nil, nil
	}
	return t.all, t.fault
}

type world struct {
	*Service
	store  *store.Store
	images *images
	tasks  *tasks
}

func digest(n int) string { return fmt.Sprintf("sha256:%064x", n) }

// build makes a stage whose app web got a release a day, n of them, each by a commit.
func build(t *testing.T, n int, limits Limits) world {
	t.Helper()
	ctx := t.Context()
	s, err := store.Open(ctx, filepath.Join(t.TempDir(), "setops.db"))
	must(t, err)
	t.Cleanup(func() { must(t, s.Close()) })
	_, err = s.AddOrganization(ctx, "o-1", "demo", now)
	must(t, err)
	must(t, s.AddUser(ctx, ada, "", "o-1", now))
	must(t, s.AddProject(ctx, "o-1", setops.Project{ID: "p-1", Name: "shop", CreatedAt: now}, ada))
	must(t, s.AddStage(ctx, setops.Stage{ID: stage.ID, ProjectID: "p-1", Name: "prod", CreatedAt: now}, ada))
	w := world{store: s, images: &images{}, tasks: &tasks{}}
	w.Service = &Service{
		Store: s, Images: w.images, Engine: w.tasks, Now: func() time.Time { return now },
		Logger: slog.New(slog.DiscardHandler), Limits: limits,
	}
	w.commit(t, 0, now.Add(-time.Duration(n)*day), &changeset.AppCreate{AppName: "web"})
	for i := 1; i <= n; i++ {
		at := now.Add(-time.Duration(n-i) * day)
		w.commit(t, i, at, &changeset.ReleaseCreate{AppName: "web", Digest: digest(i), ID: i, CreatedAt: at},
			&changeset.ReleaseActivate{AppName: "web", ID: i})
	}
	return w
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (w world) stage(t *testing.T, at time.Time, commands ...changeset.Command) {
	t.Helper()
	must(t, w.store.AppendCommands(t.Context(), stage.ID, ada.ID, fmt.Sprint("changeset ", at), at,
		func(setops.Spec, []changeset.Command, func(string) (int, error)) ([]changeset.Command, error) {
			return commands, nil
		}, idempotency.Receipt[[]changeset.Command]{}))
}

func (w world) commit(t *testing.T, n int, at time.Time, commands ...changeset.Command) {
	t.Helper()
	ctx := t.Context()
	w.stage(t, at, commands...)
	id := fmt.Sprint("c-", n)
	_, err := w.store.Enqueue(ctx, changeset.Ticket{ID: id, StageID: stage.ID, UserID: ada.ID, Now: at, QueueUntil: at.Add(time.Hour)})
	must(t, err)
	c, _, err := w.store.Claim(ctx, stage.ID, "owner", at, at.Add(time.Hour))
	must(t, err)
	before, err := w.store.Spec(ctx, stage.ID)
	must(t, err)
	after, problems := changeset.Fold(before, commands)
	if len(problems) > 0 {
		t.Fatal(problems[0])
	}
	must(t, w.store.Pass(ctx, c, after, plan.Plan{}, at))
	must(t, w.store.EndCommit(ctx, c, changeset.Done, nil, at))
}

// told is what a report says, as "c-1 web/1".
func told(r Report) string {
	var all []string
	for _, c := range r.Commits {
		all = append(all, c.ID)
	}
	for _, o := range r.Releases {
		all = append(all, fmt.Sprint(o.App, "/", o.ID))
	}
	return strings.Join(all, " ")
}

func TestARunPrunesByTheLimitsAndKeepsWhatIsNamedThen(t *testing.T) {
	w := build(t, 9, Limits{Age: 2*day - time.Hour, Commits: 4, Releases: 5})
	w.stage(t, now, &changeset.ReleaseCreate{AppName: "web", Digest: digest(50), ID: 10})
	w.tasks.all = []setops.Task{
		{App: "web", Release: 2, Digest: digest(2)},
		{App: "web", Release: 11, Digest: digest(60)}, // of a changeset that was discarded
	}
	const kept = "web/02 web/05 web/06 web/07 web/08 web/09 web/50 web/60"
	for _, dryRun := range []bool{true, false} {
		r, err := w.Run(t.Context(), dryRun)
		must(t, err)
		if got := told(r); got != "c-0 c-1 c-2 c-3 c-4 c-5 web/1 web/3 web/4" {
			t.Errorf("dry run %v: pruned %s", dryRun, got)
		}
		if w.images.kept != kept {
			t.Errorf("dry run %v: kept %s", dryRun, w.images.kept)
		}
		asked := w.images.asked[len(w.images.asked)-1]
		if asked.DryRun != dryRun || r.DryRun != dryRun || !asked.Before.Equal(now.Add(-day)) {
			t.Errorf("asked for %+v", asked)
		}
		if len(r.Images) != 1 || r.Images[0].Digest != lone.Digest || r.Images[0].Tags[0] != "v99" || r.Bytes != 12345 {
			t.Errorf("images %+v, %d bytes", r.Images, r.Bytes)
		}
		if r.Commits[0].Stage != "demo/shop/prod" || r.Releases[0].Digest != digest(1) {
			t.Errorf("%+v", r)
		}
	}
	if r, err := w.Run(t.Context(), false); err != nil || told(r) != "" {
		t.Errorf("the second time %s goes, %v", told(r), err)
	}
}

func TestWithoutLimitsOfCountTheAgeDecides(t *testing.T) {
	w := build(t, 4, Limits{Age: 100 * day})
	if r, err := w.Run(t.Context(), false); err != nil || told(r) != "" {
		t.Errorf("pruned %s, %v", told(r), err)
	}
	w.Limits.Age = 0
	w.Limits.Commits = 100
	w.Limits.Releases = 1
	w.Service.Now = func() time.Time { return now.Add(time.Second) }
	if r, err := w.Run(t.Context(), false); err != nil || told(r) != "web/1 web/2 web/3" {
		t.Errorf("pruned %s, %v", told(r), err)
	}
	// The commits name their images still.
	if w.images.kept != "web/01 web/02 web/03 web/04" {
		t.Errorf("kept %s", w.images.kept)
	}
}

func TestWhatIsNamedIsAskedAnew(t *testing.T) {
	w := build(t, 1, Limits{})
	w.images.during = func() { w.stage(t, now, &changeset.ReleaseCreate{AppName: "web", Digest: digest(7), ID: 2}) }
	if _, err := w.Run(t.Context(), false); err != nil || !strings.Contains(w.images.kept, "web/07") {
		t.Errorf("kept %s, %v", w.images.kept, err)
	}
}

func TestNothingIsRemovedWhileTheEngineDoesNotSayWhatRuns(t *testing.T) {
	w := build(t, 3, Limits{})
	w.tasks.fault = errors.New("the engine is away")
	r, err := w.Run(t.Context(), false)
	if !errors.Is(err, w.tasks.fault) || told(r) != "" || len(r.Images) > 0 {
		t.Errorf("%s, %v, %v", told(r), r.Images, err)
	}
	spec, err := w.store.Spec(t.Context(), stage.ID)
	if err != nil || len(spec.Apps["web"].Releases) != 3 {
		t.Errorf("%v, %v", spec.Apps["web"].Releases, err)
	}
}

// readOnly is a store that takes no writes.
type readOnly struct{ *store.Store }

var errFull = errors.New("the disk is full")

func (readOnly) Prune(context.Context, string, setops.Retention, []setops.Task, bool) (setops.Pruned, []setops.AppImage, error) {
	return setops.Pruned{}, nil, errFull
}

func TestImagesAreCollectedEvenWhereNothingCanBePruned(t *testing.T) {
	w := build(t, 2, Limits{})
	w.Service.Store = readOnly{w.store}
	for _, dryRun := range []bool{true, false} {
		r, err := w.Run(t.Context(), dryRun)
		if !errors.Is(err, errFull) || len(r.Images) != 1 || w.images.kept != "web/01 web/02" {
			t.Errorf("dry run %v: %+v, kept %s, %v", dryRun, r, w.images.kept, err)
		}
	}
}

func TestWhatWasRemovedIsToldWithAnError(t *testing.T) {
	w := build(t, 1, Limits{})
	w.images.fault = errors.New("the disk is broken")
	if r, err := w.Run(t.Context(), false); !errors.Is(err, w.images.fault) || len(r.Images) != 1 {
		t.Errorf("%+v, %v", r, err)
	}
}

// unpacked remembers what it was told to forget.
type unpacked struct{ forgotten []engine.Image }

func (u *unpacked) ForgetImages(_ context.Context, images []engine.Image) error {
	u.forgotten = append(u.forgotten, images...)
	return nil
}

func TestWhatTheEngineHasMadeOfCollectedImagesIsFreed(t *testing.T) {
	w := build(t, 1, Limits{})
	var u unpacked
	w.Unpacked = &u
	for _, dryRun := range []bool{true, false} {
		if _, err := w.Run(t.Context(), dryRun); err != nil {
			t.Error(err)
		}
	}
	if !slices.Equal(u.forgotten, []engine.Image{{Repository: lone.Repository, Digest: lone.Digest}}) {
		t.Errorf("forgotten: %v", u.forgotten)
	}
}

func TestASecondRunIsRefusedMeanwhile(t *testing.T) {
	w := build(t, 1, Limits{})
	var second error
	w.images.during = func() { _, second = w.Run(t.Context(), true) }
	if _, err := w.Run(t.Context(), false); err != nil {
		t.Error(err)
	}
	var refused *setops.Error
	if !errors.As(second, &refused) || !refused.Temporary {
		t.Errorf("got %v", second)
	}
	w.images.during = nil
	if _, err := w.Run(t.Context(), false); err != nil {
		t.Errorf("it is refused for good: %v", err)
	}
}
