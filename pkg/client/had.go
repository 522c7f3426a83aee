package client

import (
	"strings"
	"time"

	"github.com/setopsco/setops/pkg/api"
)

// maxHad is of how many tasks it is remembered where a reader is: those that wrote last. All of them fit one header.
const maxHad = 100

// had is where a reader of a log is in each task, so that a server goes on exactly there.
type had struct {
	since time.Time // of all other tasks the reader has had nothing that is newer
	tasks []place   // the one that wrote last comes last
}

type place struct {
	task, position string
	at             time.Time // of its last line
}

// begin notes that of tasks without a place nothing is there that is newer.
func (h *had) begin(since time.Time) {
	if h.since.IsZero() {
		h.since = since
	}
}

// add notes that a line was had. The server names it TIME/TASK/POSITION; one that does not has no places.
func (h *had) add(id string, l api.LogLine) {
	_, rest, _ := strings.Cut(id, "/")
	task, position, found := strings.Cut(rest, "/")
	if !found || task != l.TaskID {
		return
	}
	h.begin(l.Time)
	h.forget(task)
	h.tasks = append(h.tasks, place{task: task, position: position, at: l.Time})
	if len(h.tasks) <= maxHad {
		return
	}
	if oldest := h.tasks[0].at; oldest.After(h.since) {
		h.since = oldest
	}
	h.tasks = h.tasks[1:]
}

// forget has a task be as one of which nothing was had.
func (h *had) forget(task string) {
	for i := len(h.tasks) - 1; i >= 0; i-- {
		if h.tasks[i].task == task {
			h.tasks = append(h.tasks[:i], h.tasks[i+1:]...)
			return
		}
	}
}

// String writes it as TIME,TASK/POSITION,…; empty: nothing is known yet.
func (h *had) String() string {
	if h.since.IsZero() {
		return ""
	}
	var b strings.Builder
	b.WriteString(h.since.UTC().Format(time.RFC3339Nano))
	for _, p := range h.tasks {
		b.WriteString("," + p.task + "/" + p.position)
	}
	return b.String()
}
