package definition

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strconv"
	"strings"
)

// Schema is the JSON Schema of a definition, for editors. It is made of the types that Parse reads into; what only the whole of a
// definition tells, as that an app has one primary domain, is not in it.
func Schema() ([]byte, error) {
	root := schemaOf(reflect.TypeFor[Definition](), "")
	root.members[0].value = object{
		{"description", "Of this file: 2; 1 is read, too"},
		{"enum", []any{"1", "2", 1, 2}},
	}
	all := object{
		{"$schema", "https://json-schema.org/draft/2020-12/schema"},
		{"title", "SetOps stage definition"},
	}
	all = append(all, root.object()...)
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	err := e.Encode(all)
	return b.Bytes(), err
}

// object is a JSON object whose members keep their order.
type object []member

type member struct {
	name  string
	value any
}

// MarshalJSON writes the members in their order.
func (o object) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	b.WriteByte('{')
	for i, m := range o {
		if i > 0 {
			b.WriteByte(',')
		}
		if err := e.Encode(m.name); err != nil {
			return nil, err
		}
		b.WriteByte(':')
		if err := e.Encode(m.value); err != nil {
			return nil, err
		}
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// schema describes a struct or anything else.
type schema struct {
	rest     object
	members  object // properties
	required []string
}

func (s schema) object() object {
	if s.members == nil {
		return s.rest
	}
	o := append(s.rest, member{"properties", s.members}, member{"additionalProperties", false})
	if len(s.required) > 0 {
		o = append(o, member{"required", s.required})
	}
	return o
}

// names are what the keys of a map must be like.
var names = map[string]string{
	"apps":           "^[a-z][a-z0-9-]{2,15}$",
	"env":            "^[A-Za-z_][A-Za-z0-9_]{0,255}$",
	"schedule":       "^[a-z][a-z0-9-]{0,31}$",
	"custom_domains": `^(\*\.)?[^*]+$`,
}

func schemaOf(t reflect.Type, field string) schema {
	switch t.Kind() {
	case reflect.Pointer:
		return schemaOf(t.Elem(), field)
	case reflect.Struct:
		s := schema{rest: object{{"type", []string{"object", "null"}}}, members: object{}}
		for i, name := range fieldNames(t) {
			s.members = append(s.members, member{name, described(t.Field(i), name)})
			if t.Field(i).Tag.Get("required") == "true" {
				s.required = append(s.required, name)
			}
		}
		return s
	case reflect.Map:
		o := object{{"type", []string{"object", "null"}}}
		if t.Elem().Kind() == reflect.Interface {
			return schema{rest: append(o, member{"maxProperties", 0})}
		}
		if pattern := names[field]; pattern != "" {
			o = append(o, member{"propertyNames", object{{"pattern", pattern}}})
		}
		return schema{rest: append(o, member{"additionalProperties", schemaOf(t.Elem(), "").object()})}
	case reflect.Slice:
		return schema{rest: object{{"type", []string{"array", "null"}}}}
	case reflect.Bool:
		return schema{rest: object{{"type", "boolean"}}}
	case reflect.Int:
		return schema{rest: object{{"type", "integer"}}}
	}
	return schema{rest: object{{"type", []string{"string", "number", "boolean"}}}} // what stands there is taken as it is written
}

// described adds what the tags of a field say. Limits of a list are those of its items.
func described(f reflect.StructField, name string) object {
	s := schemaOf(f.Type, name)
	o := object{}
	if doc := f.Tag.Get("doc"); doc != "" {
		o = append(o, member{"description", doc})
	}
	o = append(o, s.object()...)
	limits := object{}
	for _, key := range []string{"minimum", "maximum", "multipleOf"} {
		if n, err := strconv.Atoi(f.Tag.Get(key)); err == nil {
			limits = append(limits, member{key, n})
		}
	}
	if f.Type.Kind() == reflect.Slice {
		o = append(o, member{"items", append(schemaOf(f.Type.Elem(), "").object(), limits...)})
		limits = nil
	}
	if n, err := strconv.Atoi(f.Tag.Get("maxItems")); err == nil {
		o = append(o, member{"maxItems", n})
	}
	o = append(o, limits...)
	if allowed := f.Tag.Get("enum"); allowed != "" {
		o = append(o, member{"enum", strings.Split(allowed, ",")})
	}
	if preset := f.Tag.Get("default"); preset != "" {
		o = append(o, member{"default", json.RawMessage(literal(preset))})
	}
	return o
}

// literal is a text as JSON, unless it is JSON already.
func literal(text string) []byte {
	if json.Valid([]byte(text)) {
		return []byte(text)
	}
	quoted, _ := json.Marshal(text) // of a string: it cannot fail
	return quoted
}
