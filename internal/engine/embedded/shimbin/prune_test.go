package shimbin

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

func TestProgramsOfOtherVersionsAreRemovedOnceNobodyRunsThem(t *testing.T) {
	if _, err := programs(); err != nil {
		if os.Getenv("SETOPS_TEST_ALL") != "" {
			t.Fatal("the programs of all processes must be known: ", err)
		}
		t.Skip("the programs of all processes are known to root on Linux only: ", err)
	}
	dir := t.TempDir()
	sleep, err := exec.LookPath("sleep")
	if err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(sleep)
	if err != nil {
		t.Fatal(err)
	}
	running, err := unpack(dir, pack(t, string(content)))
	if err != nil {
		t.Fatal(err)
	}
	shim := exec.Command(running, "3600")
	if err := shim.Start(); err != nil {
		t.Fatal(err)
	}
	end := func() {
		_ = shim.Process.Kill()
		_ = shim.Wait()
	}
	t.Cleanup(end)
	old, err := unpack(dir, pack(t, "old"))
	if err != nil {
		t.Fatal(err)
	}
	own, err := unpack(dir, pack(t, "own"))
	if err != nil {
		t.Fatal(err)
	}
	other := filepath.Join(dir, "other")
	if err := os.Mkdir(other, 0o700); err != nil {
		t.Fatal(err)
	}

	prune(dir, filepath.Dir(own))
	wantThere(t, map[string]bool{running: true, filepath.Dir(old): false, own: true, other: true})
	end()
	prune(dir, filepath.Dir(own))
	wantThere(t, map[string]bool{filepath.Dir(running): false, own: true, other: true})
}

func wantThere(t *testing.T, paths map[string]bool) {
	t.Helper()
	for path, want := range paths {
		if _, err := os.Stat(path); (err == nil) != want {
			t.Errorf("%s is there: %v, want %v", path, err == nil, want)
		}
	}
}
