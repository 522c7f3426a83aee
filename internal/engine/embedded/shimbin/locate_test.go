package shimbin

import (
	"bytes"
	"compress/gzip"
	"os"
	"path/filepath"
	"testing"
)

func TestTheCarriedProgramIsUnpackedOnceByItsContent(t *testing.T) {
	dir := t.TempDir()
	first, err := unpack(dir, pack(t, "one"))
	if err != nil {
		t.Fatal(err)
	}
	checkProgram(t, first, "one")
	before, err := os.Stat(first)
	if err != nil {
		t.Fatal(err)
	}
	again, err := unpack(dir, pack(t, "one"))
	if err != nil {
		t.Fatal(err)
	}
	after, err := os.Stat(again)
	if err != nil {
		t.Fatal(err)
	}
	if !os.SameFile(before, after) {
		t.Error("the same program was unpacked again")
	}
	second, err := unpack(dir, pack(t, "two"))
	if err != nil {
		t.Fatal(err)
	}
	checkProgram(t, second, "two")
	checkProgram(t, first, "one")
}

func TestABrokenProgramIsNeverFound(t *testing.T) {
	dir := t.TempDir()
	whole := pack(t, "one")
	if _, err := unpack(dir, whole[:len(whole)-4]); err == nil {
		t.Fatal("a program that is cut short was unpacked")
	}
	found, err := filepath.Glob(filepath.Join(dir, "*", program))
	if err != nil || len(found) > 0 {
		t.Errorf("found %v, %v", found, err)
	}
}

func TestTheVariableNamesAProgramThatCanRun(t *testing.T) {
	if carried != nil {
		t.Skip("this build carries the program")
	}
	path := filepath.Join(t.TempDir(), "shim")
	t.Setenv(variable, path)
	if _, err := Locate(t.TempDir()); err == nil {
		t.Error("a program that is not there was found")
	}
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Locate(t.TempDir()); err == nil {
		t.Error("a program that is not executable was found")
	}
	if err := os.Chmod(path, 0o700); err != nil {
		t.Fatal(err)
	}
	if got, err := Locate(t.TempDir()); got != path || err != nil {
		t.Errorf("Locate gave %q, %v", got, err)
	}
}

func pack(t *testing.T, content string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write([]byte(content)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func checkProgram(t *testing.T, path, want string) {
	t.Helper()
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want || runnable(path) != nil {
		t.Errorf("%s holds %q, runnable: %v", path, got, runnable(path))
	}
}
