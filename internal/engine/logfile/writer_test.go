package logfile_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/setopsco/setops/internal/engine/logfile"
)

var noon = time.Date(2026, 10, 5, 12, 0, 0, 0, time.UTC)

func open(t *testing.T, dir, name string, opts logfile.Options) *logfile.Writer {
	t.Helper()
	w, err := logfile.Open(dir, name, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.Close() })
	return w
}

func add(t *testing.T, w *logfile.Writer, at time.Time, text string) {
	t.Helper()
	if err := w.Append(at, "app", text); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, dir string, q logfile.Query) []logfile.Line {
	t.Helper()
	var lines []logfile.Line
	err := logfile.Read(context.Background(), dir, q, func(l logfile.Line) bool {
		lines = append(lines, l)
		return true
	})
	if err != nil {
		t.Fatal(err)
	}
	return lines
}

func texts(lines []logfile.Line) []string {
	var all []string
	for _, l := range lines {
		all = append(all, l.Text)
	}
	return all
}

func expect(t *testing.T, got []logfile.Line, want ...string) {
	t.Helper()
	if !slices.Equal(texts(got), want) {
		t.Errorf("got %q, want %q", texts(got), want)
	}
}

func TestALineOnDiskIsTimeSourceAndText(t *testing.T) {
	dir := t.TempDir()
	w := open(t, dir, "task", logfile.Options{})
	if err := w.Append(noon.Add(5).In(time.FixedZone("", 7200)), "system", "two\nlines"); err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(filepath.Join(dir, "task.1.log"))
	if err != nil {
		t.Fatal(err)
	}
	stamp := "2026-10-05T12:00:00.000000005Z system "
	if want := stamp + "two\n" + stamp + "lines\n"; string(raw) != want {
		t.Errorf("got %q, want %q", raw, want)
	}
}

func TestTwoWritersRotateWithoutLosingALine(t *testing.T) {
	dir := t.TempDir()
	const each = 2000
	var writers sync.WaitGroup
	for _, who := range []string{"shim", "supervisor"} {
		w := open(t, dir, "task", logfile.Options{SegmentBytes: 4 << 10})
		writers.Go(func() {
			for i := range each {
				if err := w.Append(time.Now(), "app", fmt.Sprintf("%s %d", who, i)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	writers.Wait()
	count := map[string]int{}
	for _, l := range read(t, dir, logfile.Query{}) {
		count[l.Text]++
	}
	for i := range each {
		for _, who := range []string{"shim", "supervisor"} {
			if n := count[fmt.Sprintf("%s %d", who, i)]; n != 1 {
				t.Fatalf("line %d of %s is there %d times", i, who, n)
			}
		}
	}
	if files, _ := os.ReadDir(dir); len(files) < 10 {
		t.Errorf("%d segments", len(files))
	}
}

func TestATornLineSpoilsNoOther(t *testing.T) {
	dir := t.TempDir()
	add(t, open(t, dir, "task", logfile.Options{}), noon, "whole")
	path := filepath.Join(dir, "task.1.log")
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, append(raw, "2026-10-05T12:00:"...), 0o600); err != nil {
		t.Fatal(err)
	}
	expect(t, read(t, dir, logfile.Query{}), "whole")
	expect(t, read(t, dir, logfile.Query{Limit: 5}), "whole")
	add(t, open(t, dir, "task", logfile.Options{}), noon.Add(1), "next")
	expect(t, read(t, dir, logfile.Query{}), "whole", "next")
	expect(t, read(t, dir, logfile.Query{Limit: 5}), "whole", "next")
}

func TestALongTextIsCutIntoLines(t *testing.T) {
	dir := t.TempDir()
	add(t, open(t, dir, "task", logfile.Options{}), noon, strings.Repeat("a", logfile.MaxText)+"b")
	for _, limit := range []int{0, 10} {
		lines := read(t, dir, logfile.Query{Limit: limit})
		if len(lines) != 2 || len(lines[0].Text) != logfile.MaxText || lines[1].Text != "b" {
			t.Errorf("%d lines with limit %d", len(lines), limit)
		}
	}
}

func TestAWriterKeepsTheCapOfItsDirectory(t *testing.T) {
	dir := t.TempDir()
	w := open(t, dir, "task", logfile.Options{SegmentBytes: 1 << 10, TotalBytes: 8 << 10})
	for i := range 1000 {
		add(t, w, noon.Add(time.Duration(i)), fmt.Sprint("line ", i))
	}
	var total int64
	files, _ := os.ReadDir(dir)
	for _, f := range files {
		if info, err := f.Info(); err == nil {
			total += info.Size()
		}
	}
	if total > 10<<10 || total < 4<<10 {
		t.Errorf("%d bytes are kept", total)
	}
	expect(t, read(t, dir, logfile.Query{Limit: 2}), "line 998", "line 999")
}
