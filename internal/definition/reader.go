package definition

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/setopsco/setops/internal/setops"
)

// What aliases can make of a short file is bounded: the nodes that are read, and how often blocks are merged into each other.
const (
	nodesMax  = 200_000
	mergesMax = 8
)

// reader reads nodes into values, and keeps what is wrong and where everything stands.
type reader struct {
	places   map[string]Place
	problems []Problem
	left     int // nodes that may still be read
	spent    bool
	merging  int // blocks that are being merged into each other
}

func (r *reader) problem(n *yaml.Node, field string, v setops.Validator, format string, args ...any) {
	r.problems = append(r.problems, Problem{Place: placeOf(n), Field: field, Validator: v, Message: fmt.Sprintf(format, args...)})
}

func placeOf(n *yaml.Node) Place { return Place{Line: n.Line, Column: n.Column} }

// read puts a node into a value. What is null is as if it were absent, where that can be.
func (r *reader) read(n *yaml.Node, field string, to reflect.Value) {
	if _, known := r.places[field]; !known {
		r.places[field] = placeOf(n)
	}
	if n = r.follow(n, field); n == nil {
		return
	}
	null := n.ShortTag() == "!!null"
	switch to.Kind() {
	case reflect.Pointer:
		value := reflect.New(to.Type().Elem())
		if null && value.Elem().Kind() == reflect.Struct {
			return
		}
		to.Set(value)
		r.read(n, field, value.Elem())
	case reflect.Struct:
		if !null && r.is(n, yaml.MappingNode, field, "fields, as "+example(to.Type())) {
			r.object(n, field, to)
		}
	case reflect.Map:
		if !null && r.is(n, yaml.MappingNode, field, "names with a value each") {
			r.table(n, field, to)
		}
	case reflect.Slice:
		if !null && r.is(n, yaml.SequenceNode, field, "a list, as [a, b]") {
			r.list(n, field, to)
		}
	case reflect.Interface: // nothing looks into it
		to.Set(reflect.ValueOf(n.Value))
	default:
		r.scalar(n, field, to)
	}
}

// follow gives what an alias stands for; nil where there were too many.
func (r *reader) follow(n *yaml.Node, field string) *yaml.Node {
	if r.left--; r.left <= 0 {
		if !r.spent {
			r.problem(n, field, setops.TooLong, "the definition is too large, or its aliases repeat too much of it")
		}
		r.spent = true
		return nil
	}
	if n.Kind == yaml.AliasNode {
		return r.follow(n.Alias, field)
	}
	return n
}

func (r *reader) is(n *yaml.Node, kind yaml.Kind, field, wanted string) bool {
	if n.Kind != kind {
		r.problem(n, field, setops.InvalidFormat, "%s cannot be here; needed: %s", kindOf(n), wanted)
	}
	return n.Kind == kind
}

// called names what a node is, in a sentence, and shows what is written where a number or a word out of few belongs.
func called(n *yaml.Node) string {
	if n.Kind == yaml.ScalarNode && n.ShortTag() != "!!null" {
		return fmt.Sprintf("%q", shorten(n.Value))
	}
	return kindOf(n)
}

// kindOf names what a node is without what is written there: in the place of a block it may be the value of a variable.
func kindOf(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a block of fields"
	case yaml.SequenceNode:
		return "a list"
	}
	switch n.ShortTag() {
	case "!!null":
		return "nothing"
	case "!!binary":
		return "binary data"
	}
	return "a text"
}

// shorten keeps messages readable, and a value that stands in the wrong place mostly unseen.
func shorten(s string) string {
	const most = 24
	if runes := []rune(s); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return s
}

// pair is a key of a mapping with its value.
type pair struct{ key, value *yaml.Node }

