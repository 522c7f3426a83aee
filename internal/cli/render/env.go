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
		line := strings.TrimRight("-- "+v.Key+"="+value(v)+indent+note(v), " ")
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
		values = max(values, utf8.RuneCountInString(value(v)))
	}
	for _, v := range env {
		line := "-- " + pad(v.Key, keys) + indent + pad(value(v), values) + indent + note(v)
		if _, err := fmt.Fprintln(w, strings.TrimRight(line, " ")); err != nil {
			return err
		}
	}
	return nil
}

// secret stands where a value is that nobody is shown.
const secret = "<secret>"

func value(v api.EnvVar) string {
	switch {
	case v.Secret:
		return secret
	case v.Value == nil:
		return None
	}
	return OneLine(*v.Value)
}

func note(v api.EnvVar) string {
	if v.Description == "" {
		return ""
	}
	return "(" + OneLine(v.Description) + ")"
}
