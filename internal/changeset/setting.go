package changeset

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/setopsco/setops/internal/setops"
)

// setting is a value that every app has. Its field is named as in api.ValueChange.
type setting struct {
	field string
	same  func(a, b *setops.App) bool
	show  func(a *setops.App) string // what is in effect, be it set or a default; "" where nothing is
	take  func(to, from *setops.App)
}

// settings are all of them, in the order in which they are shown.
var settings = []setting{
	of("container.command", func(a *setops.App) *[]string { return &a.Container.Command }, slices.Equal, argv),
	of("container.entrypoint", func(a *setops.App) *[]string { return &a.Container.Entrypoint }, slices.Equal, argv),
	of("container.health_check", func(a *setops.App) **setops.HealthCheck { return &a.Container.HealthCheck }, sameHealthCheck, showHealthCheck),
	inEffect("container.start_timeout", func(a *setops.App) *int { return &a.Container.StartTimeout }, startTimeout),
	inEffect("container.stop_timeout", func(a *setops.App) *int { return &a.Container.StopTimeout }, stopTimeout),
	plain("network.protocol", func(a *setops.App) *setops.Protocol { return &a.Network.Protocol }),
	plain("network.public", func(a *setops.App) *bool { return &a.Network.Public }),
	plain("network.port", func(a *setops.App) *int { return &a.Network.Port }),
	inEffect("network.health_check.path", func(a *setops.App) *string { return &a.Network.HealthCheckPath }, checkPath),
	inEffect("network.health_check.status", func(a *setops.App) *string { return &a.Network.HealthCheckStatus }, checkStatus),
	plain("resources.cpu", func(a *setops.App) *int { return &a.Resources.CPU }),
	plain("resources.memory", func(a *setops.App) *int { return &a.Resources.Memory }),
	plain("resources.scale", func(a *setops.App) *int { return &a.Resources.Scale }),
	{"release", sameRelease, showActive, takeRelease},
}

func of[T any](field string, at func(*setops.App) *T, same func(a, b T) bool, show func(T) string) setting {
	return setting{
		field: field,
		same:  func(a, b *setops.App) bool { return same(*at(a), *at(b)) },
		show:  func(a *setops.App) string { return show(*at(a)) },
		take:  func(to, from *setops.App) { *at(to) = *at(from) },
	}
}

func plain[T comparable](field string, at func(*setops.App) *T) setting {
	return of(field, at, equal, func(v T) string { return fmt.Sprint(v) })
}

// inEffect is for what shows as more than what is set.
func inEffect[T comparable](field string, at func(*setops.App) *T, show func(*setops.App) string) setting {
	s := plain(field, at)
	s.show = show
	return s
}

func equal[T comparable](a, b T) bool { return a == b }

// sameApp compares two states of an app in all but Committed and the lists of releases.
func sameApp(a, b *setops.App) bool {
	different := func(s setting) bool { return !s.same(a, b) }
	return !slices.ContainsFunc(settings, different) && maps.Equal(a.Env, b.Env) && maps.Equal(a.Domains, b.Domains) &&
		maps.EqualFunc(a.Schedules, b.Schedules, sameSchedule)
}

func argv(words []string) string {
	if len(words) == 0 {
		return ""
	}
	return showWords(words)
}

func showHealthCheck(h *setops.HealthCheck) string {
	if h == nil {
		return ""
	}
	return fmt.Sprintf("%s every %d s, timeout %d s, %d retries, start period %d s",
		showWords(h.Command), h.Interval, h.Timeout, h.Retries, h.StartPeriod)
}

func startTimeout(a *setops.App) string { return strconv.Itoa(int(a.StartDeadline() / time.Second)) }
func stopTimeout(a *setops.App) string  { return strconv.Itoa(int(a.StopTimeout() / time.Second)) }

// checkPath and checkStatus are empty for an app that nobody checks from outside: to set its path to the default makes
// a difference.
func checkPath(a *setops.App) string {
	if c := a.NetworkCheck(); c != nil {
		return c.Path
	}
	return ""
}

func checkStatus(a *setops.App) string {
	if c := a.NetworkCheck(); c != nil {
		return c.Status
	}
	return ""
}
