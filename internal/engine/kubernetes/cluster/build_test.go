package cluster

import (
	"os"
	"path/filepath"
	"testing"
)

func TestTheCacheIsKeyedByWhatIsCompiled(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	box := t.TempDir()
	key := func(content string) string {
		t.Helper()
		must(t, os.WriteFile(filepath.Join(box, "go.mod"), []byte(content), 0o600))
		dir, err := cached(box)
		must(t, err)
		return dir
	}
	first := key("module box\n")
	if again := key("module box\n"); again != first {
		t.Errorf("the same sources are kept at %s and at %s", first, again)
	}
	if other := key("module box\n\nrequire k8s.io/api v0.37.3\n"); other == first {
		t.Error("other versions are kept at the same place")
	}
}

func TestAProgramIsFoundWhereItCanBeRun(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "runc")
	must(t, os.WriteFile(file, nil, 0o600))
	if found := find("runc", []string{dir}); found != "" {
		t.Errorf("%s is found, which nobody may run", found)
	}
	must(t, os.Chmod(file, 0o700))
	if found := find("runc", []string{t.TempDir(), dir}); found != file {
		t.Errorf("%q is found, not %s", found, file)
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
