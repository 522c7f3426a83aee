package changeset_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/setopsco/setops/internal/changeset"
	"github.com/setopsco/setops/internal/setops"
)

// shown writes what differs as lines.
func shown(all []changeset.AppChange) string {
	var b strings.Builder
	for _, c := range all {
		fmt.Fprintf(&b, "%s %s %s\n", c.Name, c.Change, strings.Join(c.Lost, ", "))
		for _, v := range c.Values {
			secret := ""
			if v.Sealed {
				secret = " (secret)"
			}
			fmt.Fprintf(&b, "  %s: %s -> %s%s\n", v.Field, orNone(v.Old), orNone(v.New), secret)
		}
	}
	return b.String()
}

func orNone(text *string) string {
	if text == nil {
		return "-"
	}
	return *text
}

func TestWhatDiffersIsShownAsValues(t *testing.T) {
	for name, test := range map[string]struct {
		change func(map[string]*setops.App)
		want   string
	}{
		"nothing": {func(map[string]*setops.App) {}, ""},
		"an app with defaults created": {func(apps map[string]*setops.App) { apps["new"] = setops.NewApp("new") }, `
new created 
`},
		"an app created": {func(apps map[string]*setops.App) {
			a := setops.NewApp("new")
			a.Container.Command = []string{"sh", "-c", "echo it's", ""}
			a.Container.HealthCheck = &setops.HealthCheck{Command: []string{"/app", "check"}, Interval: 10, Timeout: 10, Retries: 5, StartPeriod: 15}
			a.Network.Public = true
			a.Env = map[string]setops.EnvVar{"A": {Value: "s1:a", Description: "of a"}}
			a.Domains = map[string]setops.Domain{"www.example.org": {StaticIP: true}}
			a.Releases = []setops.Release{{ID: 10, Digest: digest2, Tag: "v10"}, {ID: 9, Digest: digest1}}
			a.ActiveRelease = 10
			apps["new"] = a
		}, `
new created 
  container.command: - -> [sh -c 'echo it'\''s' '']
  container.health_check: - -> [/app check] every 10 s, timeout 10 s, 5 retries, start period 15 s
  network.public: - -> true
  release: - -> 10 (sha256:222222222222, tag v10)
  releases.9: - -> ` + digest1 + `
  releases.10: - -> ` + digest2 + `, tag v10
  env.A: - -> s1:a (secret)
  env.A.description: - -> of a
  domains.www.example.org: - -> not validated
  domains.www.example.org.static_ip: - -> true
`},
		"an app destroyed": {func(apps map[string]*setops.App) { delete(apps, "web") }, `
web destroyed its logs
  container.command: [puma] -> -
  container.entrypoint: [launcher] -> -
  container.health_check: [true] every 1 s, timeout 2 s, 3 retries, start period 4 s -> -
  container.start_timeout: 90 -> -
  container.stop_timeout: 120 -> -
  network.public: true -> -
  network.port: 3000 -> -
  network.health_check.path: /up -> -
  network.health_check.status: 200 -> -
  resources.cpu: 256 -> -
  resources.memory: 512 -> -
  resources.scale: 2 -> -
  release: 1 (sha256:111111111111) -> -
  env.COLOUR: s1:green -> - (secret)
  env.COLOUR.description: of the button -> -
  domains.example.com: validated -> -
  domains.example.com.primary: true -> -
  domains.taken.example.com: not validated -> -
  domains.www.example.com: not validated -> -
  domains.www.example.com.static_ip: true -> -
`},
		"back to defaults": {func(apps map[string]*setops.App) {
			web := apps["web"]
			web.Container.HealthCheck, web.Container.StartTimeout, web.Container.StopTimeout = nil, 0, 0
			web.Network.HealthCheckPath, web.Network.HealthCheckStatus = "", ""
			web.ActiveRelease = 0
		}, `
web changed 
  container.health_check: [true] every 1 s, timeout 2 s, 3 retries, start period 4 s -> -
  container.start_timeout: 90 -> 60
  container.stop_timeout: 120 -> 60
  network.health_check.path: /up -> /
  network.health_check.status: 200 -> 200-499
  release: 1 (sha256:111111111111) -> -
`},
		"options of domains": {func(apps map[string]*setops.App) {
			apps["web"].Domains["example.com"] = setops.Domain{Validated: true}
			apps["web"].Domains["www.example.com"] = setops.Domain{Primary: true, Validated: true, Direct: true}
		}, `
web changed 
  domains.example.com.primary: true -> false
  domains.www.example.com: not validated -> validated
  domains.www.example.com.primary: false -> true
  domains.www.example.com.redirect_to_primary: true -> false
  domains.www.example.com.static_ip: true -> false
`},
		"a value and its description": {func(apps map[string]*setops.App) {
			apps["web"].Env["COLOUR"] = setops.EnvVar{Value: "s1:red"}
		}, `
web changed 
  env.COLOUR: s1:green -> s1:red (secret)
  env.COLOUR.description: of the button -> -
`},
		"a value that becomes secret": {func(apps map[string]*setops.App) {
			apps["web"].Env["COLOUR"] = setops.EnvVar{Value: "s1:green", Description: "of the button", Secret: true}
		}, `
web changed 
  env.COLOUR.secret: - -> true
`},
		"a default that is set": {func(apps map[string]*setops.App) {
			apps["shop"].Container.StopTimeout = setops.DefaultStopTimeout
		}, `
shop changed 
`},
		"a default that turns a check on": {func(apps map[string]*setops.App) { apps["shop"].Network.HealthCheckPath = "/" }, `
shop changed 
  network.health_check.path: - -> /
`},
		"an app made anew without a release": {func(apps map[string]*setops.App) {
			apps["web"] = apps["web"].Clone()
			apps["web"].Committed, apps["web"].Releases, apps["web"].ActiveRelease = false, nil, 0
		}, `
web changed its logs
  release: 1 (sha256:111111111111) -> -
  releases.1: ` + digest1 + ` -> -
`},
		"an app made anew with other images": {func(apps map[string]*setops.App) {
			apps["web"].Committed, apps["web"].Releases = false, []setops.Release{{ID: 1, Digest: digest2, Tag: "v1"}}
		}, `
web changed 
  release: 1 (sha256:111111111111) -> 1 (sha256:222222222222, tag v1)
  releases.1: ` + digest1 + ` -> ` + digest2 + `, tag v1
`},
	} {
		t.Run(name, func(t *testing.T) {
			after := withDomains()
			test.change(after.Apps)
			if got := shown(changeset.Compare(withDomains(), after)); got != strings.TrimPrefix(test.want, "\n") {
				t.Errorf("got\n%s\nwant%s", got, test.want)
			}
		})
	}
}

