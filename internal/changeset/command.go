// Package changeset holds the commands that users stage, as a sealed sum type with one file per noun, and Fold, which
// applies them to the Spec of a stage. The other way round, Between finds the commands from one Spec to another, Compare
// shows what differs, and Inverse is what a stage is without a commit. All is pure: no I/O, no clock, no randomness; what
// is needed of those comes in as values. Start with Command and Fold.
package changeset

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/setopsco/setops/internal/setops"
)

// Command is one staged change. Only this package implements it.
type Command interface {
	// Name is the stored name, as `app:release:create`.
	Name() string
	// App is the name of the app that the command is about; empty: it is about the stage.
	App() string
	// Arguments are what `changeset:info` shows: no secrets, and nothing that was added when it was staged.
	Arguments() map[string]any
	// apply changes the draft, or says why it cannot.
	apply(d *draft) error
}

// newCommand gives an empty command of each name.
var newCommand = map[string]func() Command{
	"app:create":          func() Command { return new(AppCreate) },
	"app:destroy":         func() Command { return new(AppDestroy) },
	"app:container:set":   func() Command { return new(ContainerSet) },
	"app:container:unset": func() Command { return new(ContainerUnset) },
	"app:network:set":     func() Command { return new(NetworkSet) },
	"app:network:unset":   func() Command { return new(NetworkUnset) },
	"app:resource:set":    func() Command { return new(ResourceSet) },
	"app:resource:unset":  func() Command { return new(ResourceUnset) },
	"app:env:set":         func() Command { return new(EnvSet) },
	"app:env:unset":       func() Command { return new(EnvUnset) },
	"app:release:create":  func() Command { return new(ReleaseCreate) },
	"app:release:set":     func() Command { return new(ReleaseActivate) },
	"app:release:unset":   func() Command { return new(ReleaseDeactivate) },

	"app:schedule:create":  func() Command { return new(ScheduleCreate) },
	"app:schedule:destroy": func() Command { return new(ScheduleDestroy) },
	"log:set":              func() Command { return new(LogSet) },
	"log:unset":            func() Command { return new(LogUnset) },

	"app:domain:create":       func() Command { return new(DomainCreate) },
	"app:domain:destroy":      func() Command { return new(DomainDestroy) },
	"app:domain:validate":     func() Command { return new(DomainValidate) },
	"app:domain:option:set":   func() Command { return new(DomainOptionSet) },
	"app:domain:option:unset": func() Command { return new(DomainOptionUnset) },
}

// Names are the stored names of all commands, sorted.
func Names() []string { return slices.Sorted(maps.Keys(newCommand)) }

// Decode reads a command as Encode wrote it. Errors: ValidationError for an unknown name or arguments that do not fit.
func Decode(name string, arguments []byte) (Command, error) {
	empty, ok := newCommand[name]
	if !ok {
		return nil, invalid("name", setops.NotIncluded, fmt.Sprintf("%q is no command; there are %s", name, strings.Join(Names(), ", ")))
	}
	c := empty()
	d := json.NewDecoder(bytes.NewReader(arguments))
	d.DisallowUnknownFields()
	if err := d.Decode(c); err != nil {
		return nil, decodeError(err)
	}
	if loose, ok := c.(interface{ canonical() }); ok { // there is more than one way to write its arguments
		loose.canonical()
	}
	return c, nil
}

// Encode writes the arguments of a command for the store.
func Encode(c Command) ([]byte, error) { return json.Marshal(c) }

func decodeError(err error) error {
	var mismatch *json.UnmarshalTypeError
	if errors.As(err, &mismatch) && mismatch.Field != "" {
		v := setops.Invalid
		if strings.HasPrefix(mismatch.Type.Kind().String(), "int") {
			v = setops.NotAnInteger
		}
		return invalid(mismatch.Field, v, needed(mismatch.Type.Kind())+" is needed")
	}
	if _, field, ok := strings.Cut(err.Error(), "unknown field "); ok {
		return invalid(strings.Trim(field, `"`), setops.NotIncluded, "the command has no such argument")
	}
	return invalid("arguments", setops.InvalidFormat, "they are no JSON object: "+err.Error())
}

func needed(k reflect.Kind) string {
	switch k {
	case reflect.Int:
		return "an integer"
	case reflect.Bool:
		return "true or false"
	case reflect.Slice:
		return "a list"
	case reflect.Struct:
		return "an object"
	}
	return "a text"
}

func invalid(field string, v setops.Validator, message string) error {
	return setops.InvalidInput(setops.ValidationFailed, []setops.Violation{{Field: field, Validator: v, Message: message}})
}
