package changeset

import (
	"maps"
	"slices"

	"github.com/setopsco/setops/internal/setops"
)

// Between gives the commands that turn one spec into the other: folded onto from, all of them apply and make to, in
// everything but Committed and the lists of releases. Of those only what to has and from lacks is created, as it is there;
// what only from has stays. There is no command that could be left out, and the order depends on the specs alone: first
// what ends, so that domains are free and protocols can change, then each app, then the domains of all.
//
// Both specs must be such as Fold makes. An app is destroyed and created again where nothing else leads there: it is
// committed and its protocol differs, or a number of a release stands for another image.
func Between(from, to setops.Spec) []Command {
	t := newTurn(from.Apps, to.Apps)
	commands := logBetween(from.LogRetention, to.LogRetention)
	for _, part := range []func(name string) []Command{t.destroy, t.free, t.app, t.claim, t.serve} {
		for _, name := range names(t.from, t.to) {
			commands = append(commands, part(name)...)
		}
	}
	return commands
}

// turn is how one state of a stage becomes another.
type turn struct {
	from, to map[string]*setops.App
	start    map[string]*setops.App // of each app of to: it as it is, or one that has just been created
	created  map[string]bool
	given    map[string]bool // domains that some app is to get
}

func newTurn(from, to map[string]*setops.App) turn {
	t := turn{from: from, to: to, start: map[string]*setops.App{}, created: map[string]bool{}, given: map[string]bool{}}
	for name, is := range to {
		t.start[name] = from[name]
		if was := from[name]; was == nil || anew(was, is) {
			t.start[name], t.created[name] = setops.NewApp(name), true
		}
		for domain := range is.Domains {
			if _, there := t.start[name].Domains[domain]; !there {
				t.given[domain] = true
			}
		}
	}
	return t
}

// anew reports two states of an app between which it must have been destroyed.
func anew(was, is *setops.App) bool {
	if was.Committed && was.Network.Protocol != is.Network.Protocol {
		return true
	}
	numbered := byID(was.Releases)
	return slices.ContainsFunc(is.Releases, func(r setops.Release) bool {
		other, taken := numbered[r.ID]
		return taken && other.Digest != r.Digest
	})
}

func (t turn) destroy(name string) []Command {
	if t.from[name] != nil && (t.to[name] == nil || t.created[name]) {
		return []Command{&AppDestroy{AppName: name}}
	}
	return nil
}

func (t turn) app(name string) []Command {
	is := t.to[name]
	if is == nil {
		return nil
	}
	var commands []Command
	was := t.start[name]
	if t.created[name] {
		commands = append(commands, &AppCreate{AppName: name})
	}
	commands = append(commands, containerBetween(name, was.Container, is.Container)...)
	commands = append(commands, networkBetween(name, was.Network, is.Network)...)
	commands = append(commands, resourcesBetween(name, was.Resources, is.Resources)...)
	commands = append(commands, envBetween(name, was.Env, is.Env)...)
	commands = append(commands, schedulesBetween(name, was.Schedules, is.Schedules)...)
	return append(commands, releasesBetween(was, is)...)
}

func releasesBetween(was, is *setops.App) []Command {
	var commands []Command
	numbered := byID(was.Releases)
	for _, r := range is.Releases {
		if _, there := numbered[r.ID]; !there {
			commands = append(commands, &ReleaseCreate{
				AppName: is.Name, Digest: r.Digest, ID: r.ID, Tag: r.Tag, CreatedAt: r.CreatedAt, CreatedBy: r.CreatedBy,
			})
		}
	}
	tag := tagBetween(numbered, is)
	switch {
	case was.ActiveRelease == is.ActiveRelease && tag == nil:
		return commands
	case is.ActiveRelease == 0:
		return append(commands, &ReleaseDeactivate{AppName: is.Name})
	}
	return append(commands, &ReleaseActivate{AppName: is.Name, ID: is.ActiveRelease, Tag: tag})
}

// tagBetween is the tag of the active release where it had another one.
func tagBetween(was map[int]setops.Release, is *setops.App) *string {
	active, _ := is.Release(is.ActiveRelease)
	if old, there := was[active.ID]; there {
		return changed(old.Tag, active.Tag)
	}
	return nil
}

// names are the keys of both maps, sorted.
func names[V any](a, b map[string]V) []string {
	all := make(map[string]struct{}, len(a))
	for _, m := range []map[string]V{a, b} {
		for name := range m {
			all[name] = struct{}{}
		}
	}
	return slices.Sorted(maps.Keys(all))
}
