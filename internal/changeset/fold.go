package changeset

import (
	"errors"
	"fmt"
	"maps"

	"github.com/setopsco/setops/internal/setops"
)

// Problem is a command that does not apply.
type Problem struct {
	Index   int // its place in the list that was folded, from 0
	Command Command
	Err     *setops.Error
}

// Error names the command and says why it does not apply.
func (p Problem) Error() string {
	about := p.Command.Name()
	if app := p.Command.App(); app != "" {
		about += " of app " + app
	}
	return fmt.Sprintf("command %d (%s) does not apply: %s", p.Index+1, about, p.Err)
}

// Fold applies commands in order. The spec that comes in is not changed; apps that no command touches are shared with
// the one that goes out. Commands that do not apply are skipped and reported, so that a person sees all of them at once.
func Fold(spec setops.Spec, commands []Command) (setops.Spec, []Problem) {
	d := &draft{apps: maps.Clone(spec.Apps), own: map[string]*setops.App{}, logRetention: spec.LogRetention}
	if d.apps == nil {
		d.apps = map[string]*setops.App{}
	}
	var problems []Problem
	for i, c := range commands {
		err := c.apply(d)
		if err == nil {
			continue
		}
		var e *setops.Error
		if !errors.As(err, &e) {
			e = &setops.Error{Kind: setops.Fault, Code: setops.ServerFailure, Message: err.Error(), Err: err}
		}
		problems = append(problems, Problem{Index: i, Command: c, Err: e})
	}
	return setops.Spec{Apps: d.apps, LogRetention: d.logRetention}, problems
}

// draft is a spec being changed. Apps are values: a command replaces the one that it changes by a copy.
type draft struct {
	apps map[string]*setops.App
	own  map[string]*setops.App // the copies, which share nothing with the spec that came in

	logRetention int // days; 0: the default
}

// edit changes one app by f, all or nothing: the rules of a command are checked on the copy that it changed. Only the
// first copy of an app is deep, or a long changeset about one app would cost the square of its length; the others share
// Env and what else is behind a pointer, so f changes that in place only when nothing can fail any more.
func (d *draft) edit(name string, f func(*setops.App) error) error {
	app, ok := d.apps[name]
	if !ok {
		return setops.Refuse(setops.AppDoesNotExist, "there is no app %q on this stage; create it with `setops app:create %s`", name, name)
	}
	var changed *setops.App
	if app == d.own[name] {
		shallow := *app
		changed = &shallow
	} else {
		changed = app.Clone()
	}
	if err := f(changed); err != nil {
		return err
	}
	d.apps[name], d.own[name] = changed, changed
	return nil
}

// check gives one error for all rules that are broken, or nil.
func check(violations ...[]setops.Violation) error {
	var all []setops.Violation
	for _, vs := range violations {
		all = append(all, vs...)
	}
	return setops.InvalidInput(setops.ValidationFailed, all)
}
