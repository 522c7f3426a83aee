package seal

import (
	"bytes"
	"strings"
	"testing"

	"github.com/setopsco/setops/internal/setops"
)

func box(t *testing.T, b byte) *Box {
	t.Helper()
	box, err := New(bytes.Repeat([]byte{b}, KeySize))
	if err != nil {
		t.Fatal(err)
	}
	return box
}

func TestWhatWasSealedCanBeOpened(t *testing.T) {
	b := box(t, 1)
	for _, value := range []string{"", "geheim", strings.Repeat("x", 100_000)} {
		sealed := b.Seal("env s web KEY", value)
		if value != "" && strings.Contains(string(sealed), value) {
			t.Errorf("the sealed text shows the value")
		}
		opened, err := b.Open("env s web KEY", sealed)
		if err != nil || opened != value {
			t.Errorf("opened %q, %v", opened, err)
		}
	}
}

func TestEqualValuesAreEqualOnlyForOnePurpose(t *testing.T) {
	b := box(t, 1)
	if one, two := b.Seal("a", "v"), b.Seal("a", "v"); one != two {
		t.Error("the same value has two sealed texts: every commit would restart the app")
	}
	if b.Seal("a", "v") == b.Seal("b", "v") || b.Seal("a", "v") == b.Seal("a", "w") {
		t.Error("different things have equal sealed text")
	}
}

func TestNothingElseOpensIt(t *testing.T) {
	sealed := box(t, 1).Seal("a", "v")
	if _, err := box(t, 2).Open("a", sealed); err == nil {
		t.Error("another key opened it")
	}
	if _, err := box(t, 1).Open("b", sealed); err == nil {
		t.Error("another purpose opened it")
	}
	for _, damaged := range []string{"", "v", "s1:", "s1:!!", string(sealed[:len(sealed)-1]) + "A"} {
		if _, err := box(t, 1).Open("a", setops.Sealed(damaged)); err == nil {
			t.Errorf("%q was opened", damaged)
		}
	}
	if _, err := New([]byte("short")); err == nil {
		t.Error("a short key was taken")
	}
}
