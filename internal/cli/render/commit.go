package render

import (
	"fmt"
	"io"
	"time"

	"github.com/setopsco/setops/pkg/api"
)

// CommitDetails prints all that is known of a commit: what it is, its commands, what they changed, its steps, the logs of its
// tasks, and why it failed.
func CommitDetails(w io.Writer, d api.CommitDetails, paint Paint) error {
	parts := []func(io.Writer) error{
		func(w io.Writer) error { return commitBlock(d.Commit).Write(w) },
		titled("Commands", func(w io.Writer) error { return Commands(w, d.Commit.Changeset.Commands) }),
		titled("Changes", func(w io.Writer) error { return Diff(w, d.Diff, paint) }),
	}
	if len(d.Steps) > 0 {
		parts = append(parts, titled("Steps", func(w io.Writer) error { return commitSteps(w, d.Steps) }))
	}
	for _, t := range d.Tasks {
		title := fmt.Sprintf("Log of task %s of app %s", OneLine(t.TaskID), OneLine(t.App))
		parts = append(parts, titled(title, func(w io.Writer) error { return taskLog(w, t.Log) }))
	}
	if d.Commit.Failure != nil {
		parts = append(parts, func(w io.Writer) error {
			if _, err := fmt.Fprintln(w); err != nil {
				return err
			}
			return Failure(w, *d.Commit.Failure)
		})
	}
	for _, part := range parts {
		if err := part(w); err != nil {
			return err
		}
	}
	return nil
}

// titled puts a heading above a part, between blank lines.
func titled(title string, part func(io.Writer) error) func(io.Writer) error {
	return func(w io.Writer) error {
		if _, err := fmt.Fprintf(w, "\n%s\n\n", title); err != nil {
			return err
		}
		return part(w)
	}
}

func commitBlock(c api.Commit) *Block {
	return new(Block).Add("Commit", c.ID).Add("Message", Text(OneLine(c.Message))).Add("By", c.CreatedBy).
		Add("Created At", Time(c.CreatedAt)).Add("Started At", OptionalTime(c.StartedAt)).
		Add("Finished At", OptionalTime(c.FinishedAt)).Add("Result", commitResult(c)).
		Add("Version", version(c.Version)).Add("Reverts", Text(c.Reverts))
}

func commitResult(c api.Commit) string {
	switch {
	case c.Failure != nil:
		return Result(c.State, c.Failure.Code)
	case c.State == "cancelled" && c.Cancelled != "":
		return "cancelled by " + OneLine(c.Cancelled)
	}
	return c.State
}

func commitSteps(w io.Writer, steps []api.CommitStep) error {
	rows := make([][]string, 0, len(steps))
	for _, s := range steps {
		rows = append(rows, []string{OneLine(s.ID), s.State, OptionalTime(s.StartedAt), took(s.StartedAt, s.FinishedAt)})
	}
	return Table(w, []string{"Step", "State", "Started", "Took"}, rows)
}

// took is how long something took, as precise as people want it.
func took(from, to *time.Time) string {
	if from == nil || to == nil {
		return None
	}
	d := to.Sub(*from)
	if d < time.Second {
		return d.Round(time.Millisecond).String()
	}
	return d.Round(100 * time.Millisecond).String()
}

// taskLog prints the log of a task that has ended; the lines cannot steer the terminal.
func taskLog(w io.Writer, lines []api.LogLine) error {
	for _, l := range lines {
		l.Text = logText(l.Text)
		if err := LogLine(w, l, true); err != nil {
			return err
		}
	}
	return nil
}
