//go:build linux

package embedded

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/setopsco/setops/internal/engine/host"
)

func TestTheContainersVariablesWinOverTheImages(t *testing.T) {
	got, err := environment([]string{"A=1", "B=2", "nonsense", "=x", "A=3"}, []string{"B=own", "C=a=b", "EMPTY="})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"PATH=" + defaultPath, "A=3", "B=own", "C=a=b", "EMPTY="}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	got, err = environment([]string{"PATH=/opt"}, nil)
	if err != nil || !slices.Equal(got, []string{"PATH=/opt"}) {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestAValueThatNoProcessCanHoldIsRefusedWithoutBeingShown(t *testing.T) {
	_, err := environment(nil, []string{"TOKEN=sec\x00ret"})
	var refused *host.StartError
	if !errors.As(err, &refused) || !strings.Contains(refused.Reason, "TOKEN") || strings.Contains(refused.Reason, "ret") {
		t.Errorf("got %v", err)
	}
}

func TestIdsLeadToNoOtherDirectory(t *testing.T) {
	for _, id := range []string{"", ".", "..", "a/b", "../x", "a\x00", "a.b", strings.Repeat("a", 65)} {
		if errID(id) == nil {
			t.Errorf("%q is taken for an id", id)
		}
	}
	if err := errID(strings.Repeat("0f", 16)); err != nil {
		t.Error(err)
	}
}
