package render

import (
	"encoding/json"
	"io"
)

// JSON prints a value as the API gives it, indented. It is the only encoder of `-o json`.
func JSON(w io.Writer, value any) error {
	e := encoder(w)
	e.SetIndent("", "  ")
	return e.Encode(value)
}

// JSONLine prints a value on one line, for streams.
func JSONLine(w io.Writer, value any) error { return encoder(w).Encode(value) }

func encoder(w io.Writer) *json.Encoder {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return e
}
