package render

import (
	"io"
	"strconv"
	"strings"

	"github.com/setopsco/setops/pkg/api"
)

const (
	shortCommit  = 12 // digits of an id that name a commit in a table
	messageWidth = 24 // so that the table has less than 100 columns, with usual addresses
	messageLines = 3
)

// ShortCommit is the beginning of a commit's id, long enough to name it.
func ShortCommit(id string) string { return id[:min(len(id), shortCommit)] }

// Commits prints the history of a stage.
func Commits(w io.Writer, commits []api.CommitSummary) error {
	rows := make([][]string, 0, len(commits))
	for _, c := range commits {
		message := wrap(firstLine(c.Message), messageWidth)
		result := strings.Replace(Result(c.State, c.Code), ": ", ":\n", 1)
		rows = append(rows, []string{ShortCommit(c.ID), Time(c.CreatedAt), c.CreatedBy, Text(message), result})
	}
	return Table(w, []string{"ID", "Time", "Who", "Message", "Result"}, rows)
}

// WideCommits is Commits with whole ids and messages, and with all columns.
func WideCommits(w io.Writer, commits []api.CommitSummary) error {
	rows := make([][]string, 0, len(commits))
	for _, c := range commits {
		rows = append(rows, []string{
			c.ID, Time(c.CreatedAt), c.CreatedBy, Text(OneLine(c.Message)), Result(c.State, c.Code),
			OptionalTime(c.FinishedAt), strconv.Itoa(c.Commands), version(c.Version), Text(c.Reverts),
		})
	}
	return Table(w, []string{"ID", "Time", "Who", "Message", "Result", "Finished At", "Commands", "Version", "Reverts"}, rows)
}

// Result is how a commit ended, or how far it is; code is that of its failure.
func Result(state, code string) string {
	if state == "failed" && code != "" {
		return "failed: " + strings.TrimPrefix(code, "Code")
	}
	return state
}

func version(n int64) string { return Number(int(n)) }

// firstLine leaves room in a table: what a long message goes on with is seen in the commit itself.
func firstLine(text string) string {
	line, rest, _ := strings.Cut(strings.TrimSpace(text), "\n")
	if runes := []rune(line); len(runes) > messageLines*messageWidth {
		line, rest = strings.TrimSpace(string(runes[:messageLines*messageWidth])), "…"
	}
	if rest != "" {
		return line + "…"
	}
	return line
}
