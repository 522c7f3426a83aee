package render

import (
	"strings"
	"testing"
)

func TestATransferTellsEachQuarterOnce(t *testing.T) {
	var b strings.Builder
	shown := NewTransfer(&b, true, "Pushing") // it is no terminal
	for _, done := range []int64{0, 10, 40, 45, 120, 120} {
		shown.Update(done, 120)
	}
	shown.Update(1, 0)
	shown.Update(500, 120) // more than there is, as a layer that was sent twice
	shown.Done()
	shown.End()
	const want = "Pushing… 25 % of 120 B\nPushing… 50 % of 120 B\nPushing… 75 % of 120 B\n"
	if b.String() != want {
		t.Errorf("shown:\n%s", b.String())
	}
}

func TestABarIsAlwaysAsWide(t *testing.T) {
	for _, test := range []struct {
		done, total int64
		full        int
	}{{0, 5, 0}, {5, 5, 24}, {1, 2, 12}, {1 << 40, 1 << 41, 12}} {
		got := bar(test.done, test.total)
		if strings.Count(got, "█") != test.full || len([]rune(got)) != barWidth {
			t.Errorf("%d of %d: %s", test.done, test.total, got)
		}
	}
}

func TestSizesAreForPeople(t *testing.T) {
	for n, want := range map[int64]string{
		0: "0 B", 999: "999 B", 1000: "1.0 kB", 12_345: "12.3 kB", 999_949: "999.9 kB", 999_950: "1.0 MB", 4_500_000_000: "4.5 GB", 5e12: "5000.0 GB",
	} {
		if got := Bytes(n); got != want {
			t.Errorf("%d: %s, not %s", n, got, want)
		}
	}
}
