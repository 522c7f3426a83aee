package daemon

import (
	"errors"
	"strings"
	"testing"
)

func TestNobodyStandsByWhileTheKeyIsChanged(t *testing.T) {
	dir := t.TempDir()
	one, err := shareDataDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	two, err := shareDataDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range []*dataDir{one, two} {
		if _, err := d.excludeOthers(); !errors.Is(err, errInUse) {
			t.Errorf("a server stands by, and %v", err)
		}
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	}
	release, err := one.excludeOthers()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := shareDataDir(dir); err == nil || !strings.Contains(err.Error(), "setopsd rotate-key") {
		t.Error(err)
	}
	if err := release(); err != nil {
		t.Error(err)
	}
	again, err := shareDataDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := again.Close(); err != nil {
		t.Error(err)
	}
}
