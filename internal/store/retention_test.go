package store

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/setopsco/setops/internal/changeset"
	"github.com/setopsco/setops/internal/plan"
	"github.com/setopsco/setops/internal/setops"
)

const day = 24 * time.Hour

func digestNumber(n int) string { return fmt.Sprintf("sha256:%064x", n) }

// history is what was done on the stage: releases 1 to n of web, each created and activated by the commit of its number,
// one a day, the last one today.
func history(t *testing.T, s *Store, n int) {
	t.Helper()
	for i := 1; i <= n; i++ {
		at := now.Add(-time.Duration(n-i) * day)
		commands := []changeset.Command{
			&changeset.ReleaseCreate{AppName: "web", Digest: digestNumber(i), ID: i, CreatedAt: at},
			&changeset.ReleaseActivate{AppName: "web", ID: i},
		}
		if i == 1 {
			commands = append([]changeset.Command{create("web")}, commands...)
		}
		id := fmt.Sprint("c-", i)
		pass(t, s, id, plan.Plan{}, commands...)
		alter(t, s, `UPDATE commits SET created_at = $1, finished_at = $1 WHERE id = $2`, millis(at), id)
	}
}

func alter(t *testing.T, s *Store, query string, args ...any) {
	t.Helper()
	_, err := s.write.ExecContext(t.Context(), query, args...)
	must(t, err)
}

// prune tells what goes, as "c-1 c-2 web/1".
func prune(t *testing.T, s *Store, keep setops.Retention, dryRun bool, tasks ...setops.Task) string {
	t.Helper()
	pruned, _, err := s.Prune(t.Context(), "s-1", keep, tasks, dryRun)
	must(t, err)
	var all []string
	for _, c := range pruned.Commits {
		all = append(all, c.ID)
	}
	for _, r := range pruned.Releases {
		all = append(all, fmt.Sprint(r.App, "/", r.ID))
	}
	return strings.Join(all, " ")
}

func TestOnlyWhatIsBothOldAndNotAmongTheNewestIsPruned(t *testing.T) {
	for want, keep := range map[string]setops.Retention{
		"c-1 c-2 web/1 web/2":                 {Commits: 4, Releases: 4, Since: now},
		"c-1 web/1":                           {Commits: 1, Releases: 1, Since: now.Add(-4 * day)},
		"":                                    {Commits: 6, Releases: 6, Since: now},
		"c-1 c-2 c-3 c-4 c-5 c-6 web/1 web/2": {Commits: 0, Releases: 4, Since: now.Add(day)},
		"web/1 web/2 web/3 web/4 web/5":       {Commits: 9, Releases: 0, Since: now.Add(day)},
		"c-1 c-2 c-3 web/1 web/2 web/3 web/4 web/5": {Commits: 3, Releases: 1, Since: now.Add(day)},
	} {
		s := withStage(t)
		history(t, s, 6)
		for _, dryRun := range []bool{true, true, false} {
			if got := prune(t, s, keep, dryRun); got != want {
				t.Errorf("%+v, dry run %v: pruned %q, want %q", keep, dryRun, got, want)
			}
		}
		if got := prune(t, s, keep, false); got != "" {
			t.Errorf("%+v: the second time %q goes", keep, got)
		}
		spec, err := s.Spec(t.Context(), "s-1")
		must(t, err)
		if len(spec.Apps["web"].Releases) != 6-strings.Count(want, "web/") {
			t.Errorf("%+v: releases %v", keep, spec.Apps["web"].Releases)
		}
		if _, there, err := s.Commit(t.Context(), "s-1", "c-1"); err != nil || there == strings.Contains(want, "c-1") {
			t.Errorf("%+v: commit c-1 is there: %v, %v", keep, there, err)
		}
	}
}

