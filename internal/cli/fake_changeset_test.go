package cli_test

import (
	"encoding/json"
	"net/http"

	"github.com/setopsco/setops/pkg/api"
)

const digest = "sha256:2b51cdaabcdc9c35b36e998ec81d2ed8507def0e4709a4d5003414e727e67fa9"

func seedChangeset() api.Changeset {
	return api.Changeset{CreatedAt: at("2020-11-10T09:05:34Z"), Commands: []api.StagedCommand{
		{Name: "app:release:create", Arguments: map[string]any{"name": "web", "release_digest": digest}},
		{Name: "app:release:set", Arguments: map[string]any{"name": "web", "release_id": 3}},
	}}
}

func seedFailure() *api.Failure {
	return &api.Failure{
		Code: "CommitFailed", Message: "app web did not get ready: exited with code 1 before it was ready", Step: "await web-c0ffee",
		App: "web", Release: 3, TaskID: taskB, Check: "start", LastAnswer: &api.LastAnswer{ExitCode: pointer(1)},
		Others: []api.OtherFailure{{App: "worker", Message: "it was not ready yet"}}, Log: []string{"boot", "no database"},
		Next: []string{
			"setops -p shop -s broken --app web log --task " + taskB, "setops -p shop -s broken changeset:commit",
		},
	}
}

func (f *fake) changesets(mux *http.ServeMux) {
	mux.HandleFunc("GET "+stageOf+"/changeset", unlessEmpty(func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusOK, seedChangeset())
	}))
	mux.HandleFunc("DELETE "+stageOf+"/changeset", unlessEmpty(func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusOK, api.Discarded{Commands: 2})
	}))
	mux.HandleFunc("POST "+stageOf+"/changeset/commands", func(w http.ResponseWriter, _ *http.Request) {
		sent := f.sent()
		var body api.StageCommands
		_ = json.Unmarshal([]byte(sent[len(sent)-1].body), &body)
		staged := api.Staged{}
		for _, c := range body.Commands {
			staged.Effects = append(staged.Effects, effect(c))
		}
		answer(w, http.StatusOK, staged)
	})
	f.reviews(mux)
	f.definitions(mux)
	f.commits(mux)
}

func unlessEmpty(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.PathValue("stage") == "empty" {
			refuse(w, http.StatusNotFound, "ChangesetDoesNotExist", "you have staged nothing on this stage")
			return
		}
		next(w, r)
	}
}

// effect answers a command with what it sets, defaults where it unsets.
func effect(c api.Command) api.Effect {
	e := api.Effect{}
	_ = json.Unmarshal(c.Arguments, &e) // settings have the names of the arguments that set them
	e.HealthCheck = nil
	switch c.Name {
	case "app:env:set":
		var a api.EnvSet
		_ = json.Unmarshal(c.Arguments, &a)
		e.EnvKey, e.Secret = a.Key, a.Secret || a.Key == "STAYS_SECRET"
	case "app:release:create":
		e.ReleaseID, e.Digest = 3, digest
	case "app:container:set":
		var a api.ContainerSet
		_ = json.Unmarshal(c.Arguments, &a)
		if h := a.HealthCheck; h != nil {
			e.HealthCheck = &api.HealthCheck{Command: h.Command, Interval: 10, Timeout: 10, Retries: 5, StartPeriod: 15}
			if h.Interval != nil {
				e.HealthCheck.Interval = *h.Interval
			}
		}
	case "app:container:unset":
		e.Command, e.HealthCheckOff = &[]string{}, true
	case "app:schedule:create":
		var a api.ScheduleCreate
		_ = json.Unmarshal(c.Arguments, &a)
		e = api.Effect{Name: a.Name, Schedule: &api.Schedule{Name: a.Schedule, Cron: a.Cron, Command: a.Command, Timeout: 3600}}
		if a.Timeout != nil {
			e.Schedule.Timeout = *a.Timeout
		}
	case "app:schedule:destroy":
		var a api.ScheduleDestroy
		_ = json.Unmarshal(c.Arguments, &a)
		e = api.Effect{Name: a.Name, ScheduleDestroyed: a.Schedule}
	case "log:set":
		var a api.LogSet
		_ = json.Unmarshal(c.Arguments, &a)
		e.LogRetention = a.Retention
	case "log:unset":
		e.LogRetention = pointer(14)
	case "app:resource:unset":
		e.CPU, e.Memory, e.Scale = pointer(128), pointer(256), pointer(1)
	case "app:domain:create", "app:domain:destroy", "app:domain:validate", "app:domain:option:set":
		domainEffect(&e, c)
	case "app:domain:option:unset":
		e.Primary, e.StaticIP, e.RedirectToPrimary = pointer(false), pointer(false), pointer(true)
	case "app:network:unset":
		e.HealthPath, e.HealthStatus = pointer("/"), pointer("200-499")
	}
	return e
}