// pairs gives the fields of a mapping, those of merged ones (<<) behind its own. Keys are texts, each once.
func (r *reader) pairs(n *yaml.Node, field string) []pair {
	var own, merged []pair
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content) && r.left > 0; i += 2 {
		r.left--
		key, value := n.Content[i], n.Content[i+1]
		switch {
		case key.ShortTag() == "!!merge":
			merged = append(merged, r.merge(value, field)...)
		case key.Kind != yaml.ScalarNode || key.ShortTag() == "!!null":
			r.problem(key, field, setops.InvalidFormat, "%s cannot be the name of a field", called(key))
		case seen[key.Value]:
			r.problem(key, inside(field, key.Value), setops.Taken, "it is here twice; leave one of them out")
		default:
			seen[key.Value] = true
			own = append(own, pair{key, value})
		}
	}
	for _, p := range merged {
		if !seen[p.key.Value] {
			seen[p.key.Value] = true
			own = append(own, p)
		}
	}
	return own
}

// merge gives the fields of what stands behind <<: an alias, or a list of them.
func (r *reader) merge(n *yaml.Node, field string) []pair {
	r.merging++
	defer func() { r.merging-- }()
	if n = r.follow(n, field); n == nil {
		return nil
	}
	if r.merging > mergesMax {
		r.problem(n, field, setops.TooLong, "too many blocks are merged into each other here")
		return nil
	}
	switch n.Kind {
	case yaml.MappingNode:
		return r.pairs(n, field)
	case yaml.SequenceNode:
		var all []pair
		for _, item := range n.Content {
			all = append(all, r.merge(item, field)...)
		}
		return all
	}
	r.problem(n, field, setops.InvalidFormat, "%s cannot be merged; behind << stands an alias of a block of fields", kindOf(n))
	return nil
}

func inside(field, name string) string { return strings.TrimPrefix(field+"."+name, ".") }

func (r *reader) object(n *yaml.Node, field string, to reflect.Value) {
	names := fieldNames(to.Type())
	for _, p := range r.pairs(n, field) {
		at := inside(field, p.key.Value)
		i := slices.Index(names, p.key.Value)
		if i < 0 {
			r.problem(p.key, at, setops.NotIncluded, "there is no such field; %sallowed: %s", didYouMean(p.key.Value, names), strings.Join(names, ", "))
			continue
		}
		r.places[at] = placeOf(p.value)
		r.read(p.value, at, to.Field(i))
	}
}

// table reads a map. Its keys are names of the user's, so they have a place of their own, that of the name.
func (r *reader) table(n *yaml.Node, field string, to reflect.Value) {
	to.Set(reflect.MakeMap(to.Type()))
	for _, p := range r.pairs(n, field) {
		at := inside(field, p.key.Value)
		r.places[at] = placeOf(p.key)
		value := reflect.New(to.Type().Elem()).Elem()
		r.read(p.value, at, value)
		to.SetMapIndex(reflect.ValueOf(p.key.Value), value)
	}
}

func (r *reader) list(n *yaml.Node, field string, to reflect.Value) {
	all := reflect.MakeSlice(to.Type(), len(n.Content), len(n.Content))
	for i, item := range n.Content {
		r.read(item, fmt.Sprintf("%s[%d]", field, i), all.Index(i))
	}
	to.Set(all)
}

func (r *reader) scalar(n *yaml.Node, field string, to reflect.Value) {
	tag := n.ShortTag()
	switch to.Kind() {
	case reflect.Bool:
		if tag != "!!bool" {
			r.problem(n, field, setops.InvalidFormat, "%s cannot be here; allowed: true, false", called(n))
			return
		}
		to.SetBool(strings.EqualFold(n.Value, "true"))
	case reflect.Int:
		number, err := strconv.Atoi(n.Value)
		if tag != "!!int" || err != nil {
			r.problem(n, field, setops.NotAnInteger, "%s cannot be here; needed: a whole number", called(n))
			return
		}
		to.SetInt(int64(number))
	default:
		if n.Kind != yaml.ScalarNode || tag == "!!null" || tag == "!!binary" {
			r.problem(n, field, setops.InvalidFormat, "%s cannot be here; needed: a text", kindOf(n))
			return
		}
		to.SetString(n.Value) // a number is taken as it is written
	}
}
