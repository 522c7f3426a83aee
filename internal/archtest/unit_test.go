package archtest

import (
	"path"
	"slices"
	"strings"
)

// product is the files that are linked into programs.
func (u unit) product() []file {
	return slices.DeleteFunc(slices.Clone(u.files), func(f file) bool { return f.test })
}

// ownImports is what u imports of this module, with that of its tests on demand.
func (u unit) ownImports(tests bool) []string {
	return u.imports(tests, own)
}

// foreignImports is what u imports of other modules.
func (u unit) foreignImports() []string {
	return u.imports(false, func(imp string) bool { return !own(imp) && strings.Contains(first(imp), ".") })
}

func (u unit) imports(tests bool, keep func(string) bool) []string {
	files := u.product()
	if tests {
		files = u.files
	}
	var list []string
	for _, f := range files {
		for _, imp := range f.imports {
			if keep(imp) {
				list = append(list, imp)
			}
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

func (u unit) program() bool {
	return len(u.product()) > 0 && u.product()[0].pkg == "main"
}

// own tells our packages, which load has cut to cmd/…, docs, internal/… and pkg/…, from the standard library's: that has
// internal packages too, which nobody can import.
func own(imp string) bool {
	return slices.Contains([]string{"cmd", "docs", "internal", "pkg"}, first(imp))
}

func first(imp string) string {
	head, _, _ := strings.Cut(imp, "/")
	return head
}

// matches knows patterns such as "internal/engine/... cmd/setops except internal/engine/fake".
func matches(pattern, pkg string) bool {
	in, out, _ := strings.Cut(pattern, " except ")
	return matchesAny(strings.Fields(in), pkg) && !matchesAny(strings.Fields(out), pkg)
}

func matchesAny(patterns []string, pkg string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool {
		if strings.Contains(p, " ") {
			return matches(p, pkg)
		}
		tree, deep := strings.CutSuffix(p, "/...")
		return pkg == tree || deep && strings.HasPrefix(pkg, tree+"/")
	})
}

func named(u unit, names ...string) bool {
	if slices.Contains(names, path.Base(u.path)) {
		return true
	}
	return slices.ContainsFunc(u.product(), func(f file) bool { return slices.Contains(names, f.pkg) })
}
