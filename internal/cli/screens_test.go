package cli_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/shlex"
)

var update = flag.Bool("update", false, "write the golden screens anew")

// TestScreensAreAsRecorded types every `$ setops …` line of testdata/screens and compares what comes: standard output as
// it is, standard error behind `2> `, and the exit code where it is not 0. In the files SERVER stands for the address.
func TestScreensAreAsRecorded(t *testing.T) {
	files, err := filepath.Glob("testdata/screens/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no screens: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) { compareScreens(t, file) })
	}
}

func compareScreens(t *testing.T, file string) {
	recorded, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	path, err := filepath.Abs(file) // the session changes the directory
	if err != nil {
		t.Fatal(err)
	}
	s := newSession(t)
	var played strings.Builder
	for line := range strings.Lines(string(recorded)) {
		if strings.HasPrefix(line, "# ") {
			played.WriteString(line)
		}
		typed, isCommand := strings.CutPrefix(line, "$ setops ")
		if !isCommand {
			continue
		}
		args, err := shlex.Split(strings.TrimSpace(typed))
		if err != nil {
			t.Fatal(err)
		}
		played.WriteString(line)
		s.server.forget()
		played.WriteString(screen(s.run(args...)))
	}
	if *update {
		if err := os.WriteFile(path, []byte(played.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	compareLines(t, played.String(), string(recorded))
}

func screen(r result) string {
	var b strings.Builder
	b.WriteString(r.stdout)
	for line := range strings.Lines(r.stderr) {
		b.WriteString("2> " + line)
	}
	if r.code != 0 {
		fmt.Fprintf(&b, "exit %d\n", r.code)
	}
	b.WriteString("\n")
	return b.String()
}
