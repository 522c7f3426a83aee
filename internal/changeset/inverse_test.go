package changeset_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/setopsco/setops/internal/changeset"
	"github.com/setopsco/setops/internal/setops"
)

// edit is a change of a stage by hand.
type edit = func(map[string]*setops.App)

func TestACommitIsTakenBackValueByValue(t *testing.T) {
	setScale := func(n int) edit { return func(apps map[string]*setops.App) { apps["web"].Resources.Scale = n } }
	setEnv := func(value setops.Sealed, description string) edit {
		return func(apps map[string]*setops.App) {
			apps["web"].Env["COLOUR"] = setops.EnvVar{Value: value, Description: description}
		}
	}
	setDomain := func(app, name string, d setops.Domain) edit {
		return func(apps map[string]*setops.App) {
			if apps[app].Domains == nil {
				apps[app].Domains = map[string]setops.Domain{}
			}
			apps[app].Domains[name] = d
		}
	}
	noDomain := func(app, name string) edit {
		return func(apps map[string]*setops.App) { delete(apps[app].Domains, name) }
	}
	create := func(apps map[string]*setops.App) { apps["new"] = setops.NewApp("new") }
	destroy := func(name string) edit { return func(apps map[string]*setops.App) { delete(apps, name) } }
	both := func(a, b edit) edit { return func(apps map[string]*setops.App) { a(apps); b(apps) } }
	release := func(id int, digest string) edit {
		return func(apps map[string]*setops.App) {
			apps["web"].Releases = append(apps["web"].Releases, setops.Release{ID: id, Digest: digest})
			apps["web"].ActiveRelease = id
		}
	}
	tcp := func(apps map[string]*setops.App) {
		apps["web"] = setops.NewApp("web")
		apps["web"].Network.Protocol, apps["web"].Committed = setops.TCP, true
		apps["web"].Releases, apps["web"].ActiveRelease = []setops.Release{{ID: 1, Digest: digest2}}, 1
	}
	for name, test := range map[string]struct {
		commit, later edit
		left          edit // how what is reached differs from what was
		conflicts     string
	}{
		"nothing later":               {setScale(3), nil, nil, ""},
		"something else later":        {setScale(3), setEnv("s1:red", ""), setEnv("s1:red", ""), ""},
		"back already":                {setScale(3), setScale(2), nil, ""},
		"changed again":               {setScale(3), setScale(4), nil, "web resources.scale: a later commit changed it again"},
		"a description changed later": {setEnv("s1:red", "d"), setEnv("s1:red", "e"), nil, "web env.COLOUR: a later commit changed it again"},
		"another release":             {release(2, digest2), nil, release(2, digest2), ""},
		"created":                     {create, nil, nil, ""},
		"created, and gone":           {create, destroy("new"), nil, ""},
		"created, and changed": {
			create, func(apps map[string]*setops.App) { apps["new"].Network.Port = 80 }, nil,
			"new : it was created by the commit and changed later; all of it is destroyed",
		},
		"created, and given releases that never ran": {
			create, func(apps map[string]*setops.App) { apps["new"].Releases = []setops.Release{{ID: 1, Digest: digest2}} }, nil, "",
		},
		"destroyed": {destroy("web"), nil, nil, ""},
		"destroyed, and created again": {
			destroy("web"), func(apps map[string]*setops.App) { apps["web"] = setops.NewApp("web") }, nil,
			"web : it was destroyed by the commit and created again later; it becomes what it was before",
		},
		"destroyed, and back already": {
			destroy("web"), func(apps map[string]*setops.App) { apps["web"] = withDomains().Apps["web"] }, nil, "",
		},
		"changed, and gone":   {setScale(3), destroy("web"), destroy("web"), "web : it was destroyed later, and stays so"},
		"untouched, and gone": {setScale(3), destroy("proxy"), destroy("proxy"), ""},
		"made anew":           {tcp, nil, nil, ""},
		"made anew, and scaled": {
			tcp, setScale(3), nil, "web resources.scale: a later commit changed it again",
		},
		"a domain that another app has now": {
			noDomain("web", "example.com"), setDomain("shop", "example.com", setops.Domain{Validated: true}),
			both(noDomain("web", "example.com"), setDomain("shop", "example.com", setops.Domain{Validated: true})),
			"web domains.example.com: another app has validated it meanwhile; it is left as it is",
		},
		"a domain that another app had validated before": {noDomain("web", "taken.example.com"), nil, nil, ""},
		"a domain of an app that is back": {
			destroy("web"), setDomain("shop", "example.com", setops.Domain{Validated: true}),
			both(noDomain("web", "example.com"), setDomain("shop", "example.com", setops.Domain{Validated: true})),
			"web domains.example.com: another app has validated it meanwhile; it is left as it is",
		},
		"a domain that was given up, and that another app has now": {
			setDomain("web", "example.com", setops.Domain{Primary: true}), setDomain("shop", "example.com", setops.Domain{Validated: true}),
			both(setDomain("web", "example.com", setops.Domain{Primary: true}), setDomain("shop", "example.com", setops.Domain{Validated: true})),
			"web domains.example.com: another app has validated it meanwhile; it is left as it is",
		},
		"an option of a domain that another app has now": {
			setDomain("web", "www.example.com", setops.Domain{}), setDomain("shop", "www.example.com", setops.Domain{Validated: true}),
			setDomain("shop", "www.example.com", setops.Domain{Validated: true}), "",
		},
		"another primary domain": {
			both(setDomain("web", "example.com", setops.Domain{Validated: true}), setDomain("web", "www.example.com", setops.Domain{Primary: true})), nil, nil, "",
		},
		"another primary domain since": {
			setDomain("web", "example.com", setops.Domain{Validated: true}), setDomain("web", "a.example", setops.Domain{Primary: true}),
			setDomain("web", "a.example", setops.Domain{}),
			"web domains.a.example: a later commit made it the primary domain; that is the one of before again",
		},
		"a path of what speaks tcp now": {
			func(apps map[string]*setops.App) { apps["web"].Network.HealthCheckPath = "/x" }, tcp,
			func(apps map[string]*setops.App) { tcp(apps) }, "web network.health_check.path: a later commit changed it again",
		},
	} {
		t.Run(name, func(t *testing.T) {
			was := committed(withDomains())
			made := changedBy(was, test.commit)
			now := changedBy(made, test.later)
			target, conflicts := changeset.Inverse(was, made, now)
			if got := listed(conflicts); got != test.conflicts {
				t.Errorf("conflicts: %q", got)
			}
			want := changedBy(was, test.left)
			if name == "another release" {
				want.Apps["web"].ActiveRelease = 1
			}
			if got := settings(t, target); got != settings(t, want) {
				t.Errorf("got %s\nwant %s", got, settings(t, want))
			}
		})
	}
}

