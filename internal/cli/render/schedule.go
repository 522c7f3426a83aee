package render

import (
	"fmt"
	"io"
	"time"

	"github.com/setopsco/setops/pkg/api"
)

// Schedules prints the schedules of an app with their next and last runs.
func Schedules(w io.Writer, schedules []api.Schedule) error {
	rows := make([][]string, 0, len(schedules))
	for _, s := range schedules {
		last, status, task := None, None, None
		if r := s.LastRun; r != nil {
			last, status, task = Time(r.Due), runStatus(*r), Text(r.TaskID)
		}
		rows = append(rows, []string{
			OneLine(s.Name), OneLine(s.Cron), OneLine(Words(s.Command)), Timeout(s.Timeout), OptionalTime(s.NextRun), last, status, task,
		})
	}
	return Table(w, []string{"Name", "Cron", "Command", "Timeout", "Next Run", "Last Run", "Last Status", "Task"}, rows)
}

func runStatus(r api.ScheduleRun) string {
	status := r.State
	switch {
	case r.State == "failed":
		status += ": " + OneLine(r.Reason)
	case r.ExitCode != nil:
		status = fmt.Sprintf("ended with code %d", *r.ExitCode)
	}
	if r.Skipped != nil {
		status += ", skipped " + Time(*r.Skipped)
	}
	return status
}

// Timeout prints seconds as 1h, 90s or 1h1m1s.
func Timeout(seconds int) string {
	hours, minutes := seconds/3600, seconds/60%60
	text := ""
	if hours > 0 {
		text += fmt.Sprintf("%dh", hours)
	}
	if minutes > 0 {
		text += fmt.Sprintf("%dm", minutes)
	}
	if rest := seconds % 60; rest > 0 || text == "" {
		text += (time.Duration(rest) * time.Second).String()
	}
	return text
}

func scheduleEffect(b *Block, e api.Effect) {
	if s := e.Schedule; s != nil {
		b.Add("Schedule", OneLine(s.Name)).Add("Cron", OneLine(s.Cron)).Add("Command", OneLine(Words(s.Command))).Add("Timeout", Timeout(s.Timeout))
	}
	if e.ScheduleDestroyed != "" {
		b.Add("Schedule", OneLine(e.ScheduleDestroyed))
	}
}
