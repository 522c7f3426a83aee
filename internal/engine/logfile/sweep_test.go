package logfile_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/setopsco/setops/internal/engine/logfile"
)

// aged makes logs a and b with two segments each, an hour between all four, and gives the time of the newest.
func aged(t *testing.T) (dir string, now time.Time) {
	t.Helper()
	dir, now = t.TempDir(), time.Now().Truncate(time.Second)
	for i, name := range []string{"a.1", "b.1", "a.2", "b.2"} {
		path := filepath.Join(dir, name+".log")
		at := now.Add(time.Duration(i-3) * time.Hour)
		line := fmt.Sprintf("%s app %s\n", at.UTC().Format(time.RFC3339Nano), name)
		if err := os.WriteFile(path, []byte(line), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, at, at); err != nil {
			t.Fatal(err)
		}
	}
	return dir, now
}

func TestSweepDeletesWhatIsTooOldButNotWhatAWriterHolds(t *testing.T) {
	dir, now := aged(t)
	ended := func(name string) bool { return name == "a" }
	if err := logfile.Sweep(dir, logfile.Limits{Before: now.Add(time.Minute), Ended: ended}); err != nil {
		t.Fatal(err)
	}
	expect(t, read(t, dir, logfile.Query{}), "b.2")
}

func TestSweepDeletesTheOldestAboveTheCap(t *testing.T) {
	dir, _ := aged(t)
	size := int64(len("2026-10-05T12:00:00Z app a.1\n"))
	all := func(string) bool { return true }
	if err := logfile.Sweep(dir, logfile.Limits{Bytes: 2 * size, Ended: all}); err != nil {
		t.Fatal(err)
	}
	expect(t, read(t, dir, logfile.Query{}), "a.2", "b.2")
}

func TestSweepKeepsTheNewestSegmentOfEveryLogThatMayGoOn(t *testing.T) {
	dir, _ := aged(t)
	if err := logfile.Sweep(dir, logfile.Limits{Bytes: 1}); err != nil {
		t.Fatal(err)
	}
	expect(t, read(t, dir, logfile.Query{}), "a.2", "b.2")
}
