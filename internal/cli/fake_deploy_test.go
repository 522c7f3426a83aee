package cli_test

import (
	"encoding/json"
	"io"
	"log"
	"net/http"
	"strings"

	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/setopsco/setops/pkg/api"
)

// withImages puts an image registry before the API, as the server has one.
func withImages(next http.Handler) http.Handler {
	images := registry.New(registry.Logger(log.New(io.Discard, "", 0)))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case !strings.HasPrefix(r.URL.Path, "/v2/"):
			next.ServeHTTP(w, r)
		case r.Header.Get("Authorization") != "Bearer "+token:
			w.Header().Set("WWW-Authenticate", `Bearer realm="http://`+r.Host+`/registry/token",service="setops"`)
			w.WriteHeader(http.StatusUnauthorized)
		case strings.Contains(r.URL.Path, "/denied/") && r.Method == http.MethodHead:
			w.WriteHeader(http.StatusNotFound)
		case strings.Contains(r.URL.Path, "/denied/"):
			answer(w, http.StatusForbidden, map[string]any{"errors": []map[string]string{{"code": "DENIED", "message": "the disk of the registry is full"}}})
		default:
			images.ServeHTTP(w, r)
		}
	})
}

// deploys is how images are deployed: release 1 has that of activeImage.
func (f *fake) deploys(mux *http.ServeMux) {
	mux.HandleFunc("GET "+stageOf+"/apps/{app}/deploy", func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.PathValue("app") == "nope":
			refuse(w, http.StatusNotFound, "AppDoesNotExist", "there is no app nope on stage production of project shop")
		case r.PathValue("stage") == "staged":
			answer(w, http.StatusOK, api.DeployTarget{Platform: "linux/amd64", Staged: 2})
		default:
			answer(w, http.StatusOK, api.DeployTarget{Platform: "linux/amd64", ActiveRelease: 2, ActiveDigest: activeImage})
		}
	})
	mux.HandleFunc("POST "+stageOf+"/apps/{app}/deploy", func(w http.ResponseWriter, r *http.Request) {
		sent := f.sent()
		var body api.Deploy
		_ = json.Unmarshal([]byte(sent[len(sent)-1].body), &body)
		stage := r.PathValue("stage")
		switch {
		case body.Image == "v0":
			answer(w, http.StatusUnprocessableEntity, api.ServiceError{
				Type: "ValidationError", Code: "ValidationFailed", Message: "there is no image with the tag v0 in demo/shop/production/web; push it there first",
			})
		case stage == "staged":
			refuse(w, http.StatusConflict, "ChangesetInvalid", "you have staged commands on this stage (2), which would not be part of the deploy")
		case body.Image == activeImage && !body.Force:
			answer(w, http.StatusAccepted, api.Deployed{ReleaseID: 2, Digest: activeImage, Tag: "v1.1.0"})
		default:
			first := told(stage)[0]
			answer(w, http.StatusAccepted, api.Deployed{ReleaseID: 3, Digest: digest, Tag: "v1.2.0", Commit: &api.Commit{
				ID: deployID, State: first.State, Phase: first.Phase, Message: body.Message, Deploy: true,
				CreatedAt: at("2020-11-10T09:06:00Z"), CreatedBy: ada, Changeset: seedChangeset(),
			}})
		}
	})
}

const deployID = "deb107edf3a4d2e1b09c8f77665b01a0"

const activeImage = "sha256:b652b6fe388c8320d02dfcdcace99b59fcda6773a11f89d444174c9d70e3ab79"

// migrating are the events of a commit with a task before its activation.
func migrating(last api.Progress) []api.Progress {
	return []api.Progress{
		{State: "running", Phase: "applying", Done: 1, Total: 3}, {State: "running", Phase: "applying", Done: 1, Total: 3, TaskID: taskC}, last,
	}
}

func failedMigration() *api.Failure {
	return &api.Failure{
		Code: "CommitFailed", Message: "the task before the activation of release 3 of app web exited with code 42", Step: "run task of web",
		App: "web", Release: 3, TaskID: taskC, Check: "task before activation", LastAnswer: &api.LastAnswer{ExitCode: pointer(42)},
		Log: []string{"migrated"}, Dropped: true,
		Next: []string{
			"setops -p shop -s unmigrated --app web log --task " + taskC, "setops -p shop -s unmigrated --app web release:deploy " + digest + " -- ARGV",
		},
	}
}
