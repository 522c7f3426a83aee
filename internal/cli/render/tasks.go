package render

import (
	"fmt"
	"io"

	"github.com/setopsco/setops/pkg/api"
)

// Status prints what of an app runs: the line of counts and its tasks.
func Status(w io.Writer, s api.AppStatus) error {
	_, err := fmt.Fprintf(w, "Status\n\n%s%s %d / %d running tasks (%d pending)\n\nTasks\n\n",
		indent, s.State, s.Running, s.Desired, s.Pending)
	if err != nil {
		return err
	}
	header := []string{"ID", "Release", "Last Status", "Health Status", "Started At", "Stopped At"}
	return Columns(w, header, taskRows(s.Tasks, func(t api.Task) []string {
		return []string{t.ID, Number(t.Release)}
	}))
}

// Tasks prints the tasks of an app with the tag of their image.
func Tasks(w io.Writer, tasks []api.Task) error {
	header := []string{"ID", "Release", "Image Tag", "Last Status", "Health Status", "Started At", "Stopped At"}
	return Columns(w, header, taskRows(tasks, func(t api.Task) []string {
		return []string{t.ID, Number(t.Release), Text(OneLine(t.ImageTag))}
	}))
}

func taskRows(tasks []api.Task, lead func(api.Task) []string) [][]string {
	rows := make([][]string, 0, len(tasks))
	for _, t := range tasks {
		rows = append(rows, append(lead(t), t.Status, t.Health, OptionalTime(t.StartedAt), OptionalTime(t.StoppedAt)))
	}
	return rows
}
