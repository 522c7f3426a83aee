package render

import (
	"fmt"
	"io"
	"time"

	"github.com/setopsco/setops/pkg/api"
)

// LogLine prints a line of a log with its time in UTC and, where wanted, who wrote it.
func LogLine(w io.Writer, l api.LogLine, source bool) error {
	at := l.Time.UTC().Format(time.DateTime)
	if !source {
		_, err := fmt.Fprintf(w, "%s %s\n", at, l.Text)
		return err
	}
	_, err := fmt.Fprintf(w, "%s [%s] %s\n", at, l.Source, l.Text)
	return err
}
