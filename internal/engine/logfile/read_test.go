package logfile_test

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/setopsco/setops/internal/engine/logfile"
)

func second(n int) time.Time { return noon.Add(time.Duration(n) * time.Second) }

func TestLogsOfAnAppAreMergedByTime(t *testing.T) {
	dir := t.TempDir()
	a, b := open(t, dir, "a", logfile.Options{SegmentBytes: 60}), open(t, dir, "b", logfile.Options{SegmentBytes: 100})
	for i := range 10 {
		add(t, map[int]*logfile.Writer{0: a, 1: b, 2: b}[i%3], second(i), fmt.Sprint(i))
	}
	expect(t, read(t, dir, logfile.Query{}), "0", "1", "2", "3", "4", "5", "6", "7", "8", "9")
	expect(t, read(t, dir, logfile.Query{Limit: 4}), "6", "7", "8", "9")
	expect(t, read(t, dir, logfile.Query{Name: "a", Limit: 2}), "6", "9")
	expect(t, read(t, dir, logfile.Query{Name: "a"}), "0", "3", "6", "9")
}

func TestLimitsOfTimeAreExclusive(t *testing.T) {
	dir := t.TempDir()
	w := open(t, dir, "a", logfile.Options{SegmentBytes: 80})
	for i := range 10 {
		add(t, w, second(i), fmt.Sprint(i))
	}
	for _, limit := range []int{0, 100} {
		expect(t, read(t, dir, logfile.Query{After: second(3), Before: second(6), Limit: limit}), "4", "5")
		expect(t, read(t, dir, logfile.Query{Before: second(2), Limit: limit}), "0", "1")
		expect(t, read(t, dir, logfile.Query{After: second(7), Limit: limit}), "8", "9")
	}
	expect(t, read(t, dir, logfile.Query{Before: second(6), Limit: 2}), "4", "5")
}

func TestTheLimitCountsOnlyLinesThatAreKept(t *testing.T) {
	dir := t.TempDir()
	w := open(t, dir, "a", logfile.Options{})
	for i := range 10 {
		add(t, w, second(i), fmt.Sprint(i))
	}
	even := func(l logfile.Line) bool { return l.Time.Second()%2 == 0 }
	expect(t, read(t, dir, logfile.Query{Keep: even, Limit: 3}), "4", "6", "8")
}

func TestADirectoryThatIsNotThereHasNoLines(t *testing.T) {
	expect(t, read(t, filepath.Join(t.TempDir(), "none"), logfile.Query{Limit: 3}))
}
