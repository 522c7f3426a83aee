package changeset_test

import (
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/setopsco/setops/internal/changeset"
	"github.com/setopsco/setops/internal/setops"
)

func TestTheCommandsBetweenTwoStatesAreFewAndInOrder(t *testing.T) {
	for name, test := range map[string]struct {
		change func(map[string]*setops.App)
		want   string
	}{
		"nothing": {func(map[string]*setops.App) {}, ""},
		"an app created with all there is": {func(apps map[string]*setops.App) {
			a := stage().Apps["web"]
			a.Name = "new"
			a.Domains = map[string]setops.Domain{"a.example": {Primary: true, Validated: true, StaticIP: true}}
			a.Releases = []setops.Release{{ID: 7, Digest: digest2, Tag: "v7", CreatedAt: time.Unix(1, 0).UTC(), CreatedBy: "ada"}}
			a.ActiveRelease = 7
			apps["new"] = a
		}, `
app:create {"name":"new"}
app:container:set {"name":"new","command":["puma"],"entrypoint":["launcher"],"health_check":{"command":["true"],"interval":1,"timeout":2,"retries":3,"start_period":4},"start_timeout":90,"stop_timeout":120}
app:network:set {"name":"new","public":true,"port":3000,"health_check_path":"/up","health_check_status":"200"}
app:resource:set {"name":"new","cpu":256,"memory":512,"scale":2}
app:env:set {"name":"new","key":"COLOUR","value":"s1:green","description":"of the button"}
app:release:create {"name":"new","release_digest":"` + digest2 + `","release_id":7,"tag":"v7","created_at":"1970-01-01T00:00:01Z","created_by":"ada"}
app:release:set {"name":"new","release_id":7}
app:domain:create {"name":"new","domain":"a.example","primary":true}
app:domain:validate {"name":"new","domain":"a.example"}
app:domain:option:set {"name":"new","domain":"a.example","static_ip":true}
`},
		"an app destroyed": {func(apps map[string]*setops.App) { delete(apps, "proxy") }, `
app:destroy {"name":"proxy"}
`},
		"all back to never set": {func(apps map[string]*setops.App) {
			web := setops.NewApp("web")
			web.Releases = apps["web"].Releases
			apps["web"] = web
		}, `
app:domain:destroy {"name":"web","domain":"example.com"}
app:domain:destroy {"name":"web","domain":"taken.example.com"}
app:domain:destroy {"name":"web","domain":"www.example.com"}
app:container:unset {"name":"web","fields":["command","entrypoint","health_check","start_timeout","stop_timeout"]}
app:network:unset {"name":"web","fields":["health_check_path","health_check_status"]}
app:network:set {"name":"web","public":false,"port":5000}
app:resource:set {"name":"web","cpu":128,"memory":256,"scale":1}
app:env:unset {"name":"web","key":"COLOUR"}
app:release:unset {"name":"web"}
`},
		"a description that vanishes": {func(apps map[string]*setops.App) {
			apps["web"].Env["COLOUR"] = setops.EnvVar{Value: "s1:green"}
		}, `
app:env:unset {"name":"web","key":"COLOUR"}
app:env:set {"name":"web","key":"COLOUR","value":"s1:green"}
`},
		"releases that are not there any more stay": {func(apps map[string]*setops.App) {
			apps["web"].Releases = []setops.Release{{ID: 2, Digest: digest2}}
			apps["web"].ActiveRelease = 2
		}, `
app:release:create {"name":"web","release_digest":"` + digest2 + `","release_id":2}
app:release:set {"name":"web","release_id":2}
`},
		"another image by the same number": {func(apps map[string]*setops.App) {
			apps["web"] = setops.NewApp("web")
			apps["web"].Releases = []setops.Release{{ID: 1, Digest: digest2}}
		}, `
app:destroy {"name":"web"}
app:create {"name":"web"}
app:release:create {"name":"web","release_digest":"` + digest2 + `","release_id":1}
`},
		"a protocol that was never committed": {func(apps map[string]*setops.App) {
			apps["proxy"].Network.Protocol = setops.HTTP
			apps["proxy"].Domains = map[string]setops.Domain{"a.example": {}}
		}, `
app:network:set {"name":"proxy","protocol":"http"}
app:domain:create {"name":"proxy","domain":"a.example"}
`},
		"a protocol that was committed": {func(apps map[string]*setops.App) {
			apps["web"] = setops.NewApp("web")
			apps["web"].Network.Protocol = setops.TCP
		}, `
app:destroy {"name":"web"}
app:create {"name":"web"}
app:network:set {"name":"web","protocol":"tcp"}
`},
		"a primary domain that moves": {func(apps map[string]*setops.App) {
			apps["web"].Domains["example.com"] = setops.Domain{Validated: true}
			apps["web"].Domains["www.example.com"] = setops.Domain{Primary: true}
		}, `
app:domain:option:set {"name":"web","domain":"www.example.com","primary":true,"static_ip":false}
`},
		"a variable that is not secret any more": {func(apps map[string]*setops.App) {
			delete(apps["web"].Env, "COLOUR")
			apps["shop"].Env = map[string]setops.EnvVar{"A": {Value: "s1:x", Secret: true}}
		}, `
app:env:set {"name":"shop","key":"A","value":"s1:x","secret":true}
app:env:unset {"name":"web","key":"COLOUR"}
`},
		"no primary domain any more": {func(apps map[string]*setops.App) {
			apps["web"].Domains["example.com"] = setops.Domain{Validated: true}
		}, `
app:domain:option:set {"name":"web","domain":"example.com","primary":false}
`},
		"a domain that is not validated any more": {func(apps map[string]*setops.App) {
			apps["web"].Domains["example.com"] = setops.Domain{Primary: true}
		}, `
app:domain:destroy {"name":"web","domain":"example.com"}
app:domain:create {"name":"web","domain":"example.com","primary":true}
`},
		"a validated domain that changes its app": {func(apps map[string]*setops.App) {
			delete(apps["shop"].Domains, "taken.example.com")
			apps["web"].Domains["taken.example.com"] = setops.Domain{Validated: true}
		}, `
app:domain:destroy {"name":"shop","domain":"taken.example.com"}
app:domain:validate {"name":"web","domain":"taken.example.com"}
`},
		"a domain that another app has validated": {func(apps map[string]*setops.App) {
			apps["shop"].Domains["example.com"] = setops.Domain{}
		}, `
app:domain:destroy {"name":"web","domain":"example.com"}
app:domain:create {"name":"shop","domain":"example.com"}
app:domain:create {"name":"web","domain":"example.com","primary":true}
app:domain:validate {"name":"web","domain":"example.com"}
`},
	} {
		t.Run(name, func(t *testing.T) {
			to := withDomains()
			test.change(to.Apps)
			commands := changeset.Between(withDomains(), to)
			if got := written(commands); got != strings.TrimPrefix(test.want, "\n") {
				t.Errorf("got\n%s\nwant%s", got, test.want)
			}
			if got, want := settings(t, folded(t, withDomains(), commands)), settings(t, to); got != want {
				t.Errorf("they make %s\nnot %s", got, want)
			}
		})
	}
}

