package release

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestTheFormulaHasTheChecksumOfEachArchive(t *testing.T) {
	archives := []string{"darwin_arm64", "darwin_amd64", "linux_arm64", "linux_amd64"}
	var checksums strings.Builder
	for i, archive := range archives {
		fmt.Fprintf(&checksums, "%064d  setops_1.2.3_%s.tar.gz\n", i, archive)
	}
	file := filepath.Join(t.TempDir(), "checksums.txt")
	write := func(text string) {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(checksums.String())
	formula, err := exec.Command("../../packaging/formula", "1.2.3", file).Output()
	if err != nil {
		t.Fatal(err)
	}
	for i, archive := range archives {
		want := fmt.Sprintf("/v1.2.3/setops_1.2.3_%s.tar.gz\"\n      sha256 \"%064d\"\n", archive, i)
		if !strings.Contains(string(formula), want) {
			t.Errorf("the formula lacks %s:\n%s", want, formula)
		}
	}
	write(strings.Replace(checksums.String(), "linux_arm64", "linux_riscv64", 1))
	if out, err := exec.Command("../../packaging/formula", "1.2.3", file).CombinedOutput(); err == nil {
		t.Errorf("a formula without an archive was written:\n%s", out)
	}
}

// Scripts of packages run where systemd does not, too: in containers, and while images are made.
func TestScriptsOfPackagesGoThroughWhereThereIsNoSystemd(t *testing.T) {
	if _, err := os.Stat("/run/systemd/system"); err == nil {
		t.Skip("systemd runs here; what the scripts would do is the machine's own")
	}
	for script, arguments := range map[string][]string{
		"postinstall.sh": {"configure", "configure 0.4.0", "1", "2"},
		"preremove.sh":   {"remove", "upgrade 0.5.0", "0", "1"},
		"postremove.sh":  {"remove", "upgrade 0.5.0", "purge", "0", "1"},
	} {
		for _, args := range arguments {
			cmd := exec.Command("sh", append([]string{"../../packaging/" + script}, strings.Fields(args)...)...)
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%s %s: %v\n%s", script, args, err, out)
			}
		}
	}
}
