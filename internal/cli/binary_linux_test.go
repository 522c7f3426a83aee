package cli_test

import (
	"debug/elf"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// largestProgram is what setops may have at most, in bytes.
const largestProgram = 15_000_000

// TestTheProgramIsOneSmallFile builds setops as the Makefile does, whose flags it looks for.
func TestTheProgramIsOneSmallFile(t *testing.T) {
	const flags = "-trimpath -ldflags '-s -w -X $(MODULE)/internal/cli/root.version=$(VERSION)' -o bin/setops ./cmd/setops"
	makefile, err := os.ReadFile("../../Makefile")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(makefile), "CGO_ENABLED=0 go build "+flags) {
		t.Fatalf("the Makefile does not build setops by %s any more; build it here as it does", flags)
	}
	program := filepath.Join(t.TempDir(), "setops")
	build := exec.Command("go", "build", "-buildvcs=false", "-trimpath", "-ldflags", "-s -w", "-o", program, "../../cmd/setops")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	info, err := os.Stat(program)
	if err != nil {
		t.Fatal(err)
	}
	if info.Size() > largestProgram {
		t.Errorf("setops has %d bytes, allowed are %d: look what `go version -m` and `go list -deps` have that it should not need", info.Size(), largestProgram)
	}
	file, err := elf.Open(program)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	if libraries, err := file.ImportedLibraries(); err != nil || len(libraries) > 0 {
		t.Errorf("setops needs libraries of the system it runs on: %v, %v", libraries, err)
	}
}
