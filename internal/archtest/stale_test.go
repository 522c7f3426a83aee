package archtest

import "slices"

// hasNoStaleEntry finds what stands in a table and holds for nothing, so that the tables say what is.
func hasNoStaleEntry(units []unit) []string {
	var found []string
	for _, r := range layers {
		if !anyUnit(units, func(u unit) bool { return matches(r.pkg, u.path) }) {
			found = append(found, "layers: there is no "+r.pkg)
		}
	}
	for _, h := range homes {
		lives := func(u unit) bool {
			return slices.ContainsFunc(u.foreignImports(), func(imp string) bool { return matches(h.module+"/...", imp) })
		}
		if !anyUnit(units, lives) {
			found = append(found, "homes: nobody imports "+h.module)
		}
	}
	for _, e := range testedElsewhere {
		if !anyUnit(units, func(u unit) bool { return matches(e.pkg, u.path) && untested(u) }) {
			found = append(found, "testedElsewhere: there is no "+e.pkg+" without tests")
		}
	}
	lock := func(u unit) bool {
		return u.path == threadLock && slices.ContainsFunc(u.files, func(f file) bool { return slices.Contains(f.funcs, "init") })
	}
	if !anyUnit(units, lock) {
		found = append(found, "threadLock: there is no init in "+threadLock)
	}
	return found
}

func anyUnit(units []unit, holds func(unit) bool) bool { return slices.ContainsFunc(units, holds) }
