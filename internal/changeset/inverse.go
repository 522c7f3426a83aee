package changeset

import (
	"github.com/setopsco/setops/internal/setops"
)

// Conflict is a value that a later commit has changed again, so that setting it back takes that back, too.
type Conflict struct {
	App     string // "" where it is about the stage
	Field   string // as in ValueChange, of a variable or a domain without what is below it; "" where it is about the whole app
	Message string // for people; holds no values
}

// Inverse gives what a stage should be so that a commit has not been. The commit made made of was; the stage is now. What
// the commit changed is set back, each value for itself; everything else stays as it is now. A value counts as a setting, a
// variable with its description, or a domain with its options. Where it is neither what the commit made of it nor what it
// was before, it is set back all the same, and there is a Conflict.
//
// Three things are left as they are now, with a Conflict: an app that is gone, a domain that another app has validated
// meanwhile, and what an app that speaks tcp cannot have. The lists of releases stay, too, but for what the commit took
// from them and for what becomes active, and are no conflict: an app that the commit made goes with those that it has.
func Inverse(was, made, now setops.Spec) (target setops.Spec, conflicts []Conflict) {
	v := inversion{was: was.Apps, made: made.Apps, now: now.Apps, target: now.Clone().Apps}
	for _, name := range names(was.Apps, made.Apps) {
		v.app(name)
	}
	for _, name := range names(was.Apps, nil) {
		v.settle(name)
	}
	days := v.logRetention(was, made, now)
	return setops.Spec{Apps: v.target, LogRetention: days}, v.conflicts
}

type inversion struct {
	was, made, now map[string]*setops.App
	target         map[string]*setops.App // no part of it is shared with the others
	conflicts      []Conflict
}

func (v *inversion) conflict(app, field, message string) {
	for _, c := range v.conflicts {
		if c.App == app && c.Field == field {
			return
		}
	}
	v.conflicts = append(v.conflicts, Conflict{App: app, Field: field, Message: message})
}

func (v *inversion) logRetention(was, made, now setops.Spec) int {
	if was.LogRetention == made.LogRetention {
		return now.LogRetention
	}
	if now.LogRetention != made.LogRetention && now.LogRetention != was.LogRetention {
		v.conflict("", logRetention, changedLater)
	}
	return was.LogRetention
}

func (v *inversion) app(name string) {
	was, made, now := v.was[name], v.made[name], v.now[name]
	switch {
	case was == made:
	case was == nil:
		v.uncreate(name, made, now)
	case made == nil:
		v.undestroy(name, was, now)
	case now != nil:
		v.back(was.Clone(), made, now, v.target[name])
		v.settleTCP(v.target[name])
	case !sameApp(was, made):
		v.conflict(name, "", "it was destroyed later, and stays so")
	}
}

func (v *inversion) uncreate(name string, made, now *setops.App) {
	if now != nil && !sameApp(made, now) {
		v.conflict(name, "", "it was created by the commit and changed later; all of it is destroyed")
	}
	delete(v.target, name)
}

func (v *inversion) undestroy(name string, was, now *setops.App) {
	if now != nil && sameApp(was, now) {
		return
	}
	again := was.Clone()
	again.Committed = now != nil && now.Committed
	if now != nil {
		v.conflict(name, "", "it was destroyed by the commit and created again later; it becomes what it was before")
	}
	v.target[name] = again
}

// back sets back what differs between was and made.
func (v *inversion) back(was, made, now, target *setops.App) {
	for _, s := range settings {
		if s.same(was, made) || s.same(was, now) {
			continue
		}
		if !s.same(made, now) {
			v.conflict(was.Name, s.field, changedLater)
		}
		s.take(target, was)
	}
	relist(was, made, target)
	target.Schedules = backIn(was.Schedules, made.Schedules, now.Schedules, target.Schedules, sameSchedule,
		func(name string) { v.conflict(was.Name, "schedules."+name, changedLater) })
	target.Env = backIn(was.Env, made.Env, now.Env, target.Env, equal, func(key string) { v.conflict(was.Name, "env."+key, changedLater) })
	target.Domains = backIn(was.Domains, made.Domains, now.Domains, target.Domains, equal,
		func(domain string) { v.conflict(was.Name, "domains."+domain, changedLater) })
}

const changedLater = "a later commit changed it again"

// backIn sets back the values of a map.
func backIn[V any](was, made, now, target map[string]V, same func(a, b V) bool, conflict func(key string)) map[string]V {
	for _, key := range names(was, made) {
		if sameAt(was, made, key, same) || sameAt(was, now, key, same) {
			continue
		}
		if !sameAt(made, now, key, same) {
			conflict(key)
		}
		if value, there := was[key]; there {
			target = with(target, key, value)
		} else {
			delete(target, key)
		}
	}
	return target
}

func sameAt[V any](a, b map[string]V, key string, same func(a, b V) bool) bool {
	one, inA := a[key]
	other, inB := b[key]
	return inA == inB && (!inA || same(one, other))
}

func with[V any](m map[string]V, key string, value V) map[string]V {
	if m == nil {
		m = map[string]V{}
	}
	m[key] = value
	return m
}
