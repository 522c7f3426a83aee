// Package docs holds the manual, as it is in this directory, for `setops docs`. README.md is its index.
package docs

import "embed"

// Pages are the pages that README.md lists.
//
//go:embed *.md api/README.md ci/README.md
var Pages embed.FS
