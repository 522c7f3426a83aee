package kit

import "github.com/setopsco/setops/pkg/api"

// shortID is how much of a task's id names it in a sentence.
const shortID = 8

// ExplainTasks says of tasks that are not up why they are not, as of one that waits for its back-off. The tables have no
// place for it: scripts read them.
func (k *Kit) ExplainTasks(tasks []api.Task) {
	if k.Flags.Output == JSON {
		return
	}
	lead := "\nWaiting:"
	for _, t := range tasks {
		if t.Reason == "" || t.Status == "STOPPED" || t.Desired != "RUNNING" {
			continue
		}
		if lead != "" {
			k.Note("%s", lead)
			lead = ""
		}
		k.Note("   Task %.*s %s", shortID, t.ID, t.Reason)
	}
}
