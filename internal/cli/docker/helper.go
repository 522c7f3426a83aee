package docker

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/setopsco/setops/internal/cli/config"
)

// Program is the name of the helper program, without .exe or .cmd.
const Program = "docker-credential-" + Helper

// writeHelper writes the helper program into dir: a script that runs `setops docker`. It names setops by its path, and goes
// by its name where it was moved since.
func writeHelper(dir, program string) error {
	name, text := Program, shellScript(program)
	if runtime.GOOS == "windows" {
		name, text = Program+".cmd", batchFile(program)
	}
	path := filepath.Join(dir, name)
	if there, err := os.ReadFile(path); err == nil && string(there) == text {
		return nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("make a directory for %s: %w", name, err)
	}
	if err := config.Replace(path, []byte(text)); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	if err := os.Chmod(path, 0o755); err != nil {
		return fmt.Errorf("make %s a program: %w", path, err)
	}
	return nil
}

func shellScript(program string) string {
	quoted := "'" + strings.ReplaceAll(program, "'", `'\''`) + "'"
	return "#!/bin/sh\n# Written by `setops login`: gives Docker the credentials of your session.\n" +
		"setops=" + quoted + "\n[ -x \"$setops\" ] || setops=setops\nexec \"$setops\" docker \"$@\"\n"
}

func batchFile(program string) string {
	return "@rem Written by setops login: gives Docker the credentials of your session.\r\n" +
		"@\"" + strings.ReplaceAll(program, "%", "%%") + "\" docker %*\r\n"
}

// InPath says whether programs in the directory Bin are found by their names.
func (p Paths) InPath(path string) bool {
	for _, dir := range filepath.SplitList(path) {
		if filepath.Clean(dir) == filepath.Clean(p.Bin) {
			return true
		}
	}
	return false
}
