package changeset

import (
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/setopsco/setops/internal/setops"
)

// Change is what became of an app.
type Change string

// What can become of an app.
const (
	Created   Change = "created"
	Changed   Change = "changed"
	Destroyed Change = "destroyed"
)

// AppChange is what differs between two states of an app, for people.
type AppChange struct {
	Name   string
	Change Change
	Values []ValueChange // empty where only defaults were set that held anyway
	Lost   []string      // what no commit brings back
}

// ValueChange is one value that differs. One that is nil was not there, or is not there any more.
type ValueChange struct {
	Field    string // as resources.scale, env.KEY, domains.www.example.com.primary: see api.ValueChange
	Old, New *string
	Sealed   bool // Old and New are sealed; whoever shows them opens or hides them
	Secret   bool // the variable is secret before or after; neither value is shown
}

// Compare gives the apps that differ, by name, with the values that do: those in effect, so that a default which is set
// or unset makes no difference. Of a created app it gives what is no default, of a destroyed one what was none.
func Compare(before, after setops.Spec) []AppChange {
	var all []AppChange
	for _, name := range names(before.Apps, after.Apps) {
		if c, differs := compareApp(name, before.Apps[name], after.Apps[name]); differs {
			all = append(all, c)
		}
	}
	return all
}

// CompareStage gives the values that differ of what belongs to no app.
func CompareStage(before, after setops.Spec) []ValueChange {
	var c changes
	c.add(logRetention, new(strconv.Itoa(before.KeptLogs())), new(strconv.Itoa(after.KeptLogs())))
	return c
}

// logRetention is the field of the days that logs are kept.
const logRetention = "log_retention"

func compareApp(name string, was, is *setops.App) (c AppChange, differs bool) {
	if was == is {
		return c, false // Fold shares what no command touched
	}
	c.Name = name
	switch {
	case was == nil:
		c.Change, c.Values = Created, valuesBetween(setops.NewApp(name), is)
		for i := range c.Values {
			c.Values[i].Old = nil
		}
	case is == nil:
		gone := setops.NewApp(name)
		gone.Releases = was.Releases // a long list would hide what matters, and their images stay until clean-up
		c.Change, c.Values, c.Lost = Destroyed, valuesBetween(was, gone), []string{itsLogs}
		for i := range c.Values {
			c.Values[i].New = nil
		}
	default:
		c.Change, c.Values, c.Lost = Changed, valuesBetween(was, is), lostAnew(was, is)
		return c, len(c.Values) > 0 || c.Lost != nil || !sameApp(was, is)
	}
	return c, true
}

// itsLogs are all that a destroyed app takes along for ever.
const itsLogs = "its logs"

// lostAnew is for an app that is destroyed and created again in one changeset: its logs go on where it has tasks.
func lostAnew(was, is *setops.App) []string {
	if was.Committed && !is.Committed && is.ActiveRelease == 0 {
		return []string{itsLogs}
	}
	return nil
}

// changes collects values that differ.
type changes []ValueChange

func (c *changes) add(field string, before, after *string) {
	if before == after || before != nil && after != nil && *before == *after {
		return
	}
	*c = append(*c, ValueChange{Field: field, Old: before, New: after})
}

// when gives a text where there is one.
func when(there bool, text string) *string {
	if !there {
		return nil
	}
	return &text
}

func valuesBetween(was, is *setops.App) []ValueChange {
	var c changes
	for _, s := range settings {
		if !s.same(was, is) {
			old, now := s.show(was), s.show(is)
			c.add(s.field, when(old != "", old), when(now != "", now))
		}
	}
	c.releases(was.Releases, is.Releases)
	c.env(was.Env, is.Env)
	c.schedules(was.Schedules, is.Schedules)
	c.domains(was.Domains, is.Domains)
	return c
}

// releases compares images: a number stands for another one where the app was made anew.
func (c *changes) releases(was, is []setops.Release) {
	before, after := byID(was), byID(is)
	ids := maps.Clone(before)
	maps.Copy(ids, after)
	for _, id := range slices.Sorted(maps.Keys(ids)) {
		old, had := before[id]
		now, has := after[id]
		if had != has || old.Digest != now.Digest {
			c.add(fmt.Sprintf("releases.%d", id), when(had, showRelease(old)), when(has, showRelease(now)))
		}
	}
}

func (c *changes) env(was, is map[string]setops.EnvVar) {
	for _, key := range names(was, is) {
		old, had := was[key]
		now, has := is[key]
		if had != has || old.Value != now.Value {
			*c = append(*c, ValueChange{
				Field: "env." + key, Old: when(had, string(old.Value)), New: when(has, string(now.Value)),
				Sealed: true, Secret: old.Secret || now.Secret,
			})
		}
		c.add("env."+key+".secret", when(old.Secret, "true"), when(now.Secret, "true"))
		c.add("env."+key+".description", when(old.Description != "", old.Description), when(now.Description != "", now.Description))
	}
}

func (c *changes) schedules(was, is map[string]setops.Schedule) {
	for _, name := range names(was, is) {
		old, had := was[name]
		now, has := is[name]
		field := "schedules." + name
		c.add(field+".cron", when(had, old.Cron), when(has, now.Cron))
		c.add(field+".command", when(had, showWords(old.Command)), when(has, showWords(now.Command)))
		c.add(field+".timeout", when(had, strconv.Itoa(old.Timeout)), when(has, strconv.Itoa(now.Timeout)))
	}
}

func (c *changes) domains(was, is map[string]setops.Domain) {
	for _, name := range names(was, is) {
		old, had := was[name]
		now, has := is[name]
		c.add("domains."+name, when(had, showDomain(old)), when(has, showDomain(now)))
		if old.Primary != now.Primary {
			c.add("domains."+name+".primary", when(had, fmt.Sprint(old.Primary)), when(has, fmt.Sprint(now.Primary)))
		}
		if old.Direct != now.Direct {
			c.add("domains."+name+".redirect_to_primary", when(had, fmt.Sprint(!old.Direct)), when(has, fmt.Sprint(!now.Direct)))
		}
		if old.StaticIP != now.StaticIP {
			c.add("domains."+name+".static_ip", when(had, fmt.Sprint(old.StaticIP)), when(has, fmt.Sprint(now.StaticIP)))
		}
	}
}

func showDomain(d setops.Domain) string {
	if d.Validated {
		return "validated"
	}
	return "not validated"
}
