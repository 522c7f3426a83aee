package render

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/setopsco/setops/pkg/api"
)

// Env prints variables as `-- KEY=value   (description)`.
func Env(w io.Writer, env []api.EnvVar) error {
	for _, v := range env {
		line := strings.TrimRight("-- "+v.Key+"="+OneLine(v.Value)+indent+note(v), " ")
		if _, err := fmt.Fprintln(w, line); err != nil {
			return err
		}
	}
	return nil
}

// EnvColumns prints variables as `-- KEY   value   (description)`, in columns.
func EnvColumns(w io.Writer, env []api.EnvVar) error {
	keys, values := 0, 0
	for _, v := range env {
		keys = max(keys, utf8.RuneCountInString(v.Key))
		values = max(values, utf8.RuneCountInString(OneLine(v.Value)))
	}
	for _, v := range env {
		line := "-- " + pad(v.Key, keys) + indent + pad(OneLine(v.Value), values) + indent + note(v)
		if _, err := fmt.Fprintln(w, strings.TrimRight(line, " ")); err != nil {
			return err
		}
	}
	return nil
}

func note(v api.EnvVar) string {
	if v.Description == "" {
		return ""
	}
	return "(" + OneLine(v.Description) + ")"
}
