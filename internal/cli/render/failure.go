package render

import (
	"cmp"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"

	"github.com/setopsco/setops/pkg/api"
)

// Failure prints why a commit failed: the cause, what is known of it, the task's last lines, and what to type next. The
// lines are an app's: they cannot steer the terminal.
func Failure(w io.Writer, f api.Failure) error {
	var b strings.Builder
	fmt.Fprintf(&b, "The commit failed: %s\n", FailureCause(f))
	if known := knownOf(f); len(known.entries) > 0 {
		b.WriteString("\n")
		if err := known.write(&b, indent, ""); err != nil {
			return err
		}
	}
	if n := len(f.Log); n > 0 {
		fmt.Fprintf(&b, "\n%s\n", counted(n, "The last line of the task:", "The last %d lines of the task:"))
		for _, line := range f.Log {
			fmt.Fprintf(&b, "%s%s\n", indent, logText(line))
		}
	}
	fmt.Fprintf(&b, "\nWhat served before serves on, and %s\n", fate(f))
	if len(f.Next) > 0 {
		b.WriteString("\nNext:\n")
		for _, line := range f.Next {
			fmt.Fprintf(&b, "%s%s\n", indent, OneLine(line))
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// fate says what became of the changeset, and what to do with it.
func fate(f api.Failure) string {
	switch {
	case f.Dropped && f.Temporary:
		return "nothing stays staged.\nThe same may succeed later."
	case f.Dropped:
		return "nothing stays staged.\nMend it and do the same again."
	case f.Temporary:
		return "the changeset is kept.\nThe same commit may succeed later; or drop the changeset with `changeset:discard`."
	}
	return "the changeset is kept.\nMend it and commit again, or drop it with `changeset:discard`."
}

// FailureCause is the sentence that comes first.
func FailureCause(f api.Failure) string {
	lines := strings.Split(strings.TrimRight(f.Message, ". \n"), "\n")
	for i, line := range lines {
		lines[i] = OneLine(line)
	}
	return strings.Join(lines, "\n") + "."
}

// knownOf is what is known of the failure besides.
func knownOf(f api.Failure) *Block {
	b := new(Block)
	app := f.App
	if app != "" && f.Release != 0 {
		app += fmt.Sprintf(", release %d", f.Release)
	}
	for _, known := range []struct{ label, value string }{
		{"App", app}, {"Task", f.TaskID}, {"Check", f.Check}, {"Last answer", answer(f.LastAnswer)}, {"Step", f.Step},
	} {
		if known.value != "" {
			b.Add(known.label, OneLine(known.value))
		}
	}
	for _, other := range f.Others {
		b.Add("App "+OneLine(other.App), OneLine(other.Message))
	}
	return b
}

// answer puts the last answer into a few words; empty where there was none.
func answer(a *api.LastAnswer) string {
	if a == nil {
		return ""
	}
	said := ""
	switch {
	case a.OutOfMemory:
		said = "killed, out of memory"
	case a.Signal != "":
		said = "killed by " + a.Signal
	case a.Status != 0:
		said = strings.TrimSpace(fmt.Sprintf("%d %s", a.Status, http.StatusText(a.Status)))
	case a.ConnectError != "":
		said = a.ConnectError
	case a.ExitCode != nil:
		said = fmt.Sprintf("exit code %d", *a.ExitCode)
	}
	if text := cmp.Or(a.Body, a.Output); text != "" {
		said += ": " + text
	}
	return said
}

var colours = regexp.MustCompile("\x1b\\[[0-9;]*m")

// logText keeps the shape of a line and takes its colours, as the end of one may be lines further on.
func logText(line string) string {
	line = colours.ReplaceAllString(line, "")
	return strings.TrimRight(OneLine(strings.ReplaceAll(line, "\t", "    ")), " ")
}

func counted(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return fmt.Sprintf(many, n)
}
