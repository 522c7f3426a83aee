package archtest

import (
	"fmt"
	"slices"
)

// Pure packages compute values from values: their results can be tested as text, replayed and compared.
const pure = "internal/setops internal/changeset internal/plan internal/definition"

var (
	impureImports = "context os/... net net/http/... database/sql/... log/... math/rand/... crypto/rand syscall"
	impureUses    = []string{
		"time.Now", "time.Since", "time.Until", "time.Sleep", "time.After", "time.AfterFunc", "time.Tick",
		"time.NewTimer", "time.NewTicker", "time.Local",
	}
)

func computesValuesFromValues(units []unit) []string {
	var found []string
	for _, u := range units {
		if !matches(pure, u.path) {
			continue
		}
		for _, f := range u.product() {
			for _, imp := range f.imports {
				if matches(impureImports, imp) {
					found = append(found, fmt.Sprintf("%s imports %s", f.path, imp))
				}
			}
			for _, use := range f.uses {
				if slices.Contains(impureUses, use) {
					found = append(found, fmt.Sprintf("%s uses %s", f.path, use))
				}
			}
		}
	}
	return found
}

// importsOnlyTheStandardLibrary keeps pkg/api, which others build on, free of what they would have to follow us in.
func importsOnlyTheStandardLibrary(units []unit) []string {
	var found []string
	for _, u := range units {
		if u.path != "pkg/api" {
			continue
		}
		for _, imp := range append(u.foreignImports(), u.ownImports(false)...) {
			found = append(found, fmt.Sprintf("%s imports %s", u.path, imp))
		}
	}
	return found
}
