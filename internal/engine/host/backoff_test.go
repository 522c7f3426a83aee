package host

import (
	"testing"
	"time"
)

var usual = BackOff{First: time.Second, Most: 5 * time.Minute, Reset: 10 * time.Minute}

func TestTheBackOffDoublesUpToItsMost(t *testing.T) {
	for n, want := range map[int]time.Duration{
		1: time.Second, 2: 2 * time.Second, 3: 4 * time.Second, 9: 256 * time.Second, 10: 5 * time.Minute, 1000: 5 * time.Minute,
	} {
		if got := usual.delay(n); got != want {
			t.Errorf("failure %d: %s, want %s", n, got, want)
		}
	}
}

func TestATaskThatRanLongBeginsANewRow(t *testing.T) {
	now := time.Now()
	v := usual.after(vacancy{failures: 4}, 9*time.Minute, "exited with code 1", now)
	if v.failures != 5 || v.due != now.Add(16*time.Second) || v.story() != "exited with code 1 (5th time)" {
		t.Errorf("got %+v", v)
	}
	v = usual.after(vacancy{failures: 4}, 10*time.Minute, "exited with code 1", now)
	if v.failures != 1 || v.due != now.Add(time.Second) || v.story() != "exited with code 1" {
		t.Errorf("got %+v", v)
	}
}

func TestOrdinals(t *testing.T) {
	for n, want := range map[int]string{1: "1st", 2: "2nd", 3: "3rd", 4: "4th", 11: "11th", 12: "12th", 13: "13th", 21: "21st", 112: "112th"} {
		if got := ordinal(n); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}
