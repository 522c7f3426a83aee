package changeset

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/setopsco/setops/internal/setops"
)

// argument is one pair of what is shown of a command; one without a key is left out.
type argument struct {
	key   string
	value any
}

func arguments(app string, all ...argument) map[string]any {
	m := map[string]any{}
	if app != "" {
		m["name"] = app
	}
	for _, a := range all {
		if a.key != "" {
			m[a.key] = a.value
		}
	}
	return m
}

func list(key string, values []string) argument {
	if values == nil {
		return argument{}
	}
	return argument{key, values}
}

func optional[T any](key string, value *T) argument {
	if value == nil {
		return argument{}
	}
	return argument{key, *value}
}

// unset restores the named fields by their functions.
func unset(fields []string, restore map[string]func()) error {
	if len(fields) == 0 {
		return invalid("fields", setops.Required, "name what to unset")
	}
	for i, field := range fields {
		f, ok := restore[field]
		if !ok {
			return invalid(fmt.Sprintf("fields[%d]", i), setops.NotIncluded,
				fmt.Sprintf("%q cannot be unset; there are %s", field, strings.Join(slices.Sorted(maps.Keys(restore)), ", ")))
		}
		f()
	}
	return nil
}
