package cli_test

import (
	"net/http"
	"slices"

	"github.com/setopsco/setops/pkg/api"
)

const (
	taskA = "a886b0f4af704ec58a17a8f914de3e71"
	taskB = "cfc921d7431d4157a061b96244ecc8d0"
	taskC = "55a9b03b765446ecb954ccedfc9ea25b"
)

func tasks() []api.Task {
	return []api.Task{
		{ID: taskA, Release: 2, ImageTag: "v1.1.0", Status: "DEPROVISIONING", Desired: "STOPPED", Health: "HEALTHY", StartedAt: pointer(at("2020-10-30T18:48:45Z"))},
		{ID: taskB, Release: 3, Status: "RUNNING", Desired: "RUNNING", Health: "HEALTHY", StartedAt: pointer(at("2020-11-05T11:49:13Z"))},
	}
}

func status() api.AppStatus {
	return api.AppStatus{State: "ACTIVE", Running: 2, Desired: 2, Tasks: tasks()}
}

func webApp() api.App {
	return api.App{
		Name: "web",
		Container: api.Container{
			Command:      []string{"bundle", "exec", "rackup", "--host", "0.0.0.0", "--port", "5000"},
			HealthCheck:  &api.HealthCheck{Command: []string{"curl", "-f", "http://localhost:5000"}, Interval: 10, Timeout: 10, Retries: 5, StartPeriod: 15},
			StartTimeout: 115, StopTimeout: 60,
		},
		Resources: api.Resources{CPU: 256, Memory: 512, Scale: 1},
		Network: api.Network{
			Protocol: "http", Public: true, Port: 5000,
			HealthCheck: &api.NetworkHealthCheck{Path: "/", Status: "200-499"},
		},
		Env: []api.EnvVar{
			{Key: "RACK_ENV", Value: pointer("production"), Description: "The environment"},
			{Key: "SECRET_KEY_BASE", Secret: true},
			{Key: "WHO_AM_I", Value: pointer("shop/staging/web"), Description: "Where I run"},
		},
		Domains:       []api.CustomDomain{{Address: "www.example.com", Primary: true, Validated: true}},
		ActiveRelease: 1,
		Status:        status(),
	}
}

// bareApp is an app as app:create makes it.
func bareApp() api.App {
	return api.App{
		Name:      "bare",
		Container: api.Container{StartTimeout: 60, StopTimeout: 120},
		Resources: api.Resources{CPU: 128, Memory: 256, Scale: 1},
		Network:   api.Network{Protocol: "tcp", Port: 5000, HealthCheck: &api.NetworkHealthCheck{}},
		Status:    api.AppStatus{State: "ACTIVE"},
	}
}

