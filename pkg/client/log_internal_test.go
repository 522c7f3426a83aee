package client

import (
	"fmt"
	"testing"
	"time"
)

func TestOnlyTheNewestLinesAreRemembered(t *testing.T) {
	var s seen
	noon := time.Date(2026, 3, 17, 12, 0, 0, 0, time.UTC)
	for i := range 1000 {
		at := noon.Add(time.Duration(i) * 100 * time.Millisecond)
		if s.before(fmt.Sprint(i), at) {
			t.Fatalf("line %d is new", i)
		}
		if i > 20 && !s.before(fmt.Sprint(i-20), at) { // two seconds ago
			t.Fatalf("line %d was there", i-20)
		}
	}
	if len(s.ids) > 50 || len(s.order) != len(s.ids) {
		t.Errorf("%d ids are remembered, in an order of %d", len(s.ids), len(s.order))
	}
}
