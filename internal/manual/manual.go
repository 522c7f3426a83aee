// Package manual writes the pages that follow from the programs: docs/cli from the commands, docs/api from the API, docs/man
// from both. `make docs` runs it, and its test finds pages that are not as it would write them. It is part of no program.
package manual

import (
	"fmt"
	"io"
	"maps"

	"github.com/setopsco/setops/internal/cli/kit"
	"github.com/setopsco/setops/internal/cli/root"
	"github.com/setopsco/setops/internal/daemon"
	"github.com/setopsco/setops/internal/httpapi"
)

// Directories are those that nothing but generated pages is in, below docs.
var Directories = []string{"cli", "man"}

// Promised is the API of the last release, below docs.
const Promised = "api/promised.json"

// apiVersion stands in the document in place of the version of a server, which changes where nothing else does.
const apiVersion = "unreleased"

// Pages gives all generated pages by their paths below docs.
func Pages() (map[string]string, error) {
	commands := root.New(kit.New(kit.Streams{Out: io.Discard, Err: io.Discard}, func(string) string { return "" }, "unreleased"))
	document, err := httpapi.Description(apiVersion)
	if err != nil {
		return nil, fmt.Errorf("describe the API: %w", err)
	}
	pages, err := apiPages(document)
	if err != nil {
		return nil, err
	}
	nouns := nounsOf(commands)
	maps.Copy(pages, commandPages(commands, nouns))
	maps.Copy(pages, manPages(commands, nouns, daemon.Commands()))
	return pages, nil
}
