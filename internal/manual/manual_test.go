package manual

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestTheGeneratedPagesAreThoseThatMakeDocsWrites(t *testing.T) {
	pages, err := Pages()
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range pages {
		got, err := os.ReadFile(filepath.Join("../../docs", name))
		if err != nil || string(got) != want {
			t.Errorf("docs/%s is not what the programs say (%v): run make docs, and look at the difference", name, err)
		}
	}
	for _, dir := range Directories {
		there, err := os.ReadDir(filepath.Join("../../docs", dir))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range there {
			if _, wanted := pages[dir+"/"+file.Name()]; !wanted {
				t.Errorf("docs/%s/%s is of something that is no more: run make docs", dir, file.Name())
			}
		}
	}
}

func TestThisVersionKeepsWhatTheAPIHasPromised(t *testing.T) {
	pages, err := Pages()
	if err != nil {
		t.Fatal(err)
	}
	promised, err := os.ReadFile(filepath.Join("../../docs", Promised))
	if err != nil {
		t.Fatal(err)
	}
	broken, err := Breaks(promised, []byte(pages["api/openapi.json"]))
	if err != nil {
		t.Fatal(err)
	}
	if len(broken) > 0 {
		t.Errorf("a client of the last release could fail:\n%s", strings.Join(broken, "\n"))
	}
}

func TestManPagesAreLaidOut(t *testing.T) {
	pages, err := Pages()
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range pages {
		if !strings.HasPrefix(name, "man/") {
			continue
		}
		for line := range strings.Lines(text) {
			macro, _, _ := strings.Cut(strings.TrimSpace(line), " ")
			if strings.HasPrefix(macro, ".") && !strings.Contains(` .\" .TH .SH .SS .PP .TP .nf .fi .ad .nh `, " "+macro+" ") {
				t.Errorf("%s: a line would be lost as a macro: %s", name, line)
			}
		}
	}
	for text, want := range map[string]string{".setops.yml": `\&.setops.yml`, `a\b`: `a\eb`, "--plan": `\-\-plan`, "'x'": `\&'x'`} {
		if got := escape(text); got != want {
			t.Errorf("%q is written as %q, want %q", text, got, want)
		}
	}
}
