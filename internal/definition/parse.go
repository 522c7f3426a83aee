package definition

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/setopsco/setops/internal/setops"
)

// Document is a definition that was read, with where in its file everything stands.
type Document struct {
	Definition
	File   string
	places map[string]Place
}

// Parse reads YAML, of which JSON is a part. file is its name for messages. Errors: as Refuse.
func Parse(file string, content []byte) (*Document, error) {
	d := &Document{File: file, places: map[string]Place{}}
	root, err := rootOf(content)
	if err != nil {
		return nil, Refuse(file, []Problem{*err})
	}
	r := reader{places: d.places, left: nodesMax}
	r.read(root, "", reflect.ValueOf(&d.Definition).Elem())
	r.problems = append(r.problems, d.checkVersion()...)
	r.problems = append(r.problems, d.unsupported()...)
	return d, Refuse(file, r.problems)
}

// rootOf gives the only document of a file.
func rootOf(content []byte) (*yaml.Node, *Problem) {
	decoder := yaml.NewDecoder(bytes.NewReader(content))
	var first, second yaml.Node
	switch err := decode(decoder, &first); {
	case errors.Is(err, io.EOF):
		return nil, &Problem{Validator: setops.Required, Message: "it is empty; it begins with schema_version: \"2\""}
	case err != nil:
		return nil, &Problem{Place: placeIn(err), Validator: setops.InvalidFormat, Message: notYAML(err)}
	}
	if err := decode(decoder, &second); !errors.Is(err, io.EOF) {
		return nil, &Problem{
			Place:     Place{Line: second.Line, Column: second.Column},
			Validator: setops.Invalid, Message: "a second document begins here; a file has one definition",
		}
	}
	return first.Content[0], nil
}

// decode turns what the library panics with on some broken input into an error.
func decode(from *yaml.Decoder, to *yaml.Node) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("yaml: %v", p)
		}
	}()
	return from.Decode(to)
}

// placeIn finds the line that the library names only in its text.
func placeIn(err error) (p Place) {
	if _, rest, found := strings.Cut(err.Error(), "line "); found {
		if n, _ := fmt.Sscanf(rest, "%d", &p.Line); n == 1 {
			p.Column = 1
		}
	}
	return p
}

func notYAML(err error) string {
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	if rest, found := strings.CutPrefix(text, "line "); found {
		if _, after, ok := strings.Cut(rest, ": "); ok {
			text = after
		}
	}
	return "it is no YAML: " + text
}

func (d *Document) checkVersion() []Problem {
	p := Problem{Place: d.At("schema_version"), Field: "schema_version"}
	switch {
	case slices.Contains(Versions, d.SchemaVersion):
		return nil
	case d.SchemaVersion == "":
		p.Validator, p.Message = setops.Required, `it is missing; write schema_version: "2"`
	default:
		p.Validator, p.Message = setops.NotIncluded, fmt.Sprintf(`there is no schema %q; allowed: "1", "2"`, d.SchemaVersion)
	}
	return []Problem{p}
}

// unsupported names what a definition may say one day.
func (d *Document) unsupported() []Problem {
	var found []Problem
	later := func(field, message string) {
		found = append(found, Problem{Place: d.At(field), Field: field, Validator: setops.Invalid, Message: message, Later: true})
	}
	if len(d.Services) > 0 {
		later("services", "there are no services yet; leave them out")
	}
	if len(d.Notifications) > 0 {
		later("notifications", "there are no notifications yet; leave them out")
	}
	for name, app := range d.Apps {
		if len(app.Links) > 0 {
			later("apps."+name+".links", "there are no services yet that could be linked; leave them out")
		}
		if len(app.Network.Ports) > 1 {
			later("apps."+name+".network.ports", fmt.Sprintf("an app has one port; these are %d", len(app.Network.Ports)))
		}
	}
	return found
}

// At is where a field stands, or else the nearest one around it.
func (d *Document) At(field string) Place {
	for {
		if p, there := d.places[field]; there {
			return p
		}
		i := strings.LastIndexAny(field, ".[")
		if i < 0 {
			return d.places[""]
		}
		field = field[:i]
	}
}
