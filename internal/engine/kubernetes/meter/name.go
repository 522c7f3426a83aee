package meter

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// name says what a request asks for. Paths are as the API has them:
//
//	/api/v1/[namespaces/NAMESPACE/]RESOURCE[/NAME[/SUBRESOURCE]]
//	/apis/GROUP/VERSION/…
func name(r *http.Request) string {
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	switch {
	case len(parts) > 2 && parts[0] == "api":
		parts = parts[2:]
	case len(parts) > 3 && parts[0] == "apis":
		parts = parts[3:]
	default:
		return strings.ToLower(r.Method) + " " + r.URL.Path
	}
	everywhere := true
	if parts[0] == "namespaces" && len(parts) > 2 {
		parts, everywhere = parts[2:], false
	}
	verb := verb(r, len(parts) > 1)
	resource := parts[0]
	if len(parts) > 2 {
		resource += "/" + parts[2]
	}
	if everywhere && len(parts) == 1 && (verb == "list" || verb == "watch" || verb == "deletecollection") {
		resource += " of all namespaces"
	}
	return verb + " " + resource
}

// isElsewhere reports whether a path leads into another namespace, or to it.
func isElsewhere(path, namespace string) bool {
	_, rest, inside := strings.Cut(path, "/namespaces/")
	one, _, _ := strings.Cut(rest, "/")
	return inside && namespace != "" && one != namespace
}

func verb(r *http.Request, named bool) string {
	switch {
	case r.URL.Query().Get("watch") == "true" || r.URL.Query().Get("watch") == "1":
		return "watch"
	case r.Method == http.MethodGet && !named:
		return "list"
	case r.Method == http.MethodDelete && !named:
		return "deletecollection"
	}
	verbs := map[string]string{http.MethodPost: "create", http.MethodPut: "update"}
	if v, ok := verbs[r.Method]; ok {
		return v
	}
	return strings.ToLower(r.Method)
}

// Without leaves some out: those that have one of the words.
func (c Counts) Without(words ...string) Counts {
	left := maps.Clone(c)
	maps.DeleteFunc(left, func(what string, _ int) bool {
		return slices.ContainsFunc(strings.Fields(what), func(word string) bool { return slices.Contains(words, word) })
	})
	return left
}

// Sum is how many there are.
func (c Counts) Sum() int {
	n := 0
	for _, one := range c {
		n += one
	}
	return n
}

// String gives all of them, by name.
func (c Counts) String() string {
	var all []string
	for _, what := range slices.Sorted(maps.Keys(c)) {
		all = append(all, fmt.Sprintf("%d × %s", c[what], what))
	}
	return strings.Join(all, ", ")
}
