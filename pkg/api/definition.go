package api

import (
	"encoding/json"
	"regexp"
	"slices"
)

// DefinitionSchemaPath is the JSON Schema of definitions, for editors. It needs no token.
const DefinitionSchemaPath = "/" + Version + "/schemas/definition.json"

// Definition is the committed state of a stage as a file: GET …/definition.
type Definition struct {
	Text     string          `json:"yaml" doc:"The file"`
	Document json.RawMessage `json:"definition" doc:"The same as an object; its JSON Schema is at /v1/schemas/definition.json"`
}

// ApplyDefinition makes a stage what a definition says: POST …/definition. What differs is staged as commands of a new changeset;
// one of an earlier application gives way. A commit of it fails with PlanStale where the stage has changed in between, and where it
// fails nothing stays staged.
type ApplyDefinition struct {
	Definition string            `json:"definition,omitempty" doc:"YAML or JSON, as in docs/definitions.md; absent: the stage as it is, with image_tags"`
	File       string            `json:"file,omitempty" maxLength:"4096" doc:"Its name, for messages"`
	ImageTags  map[string]string `json:"image_tags,omitempty" doc:"A tag or a digest by app: takes the place of that of the definition"`
	Secrets    map[string]string `json:"secrets,omitempty" doc:"What .Secrets.NAME stands for, by name"`
	Force      bool              `json:"force,omitempty" doc:"Destroy all apps of the stage where the definition has none"`
	Preview    bool              `json:"preview,omitempty" doc:"Stage nothing; the numbers of new releases are guesses then"`
}

// StageDefinition is what `stage:dump -o json` prints: Definition.Document. What apps are made of is in the schema at
// DefinitionSchemaPath.
type StageDefinition struct {
	SchemaVersion string         `json:"schema_version"`
	Project       string         `json:"project"`
	Stage         string         `json:"stage"`
	LogRetention  int            `json:"log_retention,omitempty"`
	Apps          map[string]any `json:"apps,omitempty"`
}

// AppliedDefinition is the answer. Without commands the stage is what the definition says already, and nothing was staged.
type AppliedDefinition struct {
	Commands []StagedCommand `json:"commands" doc:"What was staged, or would be"`
	Diff     Diff            `json:"diff"`
	Commit   *Commit         `json:"commit,omitempty" doc:"The commit that makes it live, or was to; absent: none was asked for, nobody said yes, or there was nothing to change"`
}

// secretName finds what a definition could refer to as a secret.
var secretName = regexp.MustCompile(`\.Secrets\.([A-Za-z_][A-Za-z0-9_]*)`)

// SecretNames gives the names of secrets that a definition may refer to, sorted; there may be more than it does refer to.
func SecretNames(definition string) []string {
	var names []string
	for _, m := range secretName.FindAllStringSubmatch(definition, -1) {
		names = append(names, m[1])
	}
	slices.Sort(names)
	return slices.Compact(names)
}
