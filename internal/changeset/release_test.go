package changeset_test

import (
	"encoding/json"
	"reflect"
	"slices"
	"testing"

	"github.com/setopsco/setops/internal/changeset"
	"github.com/setopsco/setops/internal/setops"
)

func activation(id int, argv ...string) *changeset.ReleaseActivate {
	return &changeset.ReleaseActivate{AppName: "web", ID: id, Before: argv}
}

func TestTheTaskBeforeActivationIsThatOfTheLastActivation(t *testing.T) {
	second := &changeset.ReleaseCreate{AppName: "web", Digest: digest2, ID: 2}
	migrate := []string{"bin/migrate", "--all"}
	for name, test := range map[string]struct {
		commands []changeset.Command
		want     map[string][]string
	}{
		"none":                          {[]changeset.Command{second, activation(2)}, map[string][]string{}},
		"one":                           {[]changeset.Command{second, activation(2, migrate...)}, map[string][]string{"web": migrate}},
		"of the release that is active": {[]changeset.Command{activation(1, migrate...)}, map[string][]string{"web": migrate}},
		"another one":                   {[]changeset.Command{activation(1, "x"), activation(1, migrate...)}, map[string][]string{"web": migrate}},
		"taken back":                    {[]changeset.Command{activation(1, migrate...), activation(1)}, map[string][]string{}},
		"of a release that is not active in the end": {
			[]changeset.Command{second, activation(2, migrate...), activation(1)}, map[string][]string{},
		},
		"that does not apply":    {[]changeset.Command{activation(9, migrate...)}, map[string][]string{}},
		"of an app that is gone": {[]changeset.Command{activation(1, migrate...), &changeset.AppDestroy{AppName: "web"}}, map[string][]string{}},
		"of an app that is made anew": {
			[]changeset.Command{
				activation(1, migrate...), &changeset.AppDestroy{AppName: "web"}, &changeset.AppCreate{AppName: "web"},
			},
			map[string][]string{},
		},
		"beside others": {
			[]changeset.Command{activation(1, migrate...), &changeset.ResourceSet{AppName: "web", Scale: new(3)}, &changeset.AppDestroy{AppName: "proxy"}},
			map[string][]string{"web": migrate},
		},
	} {
		t.Run(name, func(t *testing.T) {
			after, _ := changeset.Fold(stage(), test.commands)
			if got := changeset.Gates(after, test.commands); !reflect.DeepEqual(got, test.want) {
				t.Errorf("got %v", got)
			}
		})
	}
}

func TestATaskBeforeActivationIsNoPartOfTheSpec(t *testing.T) {
	with, _ := changeset.Fold(stage(), []changeset.Command{activation(1, "bin/migrate")})
	without, _ := changeset.Fold(stage(), []changeset.Command{activation(1)})
	if dump(setops.Spec{Apps: map[string]*setops.App{"web": with.Apps["web"]}}) != dump(setops.Spec{Apps: map[string]*setops.App{"web": without.Apps["web"]}}) {
		t.Errorf("%s\nis not\n%s", dump(with), dump(without))
	}
}

func TestATaskBeforeActivationNeedsAProgram(t *testing.T) {
	for name, argv := range map[string][]string{"empty": {""}, "a NUL": {"sh", "a\x00"}} {
		after, problems := changeset.Fold(stage(), []changeset.Command{activation(1, argv...)})
		if len(problems) != 1 || problems[0].Err.Code != setops.ValidationFailed || after.Apps["web"].ActiveRelease != 1 {
			t.Errorf("%s: %v", name, problems)
		}
	}
}

func TestAnActivationIsShownAndStoredWithItsTask(t *testing.T) {
	for _, c := range []*changeset.ReleaseActivate{activation(3), activation(3, "bin/migrate", "a b")} {
		raw, err := changeset.Encode(c)
		if err != nil {
			t.Fatal(err)
		}
		again, err := changeset.Decode(c.Name(), raw)
		if err != nil || !reflect.DeepEqual(again, c) {
			t.Errorf("%+v, %v", again, err)
		}
		shown, err := json.Marshal(c.Arguments())
		if err != nil || string(shown) != map[bool]string{
			false: `{"name":"web","release_id":3}`, true: `{"before":["bin/migrate","a b"],"name":"web","release_id":3}`,
		}[len(c.Before) > 0] {
			t.Errorf("%s, %v", shown, err)
		}
	}
}

func TestAfterADeployItIsWhatMendsItThatIsCommitted(t *testing.T) {
	const scope = "setops -p shop -s production"
	const digest = "sha256:2b51cdaabcdc9c35b36e998ec81d2ed8507def0e4709a4d5003414e727e67fa9"
	deploy := func(before ...string) []changeset.Command {
		return []changeset.Command{&changeset.ReleaseCreate{AppName: "web", Digest: digest, ID: 3}, &changeset.ReleaseActivate{AppName: "web", ID: 3, Before: before}}
	}
	again := scope + " --app web release:deploy " + digest
	for _, test := range []struct {
		commands    []changeset.Command
		lines, next []string
	}{
		{deploy(), []string{scope + " --app web log --task x", scope + " changeset:commit"}, []string{scope + " --app web log --task x", again}},
		{
			deploy(),
			[]string{scope + " --app web resource:set memory 512", scope + " changeset:commit"},
			[]string{scope + " --app web resource:set memory 512", scope + " changeset:commit", again},
		},
		{
			deploy("rake"),
			[]string{scope + " --app web release:activate 3 --before -- PROGRAM", scope + " changeset:show x", scope + " changeset:commit"},
			[]string{again + " -- ARGV"},
		},
		{deploy(), []string{scope + " changeset:info", scope + " changeset:discard"}, nil},
	} {
		c := changeset.Commit{Unstaged: true, Changeset: changeset.Changeset{Commands: test.commands}}
		if got := (changeset.Failure{Next: test.lines}).Of(c); !got.Dropped || !slices.Equal(got.Next, test.next) {
			t.Errorf("%q: %+v", test.lines, got)
		}
	}
}
