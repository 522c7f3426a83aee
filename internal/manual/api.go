package manual

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// A document is as much of OpenAPI as the reference shows.
type document struct {
	Info       struct{ Description string }
	Paths      map[string]map[string]operation
	Components struct{ Schemas map[string]schema }
}

type operation struct {
	Summary     string
	Parameters  []parameter
	RequestBody *struct{ Content map[string]media }
	Responses   map[string]struct {
		Description string
		Content     map[string]media
	}
}

type parameter struct {
	Name, In, Description string
	Required              bool
	Schema                schema
}

type media struct{ Schema schema }

type schema struct {
	Ref                  string `json:"$ref"`
	Type                 any    // a name, or a list of names
	Format, Description  string
	Properties           map[string]schema
	Required             []string
	Items                *schema
	AdditionalProperties any
	Enum                 []any
}

// apiPages are docs/api: the OpenAPI document, and the same to be read.
func apiPages(raw []byte) (map[string]string, error) {
	var indented bytes.Buffer
	if err := json.Indent(&indented, raw, "", "  "); err != nil {
		return nil, fmt.Errorf("indent the OpenAPI document: %w", err)
	}
	indented.WriteString("\n")
	var d document
	if err := json.Unmarshal(raw, &d); err != nil {
		return nil, fmt.Errorf("read the OpenAPI document: %w", err)
	}
	return map[string]string{"api/openapi.json": indented.String(), "api/README.md": reference(d)}, nil
}

func reference(d document) string {
	var b strings.Builder
	b.WriteString(generated + "# Reference of the API\n\n" + d.Info.Description + "\n\n" +
		"A server shows the same as a page at `/docs`, and as an OpenAPI 3.1 document at `/openapi.json`; the document of this version is " +
		"[openapi.json](openapi.json). Until the next major version the API changes by additions only: ignore fields that you do not know.\n")
	for _, path := range slices.Sorted(maps.Keys(d.Paths)) {
		for _, method := range []string{"get", "post", "put", "patch", "delete"} {
			if op, there := d.Paths[path][method]; there {
				b.WriteString(operationText(strings.ToUpper(method)+" "+path, op))
			}
		}
	}
	b.WriteString("\n# Types\n")
	for _, name := range slices.Sorted(maps.Keys(d.Components.Schemas)) {
		fmt.Fprintf(&b, "\n## %s\n\n%s", name, fields(d.Components.Schemas[name]))
	}
	return b.String()
}

func operationText(route string, op operation) string {
	var b strings.Builder
	fmt.Fprintf(&b, "\n## %s\n\n%s.\n\n", route, op.Summary)
	for _, p := range op.Parameters {
		if p.In == "path" {
			continue
		}
		need := ""
		if p.Required {
			need = ", required"
		}
		fmt.Fprintf(&b, "- %s `%s` (%s%s) %s\n", p.In, p.Name, typeOf(p.Schema), need, p.Description)
	}
	if op.RequestBody != nil {
		fmt.Fprintf(&b, "- takes %s\n", bodies(op.RequestBody.Content))
	}
	for _, status := range slices.Sorted(maps.Keys(op.Responses)) {
		answer := op.Responses[status]
		if what := bodies(answer.Content); what != "" {
			fmt.Fprintf(&b, "- answers %s with %s\n", status, what)
		} else {
			fmt.Fprintf(&b, "- answers %s\n", status)
		}
	}
	return b.String()
}

func bodies(content map[string]media) string {
	var all []string
	for _, kind := range slices.Sorted(maps.Keys(content)) {
		text := typeOf(content[kind].Schema)
		if kind != "application/json" {
			text += " as " + kind
		}
		all = append(all, text)
	}
	return strings.Join(all, ", or ")
}

// typeOf names a type; that of a component is a link.
func typeOf(s schema) string {
	if name, found := strings.CutPrefix(s.Ref, "#/components/schemas/"); found {
		return fmt.Sprintf("[%s](#%s)", name, anchor(name))
	}
	if s.Items != nil {
		return "list of " + typeOf(*s.Items)
	}
	text := strings.Trim(strings.ReplaceAll(fmt.Sprint(s.Type), " ", " or "), "[]")
	if values, ok := s.AdditionalProperties.(map[string]any); ok && text == "object" {
		return "object of " + typeOf(schemaOf(values))
	}
	if s.Format != "" {
		text += " " + s.Format
	}
	if s.Type == nil {
		text = "anything"
	}
	return text
}

func schemaOf(values map[string]any) (s schema) {
	text, err := json.Marshal(values)
	if err == nil {
		err = json.Unmarshal(text, &s)
	}
	if err != nil {
		return schema{Type: "object"}
	}
	return s
}

func fields(s schema) string {
	if len(s.Properties) == 0 {
		return typeOf(s) + "\n"
	}
	var b strings.Builder
	b.WriteString("| field | type | |\n|---|---|---|\n")
	for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
		p := s.Properties[name]
		about := strings.ReplaceAll(p.Description, "|", `\|`)
		if len(p.Enum) > 0 {
			about = strings.TrimSpace(about + " One of " + strings.Trim(fmt.Sprint(p.Enum), "[]"))
		}
		if !slices.Contains(s.Required, name) {
			name += "?"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", name, typeOf(p), about)
	}
	return b.String()
}
