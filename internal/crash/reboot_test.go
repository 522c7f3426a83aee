//go:build linux

package crash

import (
	"slices"
	"testing"

	"github.com/setopsco/setops/pkg/api"
)

func TestAfterARebootEverythingComesBack(t *testing.T) {
	onEachEngine(t, func(t *testing.T, engine string) {
		h := newHouse(t, engine, nil)
		before := h.tasks()
		h.kill()
		h.wipe()
		h.start()
		h.comesBack(before)

		// A commit that the power took away is undone, or carried forward.
		h.stageVersion()
		id, passed := h.commitUntil(in("applying", 6))
		h.wipe()
		h.start()
		h.await("all apps serve", func() error { _, err := h.versions(); return err })
		h.judge(id, passed)
		h.settle()
		h.stageVersion()
		h.commit()
		h.serves(h.live)
		h.settle()
		h.destroy()
	})
}

// tasks are the ids of all tasks that run.
func (h *house) tasks() (ids []string) {
	h.t.Helper()
	for _, app := range apps {
		tasks, err := h.client.Tasks(h.t.Context(), appRef(app))
		must(h.t, err)
		for _, t := range tasks {
			if t.Status == "RUNNING" {
				ids = append(ids, t.ID)
			}
		}
	}
	return ids
}

// comesBack waits until everything is as it was, with other tasks, without anybody's help.
func (h *house) comesBack(before []string) {
	h.t.Helper()
	h.await("all apps serve again", func() error { _, err := h.versions(); return err })
	h.serves(h.live)
	h.settle()
	for _, id := range h.tasks() {
		if slices.Contains(before, id) {
			h.t.Errorf("task %s has survived", id)
		}
	}
	domains, err := h.client.Domains(h.t.Context(), appRef("store"))
	must(h.t, err)
	if !slices.ContainsFunc(domains, func(d api.Domain) bool { return d.Kind == "default" && d.Port == h.storePort }) {
		h.t.Errorf("the port was %d: %+v", h.storePort, domains)
	}
}
