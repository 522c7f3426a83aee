package kit

import "testing"

func TestOnlyNeighbouringMinorVersionsBelongTogether(t *testing.T) {
	for _, test := range []struct {
		one, other string
		apart      bool
	}{
		{"0.4.0", "0.4.9", false},
		{"0.4.3", "0.5.0", false},
		{"0.5.0", "0.4.3", false},
		{"0.4.0", "0.6.0", true},
		{"0.6.0-rc.1", "0.4.0", true},
		{"0.9.0", "1.0.0", true},
		{"1.2.0", "2.2.0", true},
		{"0.0.0-dev", "0.6.0", false},
		{"0.6.0", "0.0.0-dev", false},
		{"", "0.6.0", false},
		{"0.6.0", "a proxy", false},
	} {
		if got := apart(test.one, test.other); got != test.apart {
			t.Errorf("%s and %s are too far apart: %v, want %v", test.one, test.other, got, test.apart)
		}
	}
}
