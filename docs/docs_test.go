package docs_test

import (
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/setopsco/setops/docs"
)

var (
	link    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	fence   = regexp.MustCompile("(?ms)^[ \t]*```.*?^[ \t]*```")
	heading = regexp.MustCompile(`(?m)^#{1,6} (.+)$`)
	mark    = regexp.MustCompile(`<a id="([^"]+)">`)
	odd     = regexp.MustCompile(`[^\p{L}\p{N} _-]`)
)

// pages are all pages of the repository that people read.
func pages(t *testing.T) []string {
	t.Helper()
	all := []string{"../README.md", "../CONTRIBUTING.md", "../CHANGELOG.md"}
	err := filepath.WalkDir(".", func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && strings.HasSuffix(name, ".md") {
			all = append(all, name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestEveryLinkLeadsSomewhere(t *testing.T) {
	anchors := map[string]map[string]bool{}
	for _, page := range pages(t) {
		text := read(t, page)
		for _, m := range link.FindAllStringSubmatch(fence.ReplaceAllString(text, ""), -1) {
			if strings.Contains(m[1], "://") || strings.HasPrefix(m[1], "mailto:") {
				continue
			}
			file, anchor, _ := strings.Cut(m[1], "#")
			target := path.Join(path.Dir(filepath.ToSlash(page)), file)
			if file == "" {
				target = filepath.ToSlash(page)
			}
			if _, err := os.Stat(target); err != nil {
				t.Errorf("docs/%s: (%s) leads nowhere", page, m[1])
				continue
			}
			if anchor == "" || !strings.HasSuffix(target, ".md") {
				continue
			}
			if anchors[target] == nil {
				anchors[target] = anchorsOf(read(t, target))
			}
			if !anchors[target][anchor] {
				t.Errorf("docs/%s: (%s) leads to no heading of %s", page, m[1], target)
			}
		}
	}
}

// anchorsOf are the places of a page that a link can lead to, as forges and editors name them.
func anchorsOf(text string) map[string]bool {
	all := map[string]bool{}
	for _, m := range mark.FindAllStringSubmatch(text, -1) {
		all[m[1]] = true
	}
	for _, m := range heading.FindAllStringSubmatch(fence.ReplaceAllString(text, ""), -1) {
		title := link.ReplaceAllString(strings.ReplaceAll(m[1], "[", ""), "")
		all[strings.ReplaceAll(odd.ReplaceAllString(strings.ToLower(title), ""), " ", "-")] = true
	}
	return all
}

func TestEveryPageIsInTheIndex(t *testing.T) {
	index := read(t, "README.md")
	there, err := fs.Glob(docs.Pages, "*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, page := range there {
		if page != "README.md" && !strings.Contains(index, "]("+page+")") {
			t.Errorf("docs/README.md does not list %s", page)
		}
	}
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
