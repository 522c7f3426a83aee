package store

import (
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"

	"github.com/setopsco/setops/internal/setops"
)

func TestWhoInstallsFirstIsBelieved(t *testing.T) {
	s := open(t)
	got := make([]string, 8)
	var wg sync.WaitGroup
	for i := range got {
		wg.Go(func() {
			var err error
			if got[i], err = s.Install(t.Context(), "key", fmt.Sprint(i)); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	all, err := s.Installation(t.Context())
	if err != nil || !maps.Equal(all, map[string]string{"key": got[0]}) || len(slices.Compact(got)) != 1 {
		t.Errorf("told %v, has %v, %v", got, all, err)
	}
}

func TestAMigrationThatComesLateIsMadeUpFor(t *testing.T) {
	opened := place(t)
	s := opened()
	must(t, s.change(t.Context(), func(tx *sql.Tx) error {
		_, err := exec(t.Context(), tx, `DROP TABLE certificates`)
		if err == nil {
			_, err = exec(t.Context(), tx, `DELETE FROM goose_db_version WHERE version_id = 3`)
		}
		return err
	}))
	must(t, s.Close())
	s = opened()
	must(t, s.KeepCertificate(t.Context(), "a", "b", now))
	must(t, s.Close())
}

func TestNamesAreSortedByTheirBytes(t *testing.T) {
	s := withStage(t)
	ctx := t.Context()
	want := []string{"Z", "a", "a-z", "a0", "aa", "b", "shop", "ä"}
	for i, name := range want {
		if name != "shop" {
			must(t, s.AddProject(ctx, "o-1", setops.Project{ID: fmt.Sprint(i), Name: name, CreatedAt: now}, ada))
		}
	}
	projects, err := s.Projects(ctx, "o-1")
	must(t, err)
	var got []string
	for _, p := range projects {
		got = append(got, p.Name)
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %v", got)
	}
}
