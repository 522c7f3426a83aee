package record_test

import (
	"maps"
	"os"
	"path/filepath"
	"testing"

	"github.com/setopsco/setops/internal/engine/record"
)

func TestValuesOutliveWhoWroteThem(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "fences")
	r, err := record.Open[int64](dir)
	if err != nil {
		t.Fatal(err)
	}
	for id, n := range map[string]int64{"a": 1, "b": 2, "c": 3} {
		if err := r.Write(id, n); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 { // the second has nothing to do
		if err := r.Remove("b"); err != nil {
			t.Error(err)
		}
	}
	if err := r.Write("c", 4); err != nil {
		t.Error(err)
	}
	if r, err = record.Open[int64](dir); err != nil {
		t.Fatal(err)
	}
	if got, err := r.All(); err != nil || !maps.Equal(got, map[string]int64{"a": 1, "c": 4}) {
		t.Errorf("%v, %v", got, err)
	}
}

func TestATornRecordIsAsGoodAsNone(t *testing.T) {
	dir := t.TempDir()
	r, err := record.Open[int64](dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"a.json", "b.json.new"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("{"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := r.All(); err != nil || len(got) != 0 {
		t.Errorf("%v, %v", got, err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Errorf("%v are left, %v", left, err)
	}
}