func changedBy(s setops.Spec, f edit) setops.Spec {
	s = s.Clone()
	if f != nil {
		f(s.Apps)
	}
	return s
}

func listed(conflicts []changeset.Conflict) string {
	lines := make([]string, len(conflicts))
	for i, c := range conflicts {
		lines[i] = fmt.Sprintf("%s %s: %s", c.App, c.Field, c.Message)
	}
	return strings.Join(lines, "\n")
}

func TestTheListOfReleasesStaysButForWhatIsActiveAndWhatWasTakenFromIt(t *testing.T) {
	web := func(active int, releases ...setops.Release) setops.Spec {
		a := setops.NewApp("web")
		a.Committed, a.Releases, a.ActiveRelease = true, releases, active
		return setops.Spec{Apps: map[string]*setops.App{"web": a}}
	}
	one, two, other := setops.Release{ID: 1, Digest: digest1}, setops.Release{ID: 2, Digest: digest2}, setops.Release{ID: 1, Digest: digest2}
	for name, test := range map[string]struct {
		was, made, now setops.Spec
		active         int
		want           []setops.Release
	}{
		"it stays":                     {web(1, one), web(2, one, two), web(2, one, two), 1, []setops.Release{one, two}},
		"one that was cleaned up":      {web(1, one), web(2, one, two), web(2, two), 1, []setops.Release{one, two}},
		"made anew":                    {web(2, one, two), web(0), web(0), 2, []setops.Release{one, two}},
		"made anew with other images":  {web(2, one, two), web(1, other), web(1, other), 2, []setops.Release{one, two}},
		"what is active now is active": {web(0, one), web(0), web(1, other), 1, []setops.Release{other}},
	} {
		target, conflicts := changeset.Inverse(test.was, test.made, test.now)
		if a := target.Apps["web"]; a.ActiveRelease != test.active || !slices.Equal(a.Releases, test.want) || len(conflicts) > 0 {
			t.Errorf("%s: %d of %v, conflicts %v", name, a.ActiveRelease, a.Releases, conflicts)
		}
	}
}

func TestTakingBackTheLastCommitGivesWhatWas(t *testing.T) {
	each(t, func(t *testing.T, r *rand.Rand) {
		s := states(r, 2)
		target, conflicts := changeset.Inverse(s[0], s[1], s[1])
		if len(conflicts) > 0 {
			t.Errorf("conflicts: %s", listed(conflicts))
		}
		if got, want := settings(t, target), settings(t, s[0]); got != want {
			t.Errorf("got %s\nwant %s", got, want)
		}
		for name, a := range s[0].Apps {
			hasReleases(t, target.Apps[name], a.Releases)
		}
	})
}

