package definition

import (
	"fmt"
	"reflect"
	"strings"
)

// fieldNames are the names of a struct's fields in a file, in their order.
func fieldNames(t reflect.Type) []string {
	names := make([]string, t.NumField())
	for i := range names {
		names[i], _, _ = strings.Cut(t.Field(i).Tag.Get("json"), ",")
	}
	return names
}

// example is how a block of a type could begin.
func example(t reflect.Type) string {
	names := fieldNames(t)
	return fmt.Sprintf("{%s: …}", names[0])
}

// didYouMean asks about the field that is spelled most nearly like name; it is empty where none is near.
func didYouMean(name string, names []string) string {
	best, least := "", 1+len(name)/3
	for _, n := range names {
		if d := distance(strings.ToLower(strings.ReplaceAll(name, "-", "_")), n); d <= least {
			best, least = n, d-1
		}
	}
	if best == "" {
		return ""
	}
	return "did you mean " + best + "? "
}

// distance is how many letters must be put in, taken out or replaced to make one word of another.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replaced := diagonal
			if a[i] != b[j] {
				replaced++
			}
			diagonal = row[j+1]
			row[j+1] = min(replaced, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}
