package cli_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/setopsco/setops/pkg/api"
)

// results are the types that `-o json` prints, each with the commands that print it.
var results = []struct {
	value    any
	commands string // separated by commas
}{
	{api.Session{}, "login, login:info, organization:switch"},
	{api.SignedOut{}, "logout"},
	{api.SessionList{}, "session"},
	{api.TokenList{}, "token"},
	{api.Token{}, "token:create"},
	{api.RegistryLogin{}, "registry:login"},
	{api.UserList{}, "user"},
	{api.Invited{}, "user:invite"},
	{api.User{}, "user:remove"},
	{api.ServiceUserList{}, "service-user"},
	{api.ServiceCredentials{}, "service-user:create, service-user:renew"},
	{api.OrganizationList{}, "organization"},
	{api.EventList{}, "audit"},
	{api.ProjectList{}, "project"},
	{api.Project{}, "project:create, project:info"},
	{api.Destroyed{}, "project:destroy, stage:destroy, session:destroy, token:destroy, service-user:destroy"},
	{api.StageList{}, "stage"},
	{api.StageDefinition{}, "stage:dump"},
	{api.AppliedDefinition{}, "stage:apply"},
	{api.Stage{}, "stage:create, stage:info"},
	{api.AppList{}, "app"},
	{api.App{}, "app:info"},
	{api.AppStatus{}, "app:ps"},
	{api.Container{}, "container"},
	{api.Network{}, "network"},
	{api.Resources{}, "resource"},
	{api.AppEnv{}, "env"},
	{api.DomainList{}, "domain"},
	{api.DomainOptions{}, "option"},
	{api.ReleaseList{}, "release"},
	{api.Staged{}, "app:create, app:destroy, " +
		"container:set command, container:set entrypoint, container:set health-check, container:set start-timeout, " +
		"container:set stop-timeout, container:set port, container:unset, " +
		"network:set protocol, network:set public, network:set port, network:set health-check-path, " +
		"network:set health-check-status, network:unset, " +
		"resource:set cpu, resource:set memory, resource:set scale, resource:set resources, resource:unset, schedule:create, schedule:destroy, log:set retention, log:unset, env:set, env:unset, " +
		"domain:create, domain:destroy, domain:validate, option:set primary, option:set redirect-to-primary, option:set static-ip, option:unset, " +
		"release:create, release:activate"},
	{api.Deployed{}, "release:deploy"},
	{api.Changeset{}, "changeset:info"},
	{api.Diff{}, "changeset:diff"},
	{api.Plan{}, "changeset:plan"},
	{api.Commit{}, "changeset:commit, changeset:attach, changeset:cancel, changeset:info COMMIT"},
	{api.EndedCommits{}, "changeset:wait"},
	{api.Removed{}, "changeset:remove"},
	{api.Discarded{}, "changeset:discard"},
	{api.CommitList{}, "changeset:log"},
	{api.CommitDetails{}, "changeset:show"},
	{api.Reverted{}, "changeset:revert"},
	{api.TaskList{}, "task"},
	{api.Task{}, "task:run"},
	{api.StoppedTask{}, "task:stop"},
	{api.AttachEnd{}, "task:attach"},
	{api.ScheduleList{}, "schedule"},
	{api.LogLines{}, "log"},
	{api.LogLine{}, "log -f, one on each line"},
	{api.CLIVersion{}, "version"},
	{api.ManualTopicList{}, "docs without a topic"},
	{api.ManualPage{}, "docs"},
	{api.Problems{}, "every command that fails, on standard error"},
}

const schemaDialect = "https://json-schema.org/draft/2020-12/schema"

// TestSchemasOfJSONAreAsPublished compares docs/schemas with what the types say.
func TestSchemasOfJSONAreAsPublished(t *testing.T) {
	const dir = "../../docs/schemas"
	published := map[string]bool{"README.md": true}
	index := strings.Builder{}
	for _, r := range results {
		name := reflect.TypeOf(r.value).Name()
		published[name+".json"] = true
		compareWithFile(t, filepath.Join(dir, name+".json"), string(schemaOf(t, r.value, true)))
		fmt.Fprintf(&index, "| [%s](%s.json) | %s |\n", name, name, r.commands)
	}
	compareWithFile(t, filepath.Join(dir, "README.md"), schemasPage+index.String())
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if !published[f.Name()] {
			t.Errorf("%s/%s is of no type; remove it", dir, f.Name())
		}
	}
}

const schemasPage = `# JSON schemas of the command line

What ` + "`setops -o json`" + ` prints on standard output, and on standard error where a command fails. The files are generated from the
types of ` + "`pkg/api`" + `; [cli.md](../cli.md) says what may change.

| schema | printed by |
|---|---|
`

// schemaOf makes the schema of a type. The published one leaves room for fields that later versions add; the strict one finds
// what a type does not have.
func schemaOf(t *testing.T, value any, published bool) []byte {
	t.Helper()
	registry := huma.NewMapRegistry("#/$defs/", huma.DefaultSchemaNamer)
	kind := reflect.TypeOf(value)
	registry.Schema(kind, true, kind.Name())
	text, err := json.Marshal(map[string]any{
		"$schema": schemaDialect, "title": kind.Name(), "$ref": "#/$defs/" + kind.Name(), "$defs": registry.Map(),
	})
	if err != nil {
		t.Fatal(err)
	}
	if published {
		text = bytes.ReplaceAll(text, []byte(`"additionalProperties":false,`), nil)
	}
	var pretty bytes.Buffer
	if err := json.Indent(&pretty, text, "", "  "); err != nil {
		t.Fatal(err)
	}
	return append(pretty.Bytes(), '\n')
}

// wantSchema checks what a command printed against the type that it is said to print: one value, or one a line.
func wantSchema(t *testing.T, command, stdout string) {
	t.Helper()
	for _, r := range results {
		if slices.Contains(strings.Split(r.commands, ", "), command) {
			wantValues(t, r.value, stdout)
			return
		}
	}
	t.Errorf("say in results of schemas_test.go which type `%s -o json` prints, and run the tests with -update", command)
}

func wantValues(t *testing.T, value any, text string) {
	t.Helper()
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(schemaOf(t, value, false)))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("schema.json", document); err != nil {
		t.Fatal(err)
	}
	schema, err := compiler.Compile("schema.json")
	if err != nil {
		t.Fatal(err)
	}
	values := 0
	for decoder := json.NewDecoder(strings.NewReader(text)); ; values++ {
		var v any
		if err := decoder.Decode(&v); err == io.EOF {
			break
		} else if err != nil {
			t.Fatalf("no JSON: %v: %s", err, text)
		}
		if err := schema.Validate(v); err != nil {
			t.Errorf("%s does not allow what was printed: %v", reflect.TypeOf(value).Name(), err)
		}
	}
	if values == 0 {
		t.Error("nothing was printed")
	}
}

// wantProblem checks the last line of standard error of a command that failed with -o json.
func wantProblem(t *testing.T, r result) {
	t.Helper()
	lines := strings.Split(strings.TrimSuffix(r.stderr, "\n"), "\n")
	last := lines[len(lines)-1]
	wantValues(t, api.Problems{}, last)
	var said api.Problems
	if err := json.Unmarshal([]byte(last), &said); err != nil || said.Error.ExitCode != r.code {
		t.Errorf("%s: exit code %d: %v", last, r.code, err)
	}
}
