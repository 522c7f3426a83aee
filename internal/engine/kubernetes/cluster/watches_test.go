package cluster

import (
	"os"
	"path/filepath"
	"testing"
)

func TestALimitIsRaisedWhileThereAreClusters(t *testing.T) {
	dir, setting := t.TempDir(), filepath.Join(t.TempDir(), "setting")
	l := limit{setting: setting, least: 1024}
	is := func(want int) {
		t.Helper()
		if now, err := l.read(); err != nil || now != want {
			t.Fatalf("the limit is %d and not %d: %v", now, want, err)
		}
	}
	must(t, os.WriteFile(setting, []byte("128\n"), 0o600))
	for _, cluster := range []string{"0", "1"} {
		must(t, os.Mkdir(filepath.Join(dir, cluster), 0o700))
		must(t, l.raise(dir))
		is(1024)
	}
	must(t, os.Remove(filepath.Join(dir, "0")))
	must(t, l.restore(dir))
	is(1024)
	must(t, os.Remove(filepath.Join(dir, "1")))
	must(t, l.restore(dir))
	is(128)
	must(t, os.Remove(dir)) // nothing is left in it
	must(t, l.restore(dir))

	must(t, os.WriteFile(setting, []byte("8192\n"), 0o600))
	dir = t.TempDir()
	must(t, l.raise(dir))
	must(t, l.restore(dir))
	is(8192)
}