func TestThereIsSomethingToShowExactlyWhereThereIsSomethingToDo(t *testing.T) {
	each(t, func(t *testing.T, r *rand.Rand) {
		s := states(r, 2)
		before, after := s[0], s[1]
		if r.IntN(4) == 0 {
			after = before.Clone()
		}
		shows := slices.ContainsFunc(changeset.Compare(before, after), func(c changeset.AppChange) bool { return !onlyLosesReleases(c, before, after) })
		shows = shows || len(changeset.CompareStage(before, after)) > 0
		if commands := changeset.Between(before, after); shows != (len(commands) > 0) {
			t.Errorf("%s\nand %s", shown(changeset.Compare(before, after)), written(commands))
		}
	})
}

// onlyLosesReleases reports a change that needs no command: releases are never destroyed by one.
func onlyLosesReleases(c changeset.AppChange, before, after setops.Spec) bool {
	lost := func(v changeset.ValueChange) bool { return strings.HasPrefix(v.Field, "releases.") && v.New == nil }
	was, is := before.Apps[c.Name], after.Apps[c.Name]
	if was == nil || is == nil || len(c.Values) == 0 {
		return false
	}
	return !slices.ContainsFunc(c.Values, func(v changeset.ValueChange) bool { return !lost(v) }) && dump(bare(was)) == dump(bare(is))
}

// bare is a spec of one app without its releases.
func bare(a *setops.App) setops.Spec {
	a = a.Clone()
	a.Releases, a.Committed = nil, false
	return setops.Spec{Apps: map[string]*setops.App{"app": a}}
}

func TestTheWayBackShowsTheSameValuesTheOtherWayRound(t *testing.T) {
	each(t, func(t *testing.T, r *rand.Rand) {
		s := states(r, 2)
		there, back := changeset.Compare(s[0], s[1]), changeset.Compare(s[1], s[0])
		for _, all := range [][]changeset.AppChange{there, back} {
			for i := range all {
				all[i].Lost = nil
				if all[i].Change != changeset.Changed { // of a destroyed app the list of releases is left out
					all[i].Values = slices.DeleteFunc(all[i].Values, func(v changeset.ValueChange) bool { return strings.HasPrefix(v.Field, "releases.") })
				}
			}
		}
		for i := range back {
			back[i].Change = map[changeset.Change]changeset.Change{
				changeset.Changed: changeset.Changed, changeset.Created: changeset.Destroyed, changeset.Destroyed: changeset.Created,
			}[back[i].Change]
			for k, v := range back[i].Values {
				back[i].Values[k].Old, back[i].Values[k].New = v.New, v.Old
			}
		}
		if shown(there) != shown(back) {
			t.Errorf("there %s\nback %s", shown(there), shown(back))
		}
	})
}
