package cli_test

import (
	"net/http"
	"strings"

	"github.com/setopsco/setops/pkg/api"
)

// reviews answers what looks at a changeset before it is committed.
func (f *fake) reviews(mux *http.ServeMux) {
	mux.HandleFunc("DELETE "+stageOf+"/changeset/commands/{number}", unlessEmpty(func(w http.ResponseWriter, r *http.Request) {
		staged := seedChangeset().Commands
		switch r.PathValue("number") {
		case "1":
			answer(w, http.StatusOK, api.Removed{
				Command: staged[0], Left: 1, Broken: []string{"app:release:set (command 1): app web has no release 3"},
			})
		case "2":
			answer(w, http.StatusOK, api.Removed{Command: staged[1], Left: 1})
		default:
			refuse(w, http.StatusNotFound, "CommandDoesNotExist", "there is no command "+r.PathValue("number")+", only 1 to 2 are staged")
		}
	}))
	mux.HandleFunc("GET "+stageOf+"/changeset/diff", unlessEmpty(func(w http.ResponseWriter, r *http.Request) {
		if r.PathValue("stage") == "invalid" {
			refuse(w, http.StatusConflict, "ChangesetInvalid", "app:release:set (command 1): app web has no release 3")
			return
		}
		answer(w, http.StatusOK, diff(r.PathValue("stage")))
	}))
	mux.HandleFunc("GET "+stageOf+"/changeset/plan", unlessEmpty(func(w http.ResponseWriter, r *http.Request) {
		p := api.Plan{Hash: planHash, Diff: diff(r.PathValue("stage")), Steps: []api.PlanStep{}}
		if r.PathValue("stage") != "unchanged" {
			p.Steps = planSteps()
		}
		answer(w, http.StatusOK, p)
	}))
}

const planHash = "5d41402abc4b2a76b9719d911017c592"

func diff(stage string) api.Diff {
	if stage == "unchanged" {
		return api.Diff{Apps: []api.AppDiff{}}
	}
	if stage == "gated" {
		gate := api.TaskGate{App: "web", Release: 3, Command: []string{"rake", "db:migrate"}}
		return api.Diff{Apps: []api.AppDiff{}, Gates: []api.TaskGate{gate}}
	}
	return api.Diff{Apps: []api.AppDiff{
		{Name: "old", Change: "destroyed", Values: []api.ValueChange{
			{Field: "release", Old: pointer("2")}, {Field: "resources.scale", Old: pointer("1")},
		}, Lost: []string{"its logs"}},
		{Name: "web", Change: "changed", Restarts: "release 2 → 3, env.GREETING", Values: []api.ValueChange{
			{Field: "release", Old: pointer("2"), New: pointer("3")},
			{Field: "resources.scale", Old: pointer("1"), New: pointer("2")},
			{Field: "container.command", Old: pointer(""), New: pointer("run\n\x1b[2J now")},
			{Field: "env.DEBUG", Old: pointer("true")},
			{Field: "env.GREETING", Old: pointer(""), New: pointer(""), Hidden: true},
			{Field: "env.KEY", Old: pointer(""), New: pointer(""), Hidden: true, Secret: true},
			{Field: "env.KEY.secret", New: pointer("true")},
			{Field: "domains.www.example.com.primary", New: pointer("true")},
		}},
		{Name: "worker", Change: "created", Restarts: "it is new", Values: []api.ValueChange{
			{Field: "env.TOKEN", New: pointer(""), Hidden: true}, {Field: "resources.scale", New: pointer("1")},
		}},
	}}
}

func planSteps() []api.PlanStep {
	return []api.PlanStep{
		{ID: "prepare image of web", Kind: "prepare image", App: "web", Cause: "tasks start from sha256:2b51cdaabcdc9c35b36e998ec81d2ed8507def0e4709a4d5003414e727e67fa9"},
		{
			ID: "start web-new", Kind: "start generation", App: "web", Needs: []string{"prepare image of web"},
			Cause: "app web gets release 3, another environment and a second task; what serves is of release 2",
		},
		{ID: "await web-new", Kind: "await generation", App: "web", Needs: []string{"start web-new"}, Cause: "traffic moves only to tasks that are proven"},
		{ID: "switch", Kind: "switch", Needs: []string{"await web-new"}, Cause: "the stage becomes what was staged, all of it at once"},
		{ID: "remove web-097ab98d2357", Kind: "remove generation", App: "web", Needs: []string{"switch"}, Cause: "its successor serves", After: true},
		{ID: "remove logs of old", Kind: "remove logs", App: "old", Cause: "app old is destroyed", After: true},
	}
}

// details are those of a commit: on stage broken its second step failed.
func details(c api.Commit) api.CommitDetails {
	c.StartedAt = pointer(at("2020-11-10T09:06:01Z"))
	d := api.CommitDetails{Commit: c, Diff: diff("production"), Steps: []api.CommitStep{}, Tasks: []api.CommitTask{}}
	for i, s := range planSteps() {
		s.ID = strings.Replace(s.ID, "web-new", "web-7a3de9b1c4f0", 1) // a plan does not know the commit's id yet
		step := api.CommitStep{PlanStep: s, State: "done", StartedAt: c.StartedAt, FinishedAt: pointer(at("2020-11-10T09:06:01.12Z"))}
		switch {
		case c.State == "failed" && i == 1:
			step.State, step.FinishedAt = "failed", nil
		case c.State == "failed" && i > 1:
			step = api.CommitStep{PlanStep: s, State: "planned"}
		case i == 2:
			step.FinishedAt = pointer(at("2020-11-10T09:07:13.46Z"))
		}
		d.Steps = append(d.Steps, step)
	}
	if c.State == "done" {
		d.Commit.Message, d.Commit.Version, d.Commit.Reverts = "Prices\nwith tax", 8, commitC
		d.Tasks = []api.CommitTask{{App: "web", TaskID: taskC, Log: append(logLines(), api.LogLine{
			Time: at("2026-03-17T09:59:04Z"), TaskID: taskC, Source: "app", Text: "\x1b[32mall\x1b[0m \x1b[2Jdone",
		})}}
	}
	return d
}

// revert refuses where something is staged.
func revert(w http.ResponseWriter, r *http.Request) {
	if r.PathValue("stage") == "staged" {
		refuse(w, http.StatusConflict, "ChangesetInvalid", "2 commands are staged already; commit or discard them first")
		return
	}
	answer(w, http.StatusOK, api.Reverted{
		Commands: []api.StagedCommand{{Name: "app:release:set", Arguments: map[string]any{"name": "web", "release_id": 2}}},
		Diff: api.Diff{Apps: []api.AppDiff{{
			Name: "web", Change: "changed", Restarts: "release 3 → 2", Values: []api.ValueChange{{Field: "release", Old: pointer("3"), New: pointer("2")}},
		}}},
	})
}
