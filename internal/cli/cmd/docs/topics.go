package docs

import (
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"strings"

	manual "github.com/setopsco/setops/docs"
	"github.com/setopsco/setops/pkg/api"
)

// index is the page that lists the others, in the order in which they are shown.
const index = "README.md"

// entry is a row of the index: | [title](page.md) | what it is about |
const entry = `(?m)^\| \[[^\]]+\]\(([a-z/-]+(?:README)?\.md)\) \| (.+) \|$`

// listTopics reads the index. A page is called by its file, or by its directory where it is a README of its own.
func listTopics() []api.ManualTopic {
	text, err := fs.ReadFile(manual.Pages, index)
	if err != nil {
		return nil // it is part of the program; a test reads it
	}
	var topics []api.ManualTopic
	for _, m := range regexp.MustCompile(entry).FindAllSubmatch(text, -1) {
		topics = append(topics, api.ManualTopic{Name: name(string(m[1])), About: strings.ReplaceAll(string(m[2]), "`", "")})
	}
	return topics
}

func name(file string) string {
	if dir, base := path.Split(file); base == index {
		return strings.TrimSuffix(dir, "/")
	}
	return strings.TrimSuffix(file, ".md")
}

func read(t api.ManualTopic) (string, error) {
	text, err := fs.ReadFile(manual.Pages, t.Name+".md")
	if err != nil {
		text, err = fs.ReadFile(manual.Pages, t.Name+"/"+index)
	}
	if err != nil {
		return "", fmt.Errorf("read the manual: %w", err)
	}
	return string(text), nil
}
