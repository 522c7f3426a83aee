package manual

import (
	"slices"
	"strings"
	"testing"
)

const promisedAPI = `{"paths": {"/v1/apps": {"post": {
	"parameters": [{"in": "query", "name": "limit", "schema": {"type": "integer", "maximum": 10}}],
	"requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/App"}}}},
	"responses": {"200": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Answer"}}}}}}}},
	"components": {"schemas": {
		"App": {"type": "object", "required": ["name"], "properties": {"name": {"type": "string", "maxLength": 16}, "kind": {"type": "string", "enum": ["a", "b"]}}},
		"Answer": {"type": "object", "required": ["id"], "properties": {"id": {"type": "string"}, "list": {"type": "array", "items": {"type": "integer"}}}}}}}`

func TestOnlyAdditionsKeepAPromise(t *testing.T) {
	for _, test := range []struct {
		change string // old => new
		broken []string
	}{
		{`"paths": { => "paths": {"/v1/more": {"get": {"responses": {}}}, `, nil},
		{`"id": {"type": "string"} => "id": {"type": "string", "description": "new"}, "more": {"type": "string"}`, nil},
		{`"required": ["id"] => "required": ["id", "list"]`, nil},
		{`"required": ["name"] => "required": []`, nil},
		{`"maxLength": 16 => "maxLength": 32`, nil},
		{`"enum": ["a", "b"] => "enum": ["a", "b", "c"]`, nil},
		{`"parameters": [ => "parameters": [{"in": "query", "name": "more", "schema": {"type": "string"}}, `, nil},
		{`/v1/apps => /v1/app`, []string{"POST /v1/apps: is gone"}},
		{`"name": "limit" => "name": "most"`, []string{"POST /v1/apps: no longer takes query limit"}},
		{`"maximum": 10 => "maximum": 5`, []string{"POST /v1/apps query limit: maximum was 10 and is 5"}},
		{`"parameters": [ => "parameters": [{"in": "query", "name": "more", "required": true, "schema": {}}, `, []string{"POST /v1/apps: now demands query more"}},
		{`"required": ["name"] => "required": ["name", "kind"]`, []string{"App: now demands the field kind"}},
		{`"required": ["id"] => "required": []`, []string{"Answer: may now lack the field id"}},
		{`"id": {"type": "string"}, => `, []string{"Answer: has no field id any more"}},
		{`"items": {"type": "integer"} => "items": {"type": "string"}`, []string{"Answer.list items: type was integer and is string"}},
		{`"enum": ["a", "b"] => "enum": ["a"]`, []string{"App.kind: no longer takes b"}},
		{`"maxLength": 16 => "maxLength": 8`, []string{"App.name: maxLength was 16 and is 8"}},
		{`"200" => "201"`, []string{"POST /v1/apps: no longer answers 200"}},
	} {
		was, is, _ := strings.Cut(test.change, " => ")
		later := strings.Replace(promisedAPI, was, is, 1)
		if later == promisedAPI {
			t.Fatalf("%s: nothing to change", test.change)
		}
		broken, err := Breaks([]byte(promisedAPI), []byte(later))
		if err != nil || !slices.Equal(broken, test.broken) {
			t.Errorf("%s: breaks %q, %v, want %q", test.change, broken, err, test.broken)
		}
	}
}
