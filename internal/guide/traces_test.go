//go:build linux

package guide

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestWhatIsLeftBehindIsFound(t *testing.T) {
	data := t.TempDir()
	if left := traces(data, data); len(left) > 0 {
		t.Errorf("an empty directory left %v", left)
	}
	if err := os.WriteFile(filepath.Join(data, "instance"), []byte("0badcafe\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if left := traces(data, data); len(left) > 0 {
		t.Errorf("a server that cleaned up left %v", left)
	}
	shim := startShim(t, data)
	left := traces(data, t.TempDir())
	if !slices.ContainsFunc(left, func(s string) bool { return strings.HasPrefix(s, "process ") }) {
		t.Errorf("the shim %d was not found: %v", shim, left)
	}
}

// startShim runs a program of that name out of a data directory until the test ends.
func startShim(t *testing.T, data string) int {
	t.Helper()
	program, err := exec.LookPath("sleep")
	if err != nil {
		t.Fatal(err)
	}
	bytes, err := os.ReadFile(program)
	if err != nil {
		t.Fatal(err)
	}
	home := filepath.Join(data, "engine", "shim", "0")
	if err := os.MkdirAll(home, 0o700); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(home, "setops-shim")
	if err := os.WriteFile(path, bytes, 0o700); err != nil {
		t.Fatal(err)
	}
	c := exec.Command(path, "600")
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		c.Process.Kill() //nolint:errcheck // Wait says how it ended
		c.Wait()         //nolint:errcheck // it was killed
	})
	return c.Process.Pid
}
