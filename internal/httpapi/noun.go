package httpapi

import (
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// tagByNoun puts an operation below the noun that it is about, for those who read the document.
func tagByNoun(_ *huma.OpenAPI, op *huma.Operation) { op.Tags = []string{nounOf(op.Path)} }

// nounOf is the last word of a path that stands behind the version or behind a scope: changeset of …/stages/{stage}/changeset/plan.
func nounOf(path string) string {
	noun, before := "", ""
	for word := range strings.SplitSeq(strings.Trim(path, "/"), "/") {
		switch before {
		case "v1", "{organization}", "{project}", "{stage}", "{app}":
			if !strings.HasPrefix(word, "{") {
				noun = word
			}
		}
		before = word
	}
	return noun
}
