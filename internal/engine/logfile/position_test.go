package logfile_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/setopsco/setops/internal/engine/logfile"
)

func behind(at logfile.Position) map[string]logfile.Position {
	return map[string]logfile.Position{"task": at}
}

// TestReadingGoesOnBehindAnyLine reads a log with rotated segments, whose lines all have the same time, up to each of its lines
// and on from there, both ways round.
func TestReadingGoesOnBehindAnyLine(t *testing.T) {
	dir := t.TempDir()
	w := open(t, dir, "task", logfile.Options{SegmentBytes: 200})
	var want []string
	for i := range 20 {
		text := strings.Repeat("x", i) + "\nsecond of " + fmt.Sprint(i)
		add(t, w, noon, text)
		want = append(want, strings.Split(text, "\n")...)
	}
	for _, limit := range []int{0, 1000} {
		all := read(t, dir, logfile.Query{Name: "task", Limit: limit})
		expect(t, all, want...)
		for i, l := range all {
			rest := read(t, dir, logfile.Query{Name: "task", Behind: behind(l.End)})
			if got := texts(rest); !slices.Equal(got, want[i+1:]) {
				t.Fatalf("behind line %d at %+v: %q", i, l.End, got)
			}
			if last := read(t, dir, logfile.Query{Name: "task", Behind: behind(l.End), Limit: 1}); len(last) != min(1, len(rest)) {
				t.Errorf("the last line behind line %d: %q", i, texts(last))
			}
		}
	}
}

// TestAFollowerThatComesBackMissesNothing follows a log while it is written by two and rotates, breaks off after a few lines
// and goes on behind the last, again and again.
func TestAFollowerThatComesBackMissesNothing(t *testing.T) {
	dir := t.TempDir()
	const each = 2000
	written := make(chan struct{})
	go func() {
		defer close(written)
		w, err := logfile.Open(dir, "task", logfile.Options{SegmentBytes: 4 << 10})
		if err != nil {
			t.Error(err)
			return
		}
		defer w.Close() //nolint:errcheck // the lines are checked
		for i := range each {
			if err := w.Append(noon, "app", fmt.Sprint(i)); err != nil {
				t.Error(err)
			}
		}
	}()
	r := rand.New(rand.NewPCG(1, 2))
	var got []string
	var at logfile.Position
	for more := true; more; {
		left := 1 + r.IntN(50)
		more = false
		err := logfile.Read(context.Background(), dir, logfile.Query{Name: "task", Behind: behind(at), Follow: true, Ended: written}, func(l logfile.Line) bool {
			got, at = append(got, l.Text), l.End
			left--
			more = left == 0
			return !more
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if len(got) != each {
		t.Errorf("%d lines of %d", len(got), each)
	}
	for i, text := range got {
		if text != fmt.Sprint(i) {
			t.Fatalf("line %d is %s", i, text)
		}
	}
}
