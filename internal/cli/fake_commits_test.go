package cli_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"github.com/setopsco/setops/pkg/api"
)

const (
	commitA = "c0ffee5b01a061f3a4d2e1b09c8f7766"
	commitB = "7a3de9b1c4f05d6e8a9b0c1d2e3f4a5b"
	commitC = "41d8cd98f00b204e9800998ecf8427e1"
	commitD = "e3b0c44298fc1c149afbf4c8996fb924"
	commitE = "9f86d081884c7d659a2feaa0c55ad015"
	ada     = "ada@example.com"
	bob     = "bob@example.com"
)

// told are the events of a stage's commit: its name says how that goes on.
func told(stage string) []api.Progress {
	begun := []api.Progress{{State: "running", Phase: "initializing"}, {State: "running", Phase: "applying", Done: 0, Total: 3}}
	switch stage {
	case "endless":
		return begun
	case "broken":
		return append(begun, api.Progress{State: "failed", Phase: "applying", Done: 1, Total: 3, Failure: seedFailure()})
	case "stale":
		return []api.Progress{begun[0], {State: "failed", Phase: "planning", Failure: &api.Failure{
			Code: "PlanStale", Message: "the stage is at version 8, the plan is of version 7",
		}}}
	case "migrating":
		return append(begun, migrating(api.Progress{State: "done", Phase: "applying", Done: 3, Total: 3, TaskID: taskC})...)
	case "unmigrated":
		return append(begun, migrating(api.Progress{State: "failed", Phase: "applying", Done: 1, Total: 3, Failure: failedMigration()})...)
	case "cancelled":
		return append(begun, api.Progress{State: "running", Phase: "undoing", Done: 1, Total: 3},
			api.Progress{State: "cancelled", Phase: "undoing", Done: 1, Total: 3})
	case "queued":
		begun = append([]api.Progress{
			{State: "queued", Phase: "waiting", Ahead: 2},
			{State: "queued", Phase: "waiting", Ahead: 1},
			{State: "queued", Phase: "waiting"},
		}, begun...)
	}
	// Several steps at once, as a server tells them that is quicker than its reader.
	return append(begun, api.Progress{State: "running", Phase: "applying", Done: 2, Total: 3},
		api.Progress{State: "done", Phase: "applying", Done: 3, Total: 3})
}

func (f *fake) commits(mux *http.ServeMux) {
	mux.HandleFunc("POST "+stageOf+"/commits", unlessEmpty(f.startCommit))
	mux.HandleFunc("GET "+stageOf+"/commits", func(w http.ResponseWriter, r *http.Request) {
		answer(w, http.StatusOK, map[string]any{"commits": history(r.PathValue("stage"))})
	})
	mux.HandleFunc("GET "+stageOf+"/commits/{id}", func(w http.ResponseWriter, r *http.Request) {
		if r.PathValue("id") == "nope" {
			refuseCommit(w)
			return
		}
		answer(w, http.StatusOK, f.commit(r))
	})
	mux.HandleFunc("GET "+stageOf+"/commits/{id}/events", f.commitEvents)
	mux.HandleFunc("GET "+stageOf+"/commits/{id}/details", func(w http.ResponseWriter, r *http.Request) {
		if r.PathValue("id") == "nope" {
			refuseCommit(w)
			return
		}
		answer(w, http.StatusOK, details(f.commit(r)))
	})
	mux.HandleFunc("POST "+stageOf+"/commits/{id}/cancel", func(w http.ResponseWriter, r *http.Request) {
		if r.PathValue("stage") == "committed" {
			refuse(w, http.StatusConflict, "AlreadyCommitted", "the commit is past its commit point")
			return
		}
		answer(w, http.StatusOK, f.commit(r))
	})
	mux.HandleFunc("POST "+stageOf+"/commits/{id}/revert", revert)
}

func refuseCommit(w http.ResponseWriter) {
	refuse(w, http.StatusNotFound, "CommitNotFound", "there is no commit nope on stage production of project shop")
}

