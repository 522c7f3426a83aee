package logfile_test

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/setopsco/setops/internal/engine/logfile"
)

const million = 1_000_000

// besides is how much more than the lines that it gives the reading of the last lines may read of each log, and late is how many
// lines more where they are limited by time: those of two seconds. docs/logs.md says so.
const (
	besides = 192 << 10
	late    = 2000
)

// TestTheLastLinesOfAMillionAreFoundByReadingLittleElse counts the bytes that are read, not the time that it takes.
func TestTheLastLinesOfAMillionAreFoundByReadingLittleElse(t *testing.T) {
	minute := noon.Add(400 * time.Second)
	system := func(l logfile.Line) bool { return l.Source == "system" }
	one, five := t.TempDir(), t.TempDir()
	longest := max(writeMillion(t, one, 1), writeMillion(t, five, 5))
	for _, c := range []struct {
		name  string
		tasks int
		query logfile.Query
		last  int // the number of the last line
		step  int // from line to line
	}{
		{"one task", 1, logfile.Query{}, million - 1, 1},
		{"many tasks", 5, logfile.Query{}, million - 1, 1},
		{"one of many tasks", 5, logfile.Query{Name: "task3"}, million - 2, 5},
		{"until a moment", 1, logfile.Query{Before: minute}, 400_000 - 1, 1},
		{"many tasks until a moment", 5, logfile.Query{Before: minute}, 400_000 - 1, 1},
		{"between moments", 5, logfile.Query{After: minute.Add(-10 * time.Second), Before: minute}, 400_000 - 1, 1},
		{"one source", 5, logfile.Query{Keep: system}, million - 1, 3},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := one
			if c.tasks > 1 {
				dir = five
			}
			c.query.Limit = 250
			before := bytesRead(t)
			lines := read(t, dir, c.query)
			most := c.tasks*besides + c.step*c.query.Limit*longest
			if !c.query.Before.IsZero() {
				most += late * longest
			}
			if n := bytesRead(t) - before; n > most {
				t.Errorf("%d bytes are read, more than %d", n, most)
			}
			if len(lines) != c.query.Limit {
				t.Fatalf("%d lines", len(lines))
			}
			for i, l := range lines {
				if want := fmt.Sprintf("line %d", c.last-(len(lines)-1-i)*c.step); l.Text != want {
					t.Fatalf("line %d is %q, not %q", i, l.Text, want)
				}
			}
		})
	}
}

// writeMillion writes a line each millisecond, the tasks in turns, every third of source system, in segments as writers make them.
func writeMillion(t *testing.T, dir string, tasks int) (longest int) {
	t.Helper()
	for task := range tasks {
		var raw bytes.Buffer
		for i, segment := task, 1; i < million; i += tasks {
			at := raw.Len()
			source := "app"
			if i%3 == 0 {
				source = "system"
			}
			fmt.Fprintf(&raw, "%s %s line %d\n", noon.Add(time.Duration(i)*time.Millisecond).Format(time.RFC3339Nano), source, i)
			longest = max(longest, raw.Len()-at)
			if raw.Len() < logfile.DefaultSegmentBytes && i+tasks < million {
				continue
			}
			path := filepath.Join(dir, fmt.Sprintf("task%d.%d.log", task, segment))
			if err := os.WriteFile(path, raw.Bytes(), 0o600); err != nil {
				t.Fatal(err)
			}
			raw.Reset()
			segment++
		}
	}
	return longest
}

// bytesRead is how much this test has read of all files so far.
func bytesRead(t *testing.T) (n int) {
	t.Helper()
	runtime.LockOSThread() // until the test ends
	f, err := os.Open("/proc/thread-self/io")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close() //nolint:errcheck // it is only read
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if _, err := fmt.Sscanf(lines.Text(), "rchar: %d", &n); err == nil {
			return n
		}
	}
	t.Fatal("the system does not count what is read")
	return 0
}
