//go:build linux

package docker

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// told is a line as Docker tells it: its second and a letter.
func carriedOf(l *ledger, told ...string) []string {
	var carried []string
	for _, one := range told {
		var second int
		var text string
		fmt.Sscanf(strings.Replace(one, ".", " ", 1), "%d %s", &second, &text)
		if l.admit(time.Unix(int64(second), 0), uint64(text[0])) {
			carried = append(carried, one)
		}
	}
	return carried
}

func TestLinesThatDockerGivesAgainAreCarriedOnce(t *testing.T) {
	for name, test := range map[string]struct{ before, told, want []string }{
		"nothing is carried yet":           {nil, []string{"1.a", "2.b"}, []string{"1.a", "2.b"}},
		"equal lines at one time are two":  {nil, []string{"1.a", "1.a", "1.b", "1.a"}, []string{"1.a", "1.a", "1.b", "1.a"}},
		"the next comes after the overlap": {[]string{"1.a", "2.b"}, []string{"1.a", "2.b", "3.c"}, []string{"3.c"}},
		"one of two equal lines is there":  {[]string{"2.a"}, []string{"2.a", "2.a", "2.b"}, []string{"2.a", "2.b"}},
		"both of two equal lines are":      {[]string{"2.a", "2.a"}, []string{"2.a", "2.a"}, nil},
		"an older one was written later":   {[]string{"3.c"}, []string{"3.c", "2.b", "4.d"}, []string{"2.b", "4.d"}},
		"the file begins again":            {nil, []string{"1.a", "2.b", "3.c", "2.b", "3.c", "4.d", "3.c", "4.d", "5.e"}, []string{"1.a", "2.b", "3.c", "4.d", "5.e"}},
		"an older one that is new":         {nil, []string{"3.c", "2.b", "2.b", "3.c"}, []string{"3.c", "2.b"}},
	} {
		l := newLedger()
		carriedOf(l, test.before...)
		l.restart()
		if got := carriedOf(l, test.told...); !slices.Equal(got, test.want) {
			t.Errorf("%s: %v, want %v", name, got, test.want)
		}
	}
}

func TestALedgerForgetsWhatIsLongAgo(t *testing.T) {
	l := newLedger()
	for i := range 1000 {
		l.admit(time.Unix(int64(i), 0), 7)
	}
	if len(l.carried) > 10 || len(l.order) > 10 {
		t.Errorf("%d and %d lines are kept", len(l.carried), len(l.order))
	}
}
