package store

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/setopsco/setops/internal/changeset"
	"github.com/setopsco/setops/internal/plan"
	"github.com/setopsco/setops/internal/setops"
)

// everything is all rows of all tables, a sorted line each.
func everything(t *testing.T, s *Store) string {
	t.Helper()
	list := `SELECT name FROM sqlite_master WHERE type = 'table'`
	if s.dialect.mark != nil {
		list = `SELECT table_name::text FROM information_schema.tables WHERE table_schema = current_schema()`
	}
	tables, err := texts(t.Context(), s.write, list)
	must(t, err)
	if len(tables) < 10 {
		t.Fatalf("there are only the tables %v", tables)
	}
	var lines []string
	for _, table := range tables {
		rows, err := s.write.QueryContext(t.Context(), "SELECT * FROM "+table) //nolint:gosec // a name of ours
		must(t, err)
		columns, err := rows.Columns()
		must(t, err)
		for rows.Next() {
			values := make([]any, len(columns))
			for i := range values {
				values[i] = new(any)
			}
			must(t, rows.Scan(values...))
			line := table
			for i, value := range values {
				line += fmt.Sprintf(" %s=%v", columns[i], *value.(*any))
			}
			lines = append(lines, line)
		}
		must(t, errors.Join(rows.Err(), rows.Close()))
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// sealedStore has values under the key OLD in every place that has any: committed, staged, frozen, of a failed commit, of a destroyed app.
func sealedStore(t *testing.T) *Store {
	t.Helper()
	s := withStage(t)
	set := func(app string, n int) changeset.Command {
		return &changeset.EnvSet{AppName: app, Key: "A", Value: setops.Sealed(fmt.Sprint("OLD value ", n)), Secret: n%2 == 0}
	}
	start := plan.Plan{Steps: []plan.Step{
		{ID: "start web-1", Kind: plan.StartGeneration, App: "web", Generation: "web-1"}, {ID: "switch", Kind: plan.Switch},
	}}
	pass(t, s, "c-1", start, &changeset.AppCreate{AppName: "web"}, set("web", 1), &changeset.AppCreate{AppName: "gone"}, set("gone", 2))
	pass(t, s, "c-2", plan.Plan{}, &changeset.AppDestroy{AppName: "gone"}, set("web", 3))
	stage(t, s, ada, set("web", 4))
	begin(t, s, "c-3", ada)
	stage(t, s, ada, set("web", 5))
	stage(t, s, bob, &changeset.ResourceSet{AppName: "web", Scale: new(2)}, set("web", 6))
	must(t, s.KeepCertificate(t.Context(), "leaf/x", "OLD certificate", now))
	_, err := s.Install(t.Context(), "domain-key", "OLD installed")
	must(t, err)
	return s
}

// anew puts NEW in the place of OLD.
func anew(value string) (string, error) {
	if rest, ok := strings.CutPrefix(value, "OLD"); ok {
		return "NEW" + rest, nil
	}
	return "", fmt.Errorf("%q is not sealed with the old key", value)
}

func resealOf() Reseal {
	return Reseal{
		Env: func(stageID, app, key string, v setops.Sealed) (setops.Sealed, error) {
			if stageID != "s-1" || app != "web" && app != "gone" || key != "A" {
				return "", fmt.Errorf("it was for %s %s %s", stageID, app, key)
			}
			text, err := anew(string(v))
			return setops.Sealed(text), err
		},
		Certificate: func(_ string, v setops.Sealed) (setops.Sealed, error) {
			text, err := anew(string(v))
			return setops.Sealed(text), err
		},
		Installation: func(_, value string) (string, error) { return anew(value) },
		Fingerprint: func(app *setops.App, fresh bool) string {
			if fresh {
				return "another fingerprint of " + app.Name + " with" + strings.TrimPrefix(string(app.Env["A"].Value), "NEW")
			}
			return "fingerprint of " + app.Name
		},
	}
}

func TestAllThatIsSealedIsSealedAnew(t *testing.T) {
	s := sealedStore(t)
	before := everything(t, s)
	must(t, s.Reseal(t.Context(), resealOf()))
	after := everything(t, s)
	if n := strings.Count(before, "OLD"); n < 11 || strings.Count(after, "NEW") != n || strings.Contains(after, "OLD") {
		t.Errorf("%d values were sealed; now there are\n%s", n, after)
	}
	// Nothing else has changed, and the tasks that serve stand for the app as before.
	serving, err := s.Serving(t.Context(), "s-1")
	if want := "another fingerprint of web with value 3"; err != nil || serving["web"].Fingerprint != want {
		t.Errorf("the fingerprint is %q, %v", serving["web"].Fingerprint, err)
	}
	same := strings.ReplaceAll(strings.ReplaceAll(after, "another fingerprint of web with value 3", "fingerprint of web"), "NEW", "OLD")
	if same != before {
		t.Errorf("there was\n%s\nand is\n%s", before, after)
	}
	must(t, s.Compact(t.Context()))
	if everything(t, s) != after {
		t.Error("what is compacted is something else")
	}
}

func TestWhereOneValueCannotBeSealedAnewNoneIs(t *testing.T) {
	s := sealedStore(t)
	before := everything(t, s)
	for place, breakIt := range map[string]func(*Reseal){
		"installation": func(r *Reseal) {
			r.Installation = func(string, string) (string, error) { return "", errors.New("broken") }
		},
		"web": func(r *Reseal) {
			r.Env = func(string, string, string, setops.Sealed) (setops.Sealed, error) { return "", errors.New("broken") }
		},
	} {
		r := resealOf()
		breakIt(&r)
		if err := s.Reseal(t.Context(), r); err == nil || !strings.Contains(err.Error(), "broken") {
			t.Errorf("%s: %v", place, err)
		}
		if everything(t, s) != before {
			t.Errorf("%s: something has changed", place)
		}
	}
}