func TestReleasesThatSomebodyNeedsAreNotPruned(t *testing.T) {
	s := withStage(t)
	history(t, s, 6)
	stage(t, s, ada, &changeset.ReleaseActivate{AppName: "web", ID: 2})
	nothing := setops.Retention{Since: now.Add(day)}
	if got := prune(t, s, setops.Retention{Commits: 6, Since: now.Add(day)}, true, setops.Task{App: "web", Release: 4}); got != "web/1 web/3 web/5" {
		t.Errorf("pruned %q", got)
	}
	// A commit that waits names them still; while one runs, none goes.
	alter(t, s, `UPDATE changesets SET frozen = TRUE`)
	alter(t, s, `UPDATE commits SET state = 'queued', finished_at = NULL WHERE id = 'c-3'`)
	if got := prune(t, s, nothing, true); got != "c-1 c-2 c-4 c-5 c-6 web/1 web/4 web/5" {
		t.Errorf("pruned %q", got)
	}
	alter(t, s, `UPDATE commits SET state = 'running', finished_at = NULL WHERE id = 'c-3'`)
	if got := prune(t, s, nothing, true); got != "c-1 c-2 c-4 c-5 c-6" {
		t.Errorf("pruned %q", got)
	}
}

func TestCommitsThatSomethingStillHangsOnAreNotPruned(t *testing.T) {
	s := withStage(t)
	history(t, s, 6)
	step := `INSERT INTO steps (commit_id, position, step, after, state) VALUES ($1, 0, '{}', TRUE, $2)`
	alter(t, s, step, "c-1", stepRunning)
	alter(t, s, step, "c-2", stepDone)
	alter(t, s, step, "c-3", stepPlanned)
	alter(t, s, `UPDATE commits SET state = 'failed', passed = FALSE WHERE id = 'c-3'`)
	alter(t, s, `INSERT INTO generations (id, stage_id, app, fingerprint, state, commit_id, created_at) VALUES ('g', 's-1', 'web', '', 'serving', 'c-4', 0)`)
	stage(t, s, ada, scale("web", 2))
	alter(t, s, `UPDATE changesets SET reverts = 'c-5'`)
	if got := prune(t, s, setops.Retention{Releases: 6, Since: now.Add(day)}, false); got != "c-2 c-3 c-6" {
		t.Errorf("pruned %q", got)
	}
	if p, _, _, err := s.Journal(t.Context(), "c-2"); err != nil || len(p.Steps) > 0 {
		t.Errorf("its steps stay: %v, %v", p, err)
	}
}

// images are the numbers of the digests that the stage names, by app.
func images(t *testing.T, all []setops.AppImage) string {
	t.Helper()
	found := map[string]bool{}
	for _, i := range all {
		var n int
		if _, err := fmt.Sscanf(i.Digest, "sha256:%x", &n); err != nil {
			t.Errorf("%+v: %v", i, err)
		}
		found[fmt.Sprint(i.App, "/", n)] = true
	}
	return strings.Join(slices.Sorted(maps.Keys(found)), " ")
}

func TestImagesOfReleasesCommitsAndChangesetsAreNamed(t *testing.T) {
	s := withStage(t)
	ctx := t.Context()
	history(t, s, 2)
	stage(t, s, bob, &changeset.ReleaseCreate{AppName: "web", Digest: digestNumber(3), ID: 3})
	stage(t, s, ada, &changeset.ReleaseCreate{AppName: "web", Digest: digestNumber(4), ID: 4})
	_, err := s.Enqueue(ctx, ticket("c-3", ada))
	must(t, err)
	apps := `{"old": {"app": {"name": "old", "env": {"digest": {"value": "x"}}}, "releases": [{"id": 1, "digest": %q}, {"id": 2, "digest": %q}]}}`
	alter(t, s, `UPDATE commits SET before_apps = $1 WHERE id = 'c-1'`, fmt.Sprintf(apps, digestNumber(5), digestNumber(6)))
	alter(t, s, `UPDATE commits SET after_apps = $1 WHERE id = 'c-2'`, fmt.Sprintf(`{"gone": {"digest": %q}}`, digestNumber(7)))
	all, err := s.Images(ctx, "s-1")
	must(t, err)
	if got := images(t, all); got != "gone/7 old/5 old/6 web/1 web/2 web/3 web/4" {
		t.Errorf("named: %s", got)
	}

	// A dry run tells what would be named.
	_, left, err := s.Prune(ctx, "s-1", setops.Retention{Commits: 1, Releases: 9, Since: now.Add(day)}, nil, true)
	must(t, err)
	if got := images(t, left); got != "web/1 web/2 web/3 web/4" {
		t.Errorf("named behind it: %s", got)
	}
	alter(t, s, `UPDATE commits SET after_apps = '{"web": '`)
	if _, err := s.Images(ctx, "s-1"); err == nil {
		t.Error("what cannot be read was taken for nothing")
	}
}