func TestAVectorOfOneWordIsTakenAsItIs(t *testing.T) {
	words := []string{"puma", "a b", "it's one", "' '", `"a b"`, `a\ b`, " \\", "# c", "a\nb", "a\tb\r", "\n", " ", "'\\'' '", "ä ö", `sh -c "echo 'x'"`}
	each(t, func(_ *testing.T, r *rand.Rand) {
		word := make([]rune, 1+r.IntN(8))
		for i := range word {
			word[i] = []rune("ab \t\n\r'\"\\#$ö")[r.IntN(12)]
		}
		words = append(words, string(word))
	})
	for _, word := range words {
		to := stage()
		to.Apps["web"].Container.Command, to.Apps["web"].Container.Entrypoint = []string{word}, []string{word}
		to.Apps["web"].Container.HealthCheck.Command = []string{word}
		after := folded(t, stage(), changeset.Between(stage(), to))
		if got := after.Apps["web"].Container; !reflect.DeepEqual(got, to.Apps["web"].Container) {
			t.Errorf("%q became %q, %q and %q", word, got.Command, got.Entrypoint, got.HealthCheck.Command)
		}
	}
}

func TestAnEnvironmentCloseToTheLimitCanBeChanged(t *testing.T) {
	long := setops.Sealed("s1:" + strings.Repeat("x", 1<<20))
	from, to := stage(), stage()
	from.Apps["web"].Env = map[string]setops.EnvVar{"A": {Value: "s1:x"}, "B": {Value: long}, "GONE": {Value: "s1:x"}}
	to.Apps["web"].Env = map[string]setops.EnvVar{"A": {Value: long}, "B": {Value: "s1:x"}}
	if got, want := settings(t, folded(t, from, changeset.Between(from, to))), settings(t, to); got != want {
		t.Error("the environment is another one")
	}
}

