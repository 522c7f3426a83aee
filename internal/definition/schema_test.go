package definition_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"

	"github.com/setopsco/setops/internal/definition"
	"github.com/setopsco/setops/internal/setops"
)

var update = flag.Bool("update", false, "write the schema anew")

// TestTheSchemaIsAsPublished compares what editors are given to what the types say.
func TestTheSchemaIsAsPublished(t *testing.T) {
	const file = "../../docs/definition.schema.json"
	got, err := definition.Schema()
	must(t, got, err)
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	must(t, want, err)
	if !bytes.Equal(got, want) {
		t.Error("docs/definition.schema.json is not what the types say; -update writes it anew")
	}
}

func compiled(t *testing.T) *jsonschema.Schema {
	t.Helper()
	text, err := definition.Schema()
	must(t, text, err)
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	must(t, document, err)
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("definition.json", document); err != nil {
		t.Fatal(err)
	}
	schema, err := compiler.Compile("definition.json")
	return must(t, schema, err)
}

// asJSON is a file as an editor's language server sees it.
func asJSON(t *testing.T, file string) any {
	t.Helper()
	var v any
	if err := yaml.Unmarshal([]byte(file), &v); err != nil {
		t.Fatalf("%v in\n%s", err, file)
	}
	text, err := json.Marshal(v)
	must(t, text, err)
	back, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	return must(t, back, err)
}

func TestTheSchemaAllowsWhatIsWritten(t *testing.T) {
	schema := compiled(t)
	for seed := range uint64(100) {
		file := written(t, randomStage(rand.New(rand.NewPCG(seed, 3))))
		if err := schema.Validate(asJSON(t, file)); err != nil {
			t.Fatalf("%v in\n%s", err, file)
		}
	}
}

// TestTheSchemaAndTheParserAgree has files that differ in one thing from one that is right.
func TestTheSchemaAndTheParserAgree(t *testing.T) {
	schema := compiled(t)
	for file, right := range map[string]bool{
		`{schema_version: "2"}`: true, `{schema_version: 1}`: true, `{schema_version: "2", apps: , services: {}}`: true,
		`{schema_version: "3"}`: false, `{apps: {}}`: false, `{schema_version: "2", colour: red}`: false,
		`{schema_version: "2", services: {db: {}}}`: false, `{schema_version: "2", apps: []}`: false,
		`{schema_version: "2", apps: {W: {}}}`: false, `{schema_version: "2", apps: {web: }}`: true,
		`{schema_version: "2", apps: {web: {env: {A: {value: 1}, B: {value: true}, C: {value: ""}}}}}`:                             true,
		`{schema_version: "2", apps: {web: {env: {A: {description: x}}}}}`:                                                         false,
		`{schema_version: "2", apps: {web: {env: {A: {value: }}}}}`:                                                                false,
		`{schema_version: "2", apps: {web: {env: {A: {value: [x]}}}}}`:                                                             false,
		`{schema_version: "2", apps: {web: {env: {A-B: {value: x}}}}}`:                                                             false,
		`{schema_version: "2", apps: {web: {resources: {cpu: 256, memory: 128, scale: 16}}}}`:                                      true,
		`{schema_version: "2", apps: {web: {resources: {cpu: 100}}}}`:                                                              false,
		`{schema_version: "2", apps: {web: {resources: {memory: "256"}}}}`:                                                         false,
		`{schema_version: "2", apps: {web: {resources: {scale: 17}}}}`:                                                             false,
		`{schema_version: "2", apps: {web: {network: {protocol: tcp, public: true, ports: [1]}}}}`:                                 true,
		`{schema_version: "2", apps: {web: {network: {protocol: udp}}}}`:                                                           false,
		`{schema_version: "2", apps: {web: {network: {public: "true"}}}}`:                                                          false,
		`{schema_version: "2", apps: {web: {network: {ports: [1, 2]}}}}`:                                                           false,
		`{schema_version: "2", apps: {web: {network: {ports: [65536]}}}}`:                                                          false,
		`{schema_version: "2", apps: {web: {network: {health_check: {status: 200}}}}}`:                                             true,
		`{schema_version: "2", apps: {web: {container: {health_check: {command: [x], retries: 31}}}}}`:                             false,
		`{schema_version: "2", apps: {web: {container: {health_check: {command: [x], interval: 1, start_period: 0}}}}}`:            true,
		`{schema_version: "2", apps: {web: {container: {health_check: {interval: 1}}}}}`:                                           false,
		`{schema_version: "2", apps: {web: {container: {timeouts: {stop_timeout: 59}}}}}`:                                          false,
		`{schema_version: "2", apps: {web: {container: {command: puma}}}}`:                                                         false,
		`{schema_version: "2", apps: {web: {custom_domains: {"*.example.com": {}, www.example.com: {primary: true}}, links: {}}}}`: true,
		`{schema_version: "2", apps: {web: {custom_domains: {www.example.com: {primry: true}}}}}`:                                  false,
		`{schema_version: "2", log_retention: 30, apps: {web: {schedule: {a: {cron: "0 3 * * *", command: [x], timeout: 1h}}}}}`:   true,
		`{schema_version: "2", log_retention: 0}`:                                                                                  false,
		`{schema_version: "2", apps: {web: {schedule: {a: {command: [x]}}}}}`:                                                      false,
		`{schema_version: "2", apps: {web: {schedule: {A: {cron: "0 3 * * *", command: [x]}}}}}`:                                   false,
		`{schema_version: "2", apps: {web: {links: {db: {env_key: A}}}}}`:                                                          false,
	} {
		if got := schema.Validate(asJSON(t, file)); (got == nil) != right {
			t.Errorf("the schema says %v of %s", got, file)
		}
		d, err := definition.Parse("f", []byte(file))
		if err == nil {
			var to setops.Spec
			if to, err = d.Target(setops.Spec{}, inputs()); err == nil {
				_, _, err = d.Commands(setops.Spec{}, to)
			}
		}
		if (err == nil) != right {
			t.Errorf("the parser says %v of %s", err, file)
		}
	}
}

func TestTheSchemaSaysWhatEachFieldIsFor(t *testing.T) {
	text, err := definition.Schema()
	for _, part := range []string{"seconds", "1024 is one vCPU", `"default": "http"`, `"default": 128`, "{{ .Secrets.NAME }}"} {
		if !strings.Contains(strings.ToLower(string(must(t, text, err))), strings.ToLower(part)) {
			t.Errorf("it lacks %q", part)
		}
	}
}