// threeStates are what was, what a commit made of it and what is now, which may have nothing to do with each other.
func threeStates(r *rand.Rand) (was, made, now setops.Spec) {
	if r.IntN(2) == 0 {
		s := states(r, 3)
		return s[0], s[1], s[2]
	}
	return states(r, 1)[0], states(r, 1)[0], states(r, 1)[0]
}

func TestWhatACommitIsTakenBackToCanBeReached(t *testing.T) {
	each(t, func(t *testing.T, r *rand.Rand) {
		was, made, now := threeStates(r)
		before := sorted(dump(was)) + sorted(dump(made)) + sorted(dump(now))
		target, conflicts := changeset.Inverse(was, made, now)
		commands := changeset.Between(now, target)
		if got, want := settings(t, folded(t, now, commands)), settings(t, target); got != want {
			t.Errorf("%s\nmake %s\nnot %s", written(commands), got, want)
		}
		again, same := changeset.Inverse(was, made, now)
		if settings(t, again) != settings(t, target) || !slices.Equal(conflicts, same) {
			t.Errorf("once %s\nthen %s", listed(conflicts), listed(same))
		}
		for name, a := range target.Apps { // nothing of it is shared
			if present := now.Apps[name]; a.Committed != (present != nil && present.Committed) {
				t.Errorf("app %s: committed is %v", name, a.Committed)
			}
			a.Env, a.Resources.Scale = nil, -1
			clear(a.Domains)
			clear(a.Releases)
			clear(a.Container.Command)
		}
		if sorted(dump(was))+sorted(dump(made))+sorted(dump(now)) != before {
			t.Error("the states have changed")
		}
	})
}

func TestWhatTheCommitDidNotChangeStaysAsItIs(t *testing.T) {
	each(t, func(t *testing.T, r *rand.Rand) {
		was, made, now := threeStates(r)
		target, conflicts := changeset.Inverse(was, made, now)
		for name := range now.Apps {
			w, m, n, reached := was.Apps[name], made.Apps[name], now.Apps[name], target.Apps[name]
			if w == nil && m == nil && dump(bare(n)) != dump(bare(reached)) {
				t.Errorf("app %s, which the commit did not touch, becomes another one", name)
			}
			if w == nil || m == nil {
				continue
			}
			olds, sets, ares, gots := values(t, w), values(t, m), values(t, n), values(t, reached)
			for field := range merged(olds, sets, ares, gots) {
				old, set, is, got := olds[field], sets[field], ares[field], gots[field]
				want := old
				if old == set {
					want = is
				}
				i := slices.IndexFunc(conflicts, func(c changeset.Conflict) bool { return c.App == name && c.Field == field })
				clash, conflict := old != set && is != set && is != old, i >= 0
				if clash && !conflict || !clash && conflict && strings.Contains(conflicts[i].Message, "changed it again") {
					t.Errorf("app %s: %s was %s, was set to %s, is %s: conflict %v", name, field, old, set, is, conflict)
				}
				if got != want && !conflict {
					t.Errorf("app %s: %s was %s, was set to %s, is %s, and becomes %s", name, field, old, set, is, got)
				}
			}
		}
	})
}

// values are the settings, variables and domains of an app by the fields of Compare, as its JSON has them.
func values(t *testing.T, a *setops.App) map[string]string {
	t.Helper()
	text, err := json.Marshal(a)
	if err != nil {
		t.Fatal(err)
	}
	var groups map[string]json.RawMessage
	if err := json.Unmarshal(text, &groups); err != nil {
		t.Fatal(err)
	}
	r, _ := a.Release(a.ActiveRelease)
	all := map[string]string{"release": fmt.Sprint(a.ActiveRelease, r.Digest, r.Tag)}
	for _, group := range []string{"container", "network", "resources", "env", "domains"} {
		var values map[string]json.RawMessage
		if err := json.Unmarshal(groups[group], &values); err != nil && groups[group] != nil {
			t.Fatal(err)
		}
		for name, value := range values {
			if group == "network" {
				name = strings.ReplaceAll(name, "health_check_", "health_check.")
			}
			all[group+"."+name] = string(value)
		}
	}
	return all
}

func merged(all ...map[string]string) map[string]string {
	m := map[string]string{}
	for _, one := range all {
		maps.Copy(m, one)
	}
	return m
}
