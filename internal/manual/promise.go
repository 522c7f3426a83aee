package manual

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// Breaks lists what a later OpenAPI document no longer keeps of what an earlier one promised, so that a client written for the
// earlier one could fail. Additions are none: routes, optional parameters, optional fields of requests, any fields of answers.
func Breaks(earlier, later []byte) ([]string, error) {
	var was, is map[string]any
	if err := json.Unmarshal(earlier, &was); err != nil {
		return nil, fmt.Errorf("read the promised document: %w", err)
	}
	if err := json.Unmarshal(later, &is); err != nil {
		return nil, fmt.Errorf("read the document: %w", err)
	}
	c := &comparison{was: was, is: is, seen: map[string]bool{}}
	for _, path := range keys(at(was, "paths")) {
		for _, method := range keys(at(was, "paths", path)) {
			c.operation(strings.ToUpper(method)+" "+path, at(was, "paths", path, method), at(is, "paths", path, method))
		}
	}
	return c.broken, nil
}

type comparison struct {
	was, is map[string]any
	broken  []string
	seen    map[string]bool // types that were compared, by direction
}

// A direction says who writes a value: a client must get along with what the server writes, and the server with what it does.
type direction string

const (
	asked    direction = "asked"
	answered direction = "answered"
)

func (c *comparison) breaks(where, format string, args ...any) {
	c.broken = append(c.broken, where+": "+fmt.Sprintf(format, args...))
}

func (c *comparison) operation(route string, was, is any) {
	if is == nil {
		c.breaks(route, "is gone")
		return
	}
	now := parameters(is)
	for name, p := range parameters(was) {
		if now[name] == nil {
			c.breaks(route, "no longer takes %s", name)
			continue
		}
		c.schema(route+" "+name, at(p, "schema"), at(now[name], "schema"), asked)
	}
	for name, p := range now {
		if before := parameters(was)[name]; at(p, "required") == true && at(before, "required") != true {
			c.breaks(route, "now demands %s", name)
		}
	}
	if at(was, "requestBody") == nil && at(is, "requestBody", "required") == true {
		c.breaks(route, "now demands a body")
	}
	c.content(route+" body", at(was, "requestBody", "content"), at(is, "requestBody", "content"), asked)
	for _, status := range keys(at(was, "responses")) {
		if at(is, "responses", status) == nil {
			c.breaks(route, "no longer answers %s", status)
			continue
		}
		c.content(route+" "+status, at(was, "responses", status, "content"), at(is, "responses", status, "content"), answered)
	}
}

func parameters(operation any) map[string]any {
	all := map[string]any{}
	list, _ := at(operation, "parameters").([]any)
	for _, p := range list {
		all[fmt.Sprintf("%v %v", at(p, "in"), at(p, "name"))] = p
	}
	return all
}

func (c *comparison) content(where string, was, is any, d direction) {
	for _, kind := range keys(was) {
		if at(is, kind) == nil {
			c.breaks(where, "is no longer %s", kind)
			continue
		}
		c.schema(where, at(was, kind, "schema"), at(is, kind, "schema"), d)
	}
}

func (c *comparison) schema(where string, was, is any, d direction) {
	if name, found := strings.CutPrefix(fmt.Sprint(at(was, "$ref")), "#/components/schemas/"); found {
		if c.seen[string(d)+name] {
			return
		}
		c.seen[string(d)+name] = true
		where, was = name, at(c.was, "components", "schemas", name)
	}
	if name, found := strings.CutPrefix(fmt.Sprint(at(is, "$ref")), "#/components/schemas/"); found {
		is = at(c.is, "components", "schemas", name)
	}
	for _, same := range []string{"type", "format", "pattern", "const"} {
		if !reflect.DeepEqual(at(was, same), at(is, same)) {
			c.breaks(where, "%s was %v and is %v", same, at(was, same), at(is, same))
		}
	}
	c.limits(where, was, is, d)
	c.fields(where, was, is, d)
	for _, below := range []string{"items", "additionalProperties"} {
		if _, is := at(was, below).(map[string]any); !is {
			continue
		}
		c.schema(where+" "+below, at(was, below), at(is, below), d)
	}
}

// limits may become wider for what is asked, and a set of values for it larger; for answers clients have no use for them.
func (c *comparison) limits(where string, was, is any, d direction) {
	if d == answered {
		return
	}
	for _, upper := range []string{"maxLength", "maxItems", "maximum"} {
		before, limited := at(was, upper).(float64)
		now, still := at(is, upper).(float64)
		if still && (!limited || now < before) {
			c.breaks(where, "%s was %v and is %v", upper, at(was, upper), now)
		}
	}
	for _, lower := range []string{"minLength", "minItems", "minimum"} {
		before, limited := at(was, lower).(float64)
		now, still := at(is, lower).(float64)
		if still && (!limited && now > 0 || limited && now > before) {
			c.breaks(where, "%s was %v and is %v", lower, at(was, lower), now)
		}
	}
	values, _ := at(is, "enum").([]any)
	before, _ := at(was, "enum").([]any)
	if values != nil && before == nil {
		c.breaks(where, "now takes only %v", values)
	}
	for _, v := range before {
		if values != nil && !slices.Contains(values, v) {
			c.breaks(where, "no longer takes %v", v)
		}
	}
}

func (c *comparison) fields(where string, was, is any, d direction) {
	for _, field := range keys(at(was, "properties")) {
		now := at(is, "properties", field)
		if now == nil {
			c.breaks(where, "has no field %s any more", field)
			continue
		}
		c.schema(where+"."+field, at(was, "properties", field), now, d)
	}
	before, now := required(was), required(is)
	for _, field := range now {
		if d == asked && !slices.Contains(before, field) {
			c.breaks(where, "now demands the field %s", field)
		}
	}
	for _, field := range before {
		if d == answered && !slices.Contains(now, field) {
			c.breaks(where, "may now lack the field %s", field)
		}
	}
}

func required(s any) []string {
	list, _ := at(s, "required").([]any)
	names := make([]string, 0, len(list))
	for _, name := range list {
		names = append(names, fmt.Sprint(name))
	}
	return names
}

// at looks into nested objects; nil where there is nothing.
func at(v any, path ...string) any {
	for _, key := range path {
		object, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = object[key]
	}
	return v
}

func keys(v any) []string {
	object, _ := v.(map[string]any)
	return slices.Sorted(maps.Keys(object))
}
