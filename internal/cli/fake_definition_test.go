package cli_test

import (
	"encoding/json"
	"net/http"
	"strings"

	"github.com/setopsco/setops/pkg/api"
)

const definitionText = `schema_version: "2"
project: shop
stage: production
apps:
  web:
    image_tag: v1.2.0
    env:
      TOKEN:
        value: "{{ .Secrets.TOKEN }}"
`

// definitions answers what a stage is as a file. What a file would change is said by the name of the stage.
func (f *fake) definitions(mux *http.ServeMux) {
	mux.HandleFunc("GET "+stageOf+"/definition", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusOK, api.Definition{Text: definitionText, Document: json.RawMessage(
			`{"schema_version":"2","project":"shop","stage":"production","apps":{"web":{"image_tag":"v1.2.0"}}}`,
		)})
	})
	mux.HandleFunc("POST "+stageOf+"/definition", func(w http.ResponseWriter, r *http.Request) {
		sent := f.sent()
		var body api.ApplyDefinition
		_ = json.Unmarshal([]byte(sent[len(sent)-1].body), &body)
		stage := r.PathValue("stage")
		switch {
		case strings.Contains(body.Definition, "colour"):
			answer(w, http.StatusUnprocessableEntity, api.ServiceError{
				Type: "ValidationError", Code: "ValidationFailed", RequestID: "abcd1234",
				Message:          "the definition cannot be used:\n   " + body.File + ":2:1: colour: there is no such field; allowed: apps",
				ValidationErrors: map[string][]string{"colour": {"not_included"}},
			})
		case stage == "staged":
			refuse(w, http.StatusConflict, "ChangesetInvalid", "you have staged 2 commands on this stage; commit that, or drop it first")
		case stage == "unchanged":
			answer(w, http.StatusOK, api.AppliedDefinition{Commands: []api.StagedCommand{}, Diff: diff(stage)})
		default:
			applied := api.AppliedDefinition{Commands: seedChangeset().Commands, Diff: diff(stage)}
			if r.URL.Query().Get("commit") == "true" && stage != "older" {
				applied.Commit = pointer(started(stage, r.URL.Query().Get("message")))
			}
			answer(w, http.StatusOK, applied)
		}
	})
}
