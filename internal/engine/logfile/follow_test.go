package logfile

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

// TestFollowingLosesAndDoublesNoLine follows while two writers rotate quickly, by each way of watching.
func TestFollowingLosesAndDoublesNoLine(t *testing.T) {
	dir := t.TempDir()
	const each = 3000
	write := func(who string) {
		w, err := Open(dir, "task", Options{SegmentBytes: 2 << 10})
		if err != nil {
			t.Error(err)
			return
		}
		defer w.Close() //nolint:errcheck // the lines are checked
		for i := range each {
			if err := w.Append(time.Now(), "app", fmt.Sprintf("%s %d", who, i)); err != nil {
				t.Error(err)
			}
		}
	}
	write("before")
	ended := make(chan struct{})
	first := make(chan struct{})
	result := make(chan map[string]int)
	go func() {
		count := map[string]int{}
		err := Read(context.Background(), dir, Query{Follow: true, Ended: ended}, func(l Line) bool {
			if len(count) == 0 {
				close(first)
			}
			count[l.Text]++
			return true
		})
		if err != nil {
			t.Error(err)
		}
		result <- count
	}()
	<-first
	shim := make(chan struct{})
	go func() { defer close(shim); write("shim") }()
	write("supervisor")
	<-shim
	close(ended)
	count := <-result
	for i := range each {
		for _, who := range []string{"before", "shim", "supervisor"} {
			if n := count[fmt.Sprintf("%s %d", who, i)]; n != 1 {
				t.Fatalf("line %d of %s came %d times", i, who, n)
			}
		}
	}
}

func TestFollowingEndsWithItsContextAndItsReader(t *testing.T) {
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := Read(ctx, dir, Query{Follow: true}, func(Line) bool { return true }); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	w, err := Open(dir, "task", Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close() //nolint:errcheck // a test's
	done := make(chan error)
	go func() {
		done <- Read(context.Background(), dir, Query{Follow: true}, func(Line) bool { return false })
	}()
	if err := w.Append(time.Now(), "app", "one"); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestFollowingEndsWhenTheLogsAreRemoved(t *testing.T) {
	dir := t.TempDir() + "/app"
	w, err := Open(dir, "task", Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Append(time.Now(), "app", "one"); err != nil {
		t.Fatal(err)
	}
	seen, done := make(chan struct{}), make(chan error)
	go func() {
		done <- Read(context.Background(), dir, Query{Follow: true}, func(Line) bool { close(seen); return true })
	}()
	<-seen
	if err := errors.Join(w.Close(), os.RemoveAll(dir)); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestPollingReportsThatAnythingMayHaveChanged(t *testing.T) {
	w := &watcher{wake: make(chan struct{}, 1), files: map[string]struct{}{}}
	w.poll()
	defer w.close()
	<-w.wake
	if files, gone := w.take(); files != nil || gone {
		t.Errorf("got %v, %t", files, gone)
	}
}

// TestALateLineDoesNotTakeAReaderBack has a line come to a segment that is full already, as from a writer that had looked
// just before.
func TestALateLineDoesNotTakeAReaderBack(t *testing.T) {
	f := follower{marks: map[string]Position{}}
	for _, step := range []struct{ end, want Position }{
		{Position{1, 10}, Position{1, 10}},
		{Position{2, 5}, Position{2, 5}},
		{Position{1, 20}, Position{2, 5}},
		{Position{2, 9}, Position{2, 9}},
	} {
		if got := f.mark("task", step.end); got != step.want {
			t.Errorf("%+v: got %+v, not %+v", step.end, got, step.want)
		}
	}
}

// TestAFollowerIsToldOfLinesThatWereDeletedBeforeItHadThem has a reader wait at its first line until the segments behind it are
// deleted.
func TestAFollowerIsToldOfLinesThatWereDeletedBeforeItHadThem(t *testing.T) {
	dir := t.TempDir()
	opts := Options{SegmentBytes: 1 << 10, TotalBytes: 4 << 10}
	w, err := Open(dir, "task", opts)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close() //nolint:errcheck // a test's
	write := func(text string) {
		if err := w.Append(time.Now(), "app", text); err != nil {
			t.Error(err)
		}
	}
	write("first")
	ended := make(chan struct{})
	at, gaps, newest := 0, 0, Position{}
	yield := func(l Line) bool {
		switch {
		case l.Gap && l.Name == "task":
			gaps++
			at = -1
			return true
		case l.Text == "first":
			for i := range 1000 {
				write(fmt.Sprint(i))
			}
			close(ended)
			return true
		case at >= 0 && l.Text != fmt.Sprint(at):
			t.Errorf("line %s stands where %d should, and nothing says so", l.Text, at)
		}
		if _, err := fmt.Sscan(l.Text, &at); err != nil {
			t.Error(err)
		}
		at++
		newest = l.End
		return true
	}
	if err := Read(t.Context(), dir, Query{Follow: true, Ended: ended}, yield); err != nil {
		t.Fatal(err)
	}
	if gaps != 1 || at != 1000 {
		t.Errorf("%d gaps, and the end is behind line %d", gaps, at)
	}
	gaps = 0
	for _, from := range []Position{{Segment: 1, Offset: 30}, newest} {
		q := Query{Follow: true, Ended: ended, Behind: map[string]Position{"task": from}}
		if err := Read(t.Context(), dir, q, yield); err != nil {
			t.Fatal(err)
		}
	}
	if gaps != 1 || at != 1000 {
		t.Errorf("%d gaps for who comes back, and the end is behind line %d", gaps, at)
	}
}

// TestAFollowerThatIsSlowReadsPieceByPiece has more written than is read at once, in several segments.
func TestAFollowerThatIsSlowReadsPieceByPiece(t *testing.T) {
	dir := t.TempDir()
	w, err := Open(dir, "task", Options{SegmentBytes: 3 << 20})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close() //nolint:errcheck // a test's
	write := func(text string) {
		if err := w.Append(time.Now(), "app", text); err != nil {
			t.Error(err)
		}
	}
	write("first")
	padding := strings.Repeat("x", 30<<10)
	const many = 250
	next := 0
	err = Read(t.Context(), dir, Query{Follow: true}, func(l Line) bool {
		if l.Text == "first" {
			for i := range many {
				write(fmt.Sprint(i, " ", padding))
			}
			return true
		}
		if number, _, _ := strings.Cut(l.Text, " "); number != fmt.Sprint(next) {
			t.Errorf("line %d is %s", next, number)
			return false
		}
		next++
		return next < many
	})
	if err != nil || next != many {
		t.Errorf("%d lines, %v", next, err)
	}
}
