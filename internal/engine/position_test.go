package engine_test

import (
	"testing"

	"github.com/setopsco/setops/internal/engine"
)

func TestPositionsAreReadAsTheyWereWritten(t *testing.T) {
	for _, p := range []engine.LogPosition{{}, {Segment: 1, Offset: 20}, {Segment: 12, Offset: 1 << 40}} {
		if got, err := engine.ParseLogPosition(p.String()); err != nil || got != p {
			t.Errorf("%s: %+v, %v", p, got, err)
		}
	}
	for _, text := range []string{"", "1", "1.", ".1", "1.2.3", "-1.2", "1.-2", "+1.2", "01.2", "1.x", "1.99999999999999999999"} {
		if got, err := engine.ParseLogPosition(text); err == nil || got != (engine.LogPosition{}) {
			t.Errorf("%q: %+v, %v", text, got, err)
		}
	}
}