func (f *fake) startCommit(w http.ResponseWriter, r *http.Request) {
	sent := f.sent()
	var body api.StartCommit
	_ = json.Unmarshal([]byte(sent[len(sent)-1].body), &body)
	switch {
	case r.PathValue("stage") == "slow":
		<-r.Context().Done()
	case body.NoQueue:
		answer(w, http.StatusConflict, api.ServiceError{
			Type: "StateError", Code: "CommitAlreadyRunning", Message: "commit " + commitB + " of " + bob + " runs on this stage", Temporary: true,
		})
	case body.Plan == "0ld":
		refuse(w, http.StatusConflict, "PlanStale", "the stage is at version 8, the plan is of version 7")
	default:
		answer(w, http.StatusCreated, started(r.PathValue("stage"), body.Message))
	}
}

// started is a commit that was just asked for.
func started(stage, message string) api.Commit {
	first := told(stage)[0]
	return api.Commit{
		ID: "c0ffee", State: first.State, Phase: first.Phase, Ahead: first.Ahead, Message: message,
		CreatedAt: at("2020-11-10T09:06:00Z"), CreatedBy: ada, Changeset: seedChangeset(),
	}
}

// commit is the commit of a stage: one that was not watched yet goes on, but for those of the stages with ends.
func (f *fake) commit(r *http.Request) api.Commit {
	stage := r.PathValue("stage")
	f.mu.Lock()
	defer f.mu.Unlock()
	events := told(stage)
	p := events[len(events)-1]
	if slices.Contains([]string{"queued", "cancelled", "stale", "endless", "lined"}, stage) && !f.ended[stage+r.PathValue("id")] {
		p = events[0]
	}
	c := api.Commit{
		Deploy: r.PathValue("id") == deployID,
		ID:     whole(r.PathValue("id")), State: p.State, Phase: p.Phase, Done: p.Done, Total: p.Total, Ahead: p.Ahead, Failure: p.Failure,
		CreatedAt: at("2020-11-10T09:06:00Z"), CreatedBy: ada, Changeset: seedChangeset(),
	}
	if p.State != "queued" && p.State != "running" {
		c.FinishedAt = pointer(at("2020-11-10T09:06:04Z"))
	}
	if p.State == "cancelled" {
		c.Cancelled = bob
	}
	return c
}

// whole finds the id of a commit by the beginning of it.
func whole(id string) string {
	for _, known := range []string{commitB, commitC, commitD, commitE} {
		if strings.HasPrefix(known, id) {
			return known
		}
	}
	return id
}

// commitEvents ends as the stage wants it, or never.
func (f *fake) commitEvents(w http.ResponseWriter, r *http.Request) {
	if r.PathValue("id") == "nope" {
		refuseCommit(w)
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	stage := r.PathValue("stage")
	events := told(stage)
	f.mu.Lock()
	f.ended[stage+r.PathValue("id")] = events[len(events)-1].State != "running"
	f.mu.Unlock()
	for i, p := range events {
		if i == len(events)-1 && f.ended[stage+r.PathValue("id")] {
			p.Commit = pointer(f.commit(r))
		}
		event(w, "progress", p)
	}
	if stage == "endless" {
		<-r.Context().Done()
	}
}

// history are the commits of a stage, newest first.
func history(stage string) []api.CommitSummary {
	one := func(id, state, by, message string) api.CommitSummary {
		return api.CommitSummary{ID: id, State: state, Message: message, CreatedBy: by, CreatedAt: at("2020-11-10T09:06:00Z"), Commands: 2, Mine: by == ada}
	}
	old := one(commitC, "done", ada, "")
	old.Version, old.FinishedAt = 7, pointer(at("2020-11-10T09:06:04Z"))
	switch stage {
	case "quiet", "empty":
		return []api.CommitSummary{old}
	case "queued", "cancelled", "stale", "endless", "committed":
		return []api.CommitSummary{one("c0ffee", "running", ada, ""), old}
	case "others", "lined":
		return []api.CommitSummary{one(commitE, "queued", bob, ""), one(commitB, "running", bob, ""), old}
	}
	failed := one(commitD, "failed", bob, "Search in all languages, with the new index of the worker\n\nIt needs more memory.")
	failed.Code = "CommitFailed"
	reverted := one(commitE, "done", ada, "Take \x1b[31mit back")
	reverted.Reverts, reverted.Version = commitC, 8
	return []api.CommitSummary{
		one(commitA, "queued", ada, "Prices"), one("5b01a061c0ffee", "queued", ada, ""), one(commitB, "running", bob, ""),
		one("aa01a061c0ffee11", "cancelled", bob, ""), failed, reverted, old,
	}
}