func (f *fake) apps(mux *http.ServeMux) {
	mux.HandleFunc("GET "+stageOf+"/apps", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusOK, map[string]any{"apps": []api.AppName{{Name: "web"}, {Name: "worker"}}})
	})
	app := func(path string, value func(*http.Request) any) {
		mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
			if app := r.PathValue("app"); slices.Contains([]string{"nope", "wbe", "wrker"}, app) {
				refuse(w, http.StatusNotFound, "AppDoesNotExist", "there is no app "+app+" on stage production of project shop")
				return
			}
			answer(w, http.StatusOK, value(r))
		})
	}
	app("GET "+stageOf+"/apps/{app}", func(r *http.Request) any {
		if r.PathValue("app") == "bare" {
			return bareApp()
		}
		return webApp()
	})
	app("GET "+stageOf+"/apps/{app}/status", func(*http.Request) any { return status() })
	app("GET "+stageOf+"/apps/{app}/releases", func(*http.Request) any {
		return map[string]any{"releases": []api.Release{
			{ID: 1, Digest: "sha256:cfafdd9d2083d7352ff7b17870616766d8fd9a28bbffa66b14209d71f055e013"},
			{
				ID: 2, Digest: "sha256:b652b6fe388c8320d02dfcdcace99b59fcda6773a11f89d444174c9d70e3ab79", Tag: "v1.1.0",
				CreatedAt: at("2020-10-30T18:40:00Z"), CreatedBy: ada,
				Active: true, ActivatedAt: pointer(at("2020-10-30T18:48:45Z")), ActivatedBy: bob,
			},
		}}
	})
	app("GET "+stageOf+"/apps/{app}/domains", func(r *http.Request) any {
		return map[string]any{"domains": domains(r.PathValue("app"))}
	})
	app("GET "+stageOf+"/apps/{app}/tasks", func(*http.Request) any { return map[string]any{"tasks": tasks()} })
	app("POST "+stageOf+"/apps/{app}/tasks", func(*http.Request) any {
		return api.Task{ID: taskC, Release: 3, Status: "PROVISIONING", Desired: "RUNNING", Health: "UNKNOWN", OneOff: true, CreatedAt: at("2026-03-17T09:58:34Z")}
	})
	mux.HandleFunc("GET "+stageOf+"/apps/{app}/tasks/{id}/attach", attached)
	mux.HandleFunc("DELETE "+stageOf+"/apps/{app}/tasks/{id}", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	app("GET "+stageOf+"/apps/{app}/schedules", func(*http.Request) any {
		return api.ScheduleList{Schedules: []api.Schedule{
			{
				Name: "nightly", Cron: "0 3 * * *", Command: []string{"rake", "clean up"}, Timeout: 3600, NextRun: pointer(at("2026-03-18T03:00:00Z")),
				LastRun: &api.ScheduleRun{Due: at("2026-03-17T03:00:00Z"), State: "ended", TaskID: taskC, EndedAt: pointer(at("2026-03-17T03:00:07Z")), ExitCode: pointer(1), Reason: "exited with code 1"},
			},
			{
				Name: "often", Cron: "* * * * *", Command: []string{"true"}, Timeout: 90, NextRun: pointer(at("2026-03-17T09:59:00Z")),
				LastRun: &api.ScheduleRun{Due: at("2026-03-17T09:55:00Z"), State: "running", TaskID: taskB, Skipped: pointer(at("2026-03-17T09:58:00Z"))},
			},
			{Name: "yearly", Cron: "0 0 1 1 *", Command: []string{"true"}, Timeout: 86400, NextRun: pointer(at("2027-01-01T00:00:00Z"))},
			{Name: "broken", Cron: "0 0 * * *", Command: []string{"true"}, Timeout: 61, LastRun: &api.ScheduleRun{Due: at("2026-03-17T00:00:00Z"), State: "failed", Reason: "app web has no active release"}},
		}}
	})
	app("GET "+stageOf+"/apps/{app}/log", func(*http.Request) any { return map[string]any{"lines": logLines()} })
	mux.HandleFunc("GET "+stageOf+"/apps/{app}/log/events", taskLog)
}

func logLines() []api.LogLine {
	return []api.LogLine{
		{Time: at("2026-03-17T09:58:34Z"), TaskID: taskC, Source: "system", Text: "Task status is PROVISIONING, desired status is RUNNING"},
		{Time: at("2026-03-17T10:59:03+01:00"), TaskID: taskC, Source: "app", Text: "migrated"},
	}
}

// taskLog ends with the exit code that the app's name asks for, or never.
func taskLog(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	for _, l := range logLines() {
		event(w, "line", l)
	}
	ended := api.Task{ID: taskC, Release: 3, Status: "STOPPED", Desired: "STOPPED", Health: "UNKNOWN", OneOff: true, CreatedAt: at("2026-03-17T09:58:34Z")}
	switch r.PathValue("app") {
	case "endless":
		<-r.Context().Done()
		return
	case "lost":
		ended.Reason = "The machine was restarted."
	case "failing":
		ended.ExitCode = pointer(42)
	default:
		ended.ExitCode = pointer(0)
	}
	event(w, "end", api.LogEnd{Task: ended})
}
