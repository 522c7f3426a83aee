package archtest

import (
	"fmt"
	"slices"
	"strings"
)

// mainLines is room for what joins packages into a program. Nothing tests a main, so nothing is decided there.
const mainLines = 30

func keepsProgramsShort(units []unit) []string {
	var found []string
	for _, u := range units {
		lines := 0
		for _, f := range u.product() {
			lines += f.lines
		}
		if matches("cmd/...", u.path) && lines > mainLines {
			found = append(found, fmt.Sprintf("%s has %d lines of code, at most %d", u.path, lines, mainLines))
		}
	}
	return found
}

// The one init there is: libcontainer needs the main goroutine on the main thread before main begins.
const threadLock = "cmd/setops-shim"

func doesNothingByInit(units []unit) []string {
	var found []string
	for _, u := range units {
		for _, f := range u.files {
			if !slices.Contains(f.funcs, "init") {
				continue
			}
			if u.path != threadLock || f.test || !slices.Contains(f.uses, "runtime.LockOSThread") {
				found = append(found, f.path+" has an init function")
			}
		}
	}
	return found
}

// The identifier of a request is a value of that request; nothing else travels in a context.
const requestID = "internal/httpapi"

func hidesNothingInContexts(units []unit) []string {
	var found []string
	for _, u := range units {
		n := 0
		for _, f := range u.product() {
			for _, use := range f.uses {
				if use == "context.WithValue" {
					n++
				}
			}
		}
		if n > 1 || n == 1 && u.path != requestID {
			found = append(found, u.path+" puts values into a context")
		}
	}
	return found
}

var drawers = []string{"util", "utils", "common", "helper", "helpers", "type", "types", "model", "models", "manager", "core"}

func namesPackagesByWhatTheyDo(units []unit) []string {
	var found []string
	for _, u := range units {
		if named(u, drawers...) {
			found = append(found, u.path+" is named like a drawer for everything")
		}
	}
	return found
}

func leavesNothingUnfinished(units []unit) []string {
	var found []string
	for _, u := range units {
		for _, f := range u.files {
			for _, mark := range f.marks {
				found = append(found, f.path+":"+mark)
			}
		}
	}
	return found
}

func hasOnePackageComment(units []unit) []string {
	var found []string
	for _, u := range units {
		if len(u.product()) == 0 {
			continue
		}
		var in []string
		for _, f := range u.product() {
			begin := "Package " + f.pkg + " "
			if u.program() {
				begin = "Command "
			}
			if strings.HasPrefix(f.doc, begin) {
				in = append(in, f.path)
			} else if f.doc != "" {
				found = append(found, fmt.Sprintf("the package comment in %s does not begin with %q", f.path, begin))
			}
		}
		if len(in) != 1 {
			found = append(found, fmt.Sprintf("%s has %d package comments", u.path, len(in)))
		}
	}
	return found
}