func TestWhatIsBetweenTwoStatesMakesTheOneTheOther(t *testing.T) {
	each(t, func(t *testing.T, r *rand.Rand) {
		from, to := states(r, 1)[0], states(r, 1)[0]
		if r.IntN(2) == 0 { // protocols can change while an app is not committed
			from = from.Clone()
			for _, a := range from.Apps {
				a.Committed = false
			}
		}
		was := dump(from)
		commands := changeset.Between(from, to)
		after := folded(t, from, commands)
		if got, want := settings(t, after), settings(t, to); got != want {
			t.Errorf("%s\nmake %s\nnot %s", written(commands), got, want)
		}
		for name, a := range to.Apps {
			hasReleases(t, after.Apps[name], a.Releases)
			if old := from.Apps[name]; old != nil && !slices.ContainsFunc(commands, destroys(name)) {
				hasReleases(t, after.Apps[name], old.Releases)
			}
		}
		if left := changeset.Between(after, to); len(left) > 0 {
			t.Errorf("there is still a way to go: %s", written(left))
		}
		if again := changeset.Between(from, to); !reflect.DeepEqual(commands, again) || sorted(dump(from)) != sorted(was) {
			t.Errorf("once %s\nthen %s", written(commands), written(again))
		}
	})
}

// sorted makes one text of dumps of equal specs.
func sorted(dump string) string {
	lines := strings.Split(dump, "\n")
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

func hasReleases(t *testing.T, a *setops.App, releases []setops.Release) {
	t.Helper()
	for _, r := range releases {
		if got, ok := a.Release(r.ID); !ok || got.Digest != r.Digest {
			t.Errorf("app %s has the release %v as %v", a.Name, r, got)
		}
	}
}

func destroys(app string) func(changeset.Command) bool {
	return func(c changeset.Command) bool { return reflect.DeepEqual(c, &changeset.AppDestroy{AppName: app}) }
}

func TestNoCommandBetweenTwoStatesCouldBeLeftOut(t *testing.T) {
	each(t, func(t *testing.T, r *rand.Rand) {
		from, to := states(r, 1)[0], states(r, 1)[0]
		commands := changeset.Between(from, to)
		want := settings(t, folded(t, from, commands))
		for i, c := range commands {
			if _, isRelease := c.(*changeset.ReleaseCreate); isRelease {
				continue // settings does not see them
			}
			fewer := slices.Delete(slices.Clone(commands), i, i+1)
			after, problems := changeset.Fold(from, fewer)
			if len(problems) == 0 && settings(t, after) == want {
				t.Errorf("without %s it is the same", written(commands[i:i+1]))
			}
		}
		if all := changeset.Between(from, from.Clone()); len(all) > 0 {
			t.Errorf("from a state to itself: %s", written(all))
		}
	})
}

func TestCommandsBetweenTwoStatesSurviveTheStore(t *testing.T) {
	each(t, func(t *testing.T, r *rand.Rand) {
		for _, c := range changeset.Between(states(r, 1)[0], states(r, 1)[0]) {
			text, err := changeset.Encode(c)
			if err != nil {
				t.Fatal(err)
			}
			if back, err := changeset.Decode(c.Name(), text); err != nil || !reflect.DeepEqual(c, back) {
				t.Errorf("%s: %#v, %v", text, back, err)
			}
		}
	})
}
