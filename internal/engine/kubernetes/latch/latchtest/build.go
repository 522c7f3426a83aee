// Package latchtest builds the latch for tests, which are built without it.
package latchtest

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// Build gives the path of the program. Root is the directory of the module, seen from the test's.
func Build(t testing.TB, root string) (path string) {
	t.Helper()
	source := filepath.Join(root, "cmd", "setops-latch")
	path = filepath.Join(t.TempDir(), "setops-latch")
	out, err := exec.Command("gcc", "@"+filepath.Join(source, "flags"), "-o", path, filepath.Join(source, "latch.c")).CombinedOutput()
	if err != nil {
		t.Fatalf("build the latch: %v: %s", err, out)
	}
	return path
}

// Read gives the program itself.
func Read(t testing.TB, root string) []byte {
	t.Helper()
	program, err := os.ReadFile(Build(t, root))
	if err != nil {
		t.Fatal(err)
	}
	return program
}
