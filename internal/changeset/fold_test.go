package changeset_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/setopsco/setops/internal/changeset"
	"github.com/setopsco/setops/internal/setops"
)

const (
	digest1 = "sha256:1111111111111111111111111111111111111111111111111111111111111111"
	digest2 = "sha256:2222222222222222222222222222222222222222222222222222222222222222"
)

// stage is what the tests fold onto: a committed http app with everything set, and a tcp app that is not committed yet.
func stage() setops.Spec {
	web := setops.NewApp("web")
	web.Committed = true
	web.Container = setops.Container{
		Command: []string{"puma"}, Entrypoint: []string{"launcher"}, StartTimeout: 90, StopTimeout: 120,
		HealthCheck: &setops.HealthCheck{Command: []string{"true"}, Interval: 1, Timeout: 2, Retries: 3, StartPeriod: 4},
	}
	web.Resources = setops.Resources{CPU: 256, Memory: 512, Scale: 2}
	web.Network = setops.Network{Protocol: setops.HTTP, Public: true, Port: 3000, HealthCheckPath: "/up", HealthCheckStatus: "200"}
	web.Env = map[string]setops.EnvVar{"COLOUR": {Value: "s1:green", Description: "of the button"}}
	web.Releases = []setops.Release{{ID: 1, Digest: digest1}}
	web.ActiveRelease = 1
	proxy := setops.NewApp("proxy")
	proxy.Network.Protocol = setops.TCP
	return setops.Spec{Apps: map[string]*setops.App{"web": web, "proxy": proxy}}
}

func TestCommandsChangeTheirAppAndNothingElse(t *testing.T) {
	for name, test := range map[string]struct {
		command changeset.Command
		change  func(map[string]*setops.App) // of the stage, by hand
	}{
		"app:create": {&changeset.AppCreate{AppName: "new"}, func(apps map[string]*setops.App) {
			apps["new"] = &setops.App{
				Name:      "new",
				Resources: setops.Resources{CPU: 128, Memory: 256, Scale: 1}, Network: setops.Network{Protocol: "http", Port: 5000},
			}
		}},
		"app:destroy": {&changeset.AppDestroy{AppName: "web"}, func(apps map[string]*setops.App) { delete(apps, "web") }},
		"container:set command": {
			&changeset.ContainerSet{AppName: "web", Command: []string{"rake", "a b"}},
			func(apps map[string]*setops.App) { apps["web"].Container.Command = []string{"rake", "a b"} },
		},
		"container:set splits one word with spaces": {
			&changeset.ContainerSet{AppName: "web", Entrypoint: []string{`sh -c "echo 'a b'"`}},
			func(apps map[string]*setops.App) {
				apps["web"].Container.Entrypoint = []string{"sh", "-c", "echo 'a b'"}
			},
		},
		"container:set health-check fills in defaults": {
			&changeset.ContainerSet{AppName: "web", HealthCheck: &changeset.HealthCheck{Command: []string{"curl", "-f"}, Retries: new(7)}},
			func(apps map[string]*setops.App) {
				apps["web"].Container.HealthCheck = &setops.HealthCheck{
					Command: []string{"curl", "-f"}, Interval: 10, Timeout: 10, Retries: 7, StartPeriod: 15,
				}
			},
		},
		"container:set timeouts": {
			&changeset.ContainerSet{AppName: "web", StartTimeout: new(30), StopTimeout: new(60)},
			func(apps map[string]*setops.App) {
				apps["web"].Container.StartTimeout, apps["web"].Container.StopTimeout = 30, 60
			},
		},
		"container:unset": {
			&changeset.ContainerUnset{AppName: "web", Fields: []string{"command", "entrypoint", "health_check", "start_timeout", "stop_timeout"}},
			func(apps map[string]*setops.App) { apps["web"].Container = setops.Container{} },
		},
		"resource:set": {
			&changeset.ResourceSet{AppName: "web", CPU: new(1024), Memory: new(128), Scale: new(0)},
			func(apps map[string]*setops.App) {
				apps["web"].Resources = setops.Resources{CPU: 1024, Memory: 128, Scale: 0}
			},
		},
		"resource:unset": {
			&changeset.ResourceUnset{AppName: "web", Fields: []string{"cpu", "memory", "scale"}},
			func(apps map[string]*setops.App) {
				apps["web"].Resources = setops.Resources{CPU: 128, Memory: 256, Scale: 1}
			},
		},
		"network:set": {
			&changeset.NetworkSet{AppName: "web", Public: new(false), Port: new(80), HealthCheckPath: new("/x"), HealthCheckStatus: new("200-299,301")},
			func(apps map[string]*setops.App) {
				apps["web"].Network = setops.Network{Protocol: "http", Port: 80, HealthCheckPath: "/x", HealthCheckStatus: "200-299,301"}
			},
		},
		"network:set protocol before the first commit": {
			&changeset.NetworkSet{AppName: "proxy", Protocol: new(setops.HTTP), HealthCheckPath: new("/up")},
			func(apps map[string]*setops.App) {
				apps["proxy"].Network.Protocol, apps["proxy"].Network.HealthCheckPath = setops.HTTP, "/up"
			},
		},
		"network:set protocol as it is": {
			&changeset.NetworkSet{AppName: "web", Protocol: new(setops.HTTP)}, func(map[string]*setops.App) {},
		},
		"network:unset": {
			&changeset.NetworkUnset{AppName: "web", Fields: []string{"protocol", "public", "port", "health_check_path", "health_check_status"}},
			func(apps map[string]*setops.App) {
				apps["web"].Network = setops.Network{Protocol: "http", Port: 5000}
			},
		},
		"env:set keeps the description": {
			&changeset.EnvSet{AppName: "web", Key: "COLOUR", Value: "s1:red"},
			func(apps map[string]*setops.App) {
				apps["web"].Env["COLOUR"] = setops.EnvVar{Value: "s1:red", Description: "of the button"}
			},
		},
		"env:set the first variable": {
			&changeset.EnvSet{AppName: "proxy", Key: "A", Value: "s1:x", Description: "d"},
			func(apps map[string]*setops.App) {
				apps["proxy"].Env = map[string]setops.EnvVar{"A": {Value: "s1:x", Description: "d"}}
			},
		},
		"env:set a secret": {
			&changeset.EnvSet{AppName: "proxy", Key: "A", Value: "s1:x", Secret: true},
			func(apps map[string]*setops.App) {
				apps["proxy"].Env = map[string]setops.EnvVar{"A": {Value: "s1:x", Secret: true}}
			},
		},
		"env:unset": {
			&changeset.EnvUnset{AppName: "web", Key: "COLOUR"},
			func(apps map[string]*setops.App) { apps["web"].Env = map[string]setops.EnvVar{} },
		},
		"release:create": {
			&changeset.ReleaseCreate{AppName: "web", Digest: digest2, ID: 4, Tag: "v4"},
			func(apps map[string]*setops.App) {
				apps["web"].Releases = append(apps["web"].Releases, setops.Release{ID: 4, Digest: digest2, Tag: "v4"})
			},
		},
		"release:activate": {
			&changeset.ReleaseActivate{AppName: "web", ID: 1}, func(map[string]*setops.App) {},
		},
		"no active release any more": {
			&changeset.ReleaseDeactivate{AppName: "web"}, func(apps map[string]*setops.App) { apps["web"].ActiveRelease = 0 },
		},
	} {
		t.Run(name, func(t *testing.T) {
			before := stage()
			after, problems := changeset.Fold(before, []changeset.Command{test.command})
			if len(problems) > 0 {
				t.Fatal(problems[0])
			}
			want := stage()
			test.change(want.Apps)
			if !reflect.DeepEqual(after, want) {
				t.Errorf("got  %s\nwant %s", dump(after), dump(want))
			}
			if !reflect.DeepEqual(before, stage()) {
				t.Errorf("what was folded onto has changed: %s", dump(before))
			}
		})
	}
}

func TestCommandsThatDoNotApplySayWhy(t *testing.T) {
	for name, test := range map[string]struct {
		command changeset.Command
		code    setops.Code
		why     string
	}{
		"an app that is there":        {&changeset.AppCreate{AppName: "web"}, setops.AppAlreadyExists, `there is an app "web" on this stage already`},
		"a bad name":                  {&changeset.AppCreate{AppName: "-"}, setops.CodeAppNameInvalid, "3 to 16"},
		"no such app to destroy":      {&changeset.AppDestroy{AppName: "gone"}, setops.AppDoesNotExist, `no app "gone"`},
		"no such app to change":       {&changeset.ResourceSet{AppName: "gone", Scale: new(1)}, setops.AppDoesNotExist, `no app "gone"`},
		"nothing to set":              {&changeset.ResourceSet{AppName: "web"}, setops.ValidationFailed, "name a resource"},
		"nothing to set of networks":  {&changeset.NetworkSet{AppName: "web"}, setops.ValidationFailed, "name a setting"},
		"nothing to set of container": {&changeset.ContainerSet{AppName: "web"}, setops.ValidationFailed, "name a setting"},
		"nothing to unset":            {&changeset.ResourceUnset{AppName: "web"}, setops.ValidationFailed, "name what to unset"},
		"unset of what is not there":  {&changeset.NetworkUnset{AppName: "web", Fields: []string{"colour"}}, setops.ValidationFailed, `"colour" cannot be unset`},
		"a protocol that is fixed":    {&changeset.NetworkSet{AppName: "web", Protocol: new(setops.TCP)}, setops.ChangesetInvalid, "cannot change any more"},
		"a path of a tcp app":         {&changeset.NetworkSet{AppName: "proxy", HealthCheckPath: new("/")}, setops.ValidationFailed, "connecting"},
		"two limits at once":          {&changeset.ResourceSet{AppName: "web", CPU: new(1), Scale: new(17)}, setops.ValidationFailed, "scale: 17 is not between 0 and 16"},
		"a variable that is reserved": {&changeset.EnvSet{AppName: "web", Key: "PORT"}, setops.ValidationFailed, "PORT is set by SetOps"},
		"no such variable":            {&changeset.EnvUnset{AppName: "web", Key: "A"}, setops.ValidationFailed, "no variable A"},
		"a digest that is none":       {&changeset.ReleaseCreate{AppName: "web", Digest: "latest", ID: 2}, setops.CodeReleaseDigestInvalid, "64 hexadecimal digits"},
		"a number that is taken":      {&changeset.ReleaseCreate{AppName: "web", Digest: digest2, ID: 1}, setops.ValidationFailed, "has that release already"},
		"no such release":             {&changeset.ReleaseActivate{AppName: "web", ID: 2}, setops.ReleaseDoesNotExist, "no release 2"},
		"no release is active":        {&changeset.ReleaseDeactivate{AppName: "proxy"}, setops.AppHasNoActiveRelease, "proxy has no active release"},
	} {
		t.Run(name, func(t *testing.T) {
			before := stage()
			after, problems := changeset.Fold(before, []changeset.Command{test.command})
			if len(problems) != 1 || problems[0].Index != 0 || problems[0].Command != test.command {
				t.Fatalf("problems: %v", problems)
			}
			if p := problems[0]; p.Err.Code != test.code || !strings.Contains(p.Error(), test.why) {
				t.Errorf("%s: %s", p.Err.Code, p)
			}
			if !reflect.DeepEqual(after, stage()) || !reflect.DeepEqual(before, stage()) {
				t.Errorf("it has changed something: %s", dump(after))
			}
		})
	}
}

func TestEveryProblemIsToldAndTheRestApplies(t *testing.T) {
	after, problems := changeset.Fold(stage(), []changeset.Command{
		&changeset.ResourceSet{AppName: "gone", Scale: new(1)},
		&changeset.ResourceSet{AppName: "web", Scale: new(3)},
		&changeset.ReleaseActivate{AppName: "web", ID: 9},
	})
	if len(problems) != 2 || problems[0].Index != 0 || problems[1].Index != 2 {
		t.Fatalf("problems: %v", problems)
	}
	if got := problems[1].Error(); !strings.HasPrefix(got, "command 3 (app:release:set of app web) does not apply: ") {
		t.Error(got)
	}
	if after.Apps["web"].Resources.Scale != 3 {
		t.Error("the command between them was left out")
	}
}

func TestLaterCommandsStandOnEarlierOnes(t *testing.T) {
	after, problems := changeset.Fold(stage(), []changeset.Command{
		&changeset.AppDestroy{AppName: "web"},
		&changeset.AppCreate{AppName: "web"},
		&changeset.NetworkSet{AppName: "web", Protocol: new(setops.TCP)},
		&changeset.ReleaseCreate{AppName: "web", Digest: digest2, ID: 1},
		&changeset.ReleaseActivate{AppName: "web", ID: 1},
	})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	web := after.Apps["web"]
	if web.Committed || web.Network.Protocol != setops.TCP || web.ActiveRelease != 1 || len(web.Env) > 0 {
		t.Errorf("the app is not a new one: %s", dump(after))
	}
}

func TestAnAppHasAtMostAThousandVariables(t *testing.T) {
	var commands []changeset.Command
	for i := range 1000 {
		commands = append(commands, &changeset.EnvSet{AppName: "proxy", Key: fmt.Sprintf("K%d", i), Value: "s1:x"})
	}
	full, problems := changeset.Fold(stage(), commands)
	if len(problems) > 0 {
		t.Fatal(problems[0])
	}
	after, problems := changeset.Fold(full, []changeset.Command{
		&changeset.EnvSet{AppName: "proxy", Key: "K1", Value: "s1:y"},
		&changeset.EnvSet{AppName: "proxy", Key: "ONE_MORE", Value: "s1:x"},
	})
	if len(problems) != 1 || problems[0].Index != 1 || len(after.Apps["proxy"].Env) != 1000 {
		t.Errorf("%d variables, problems %v", len(after.Apps["proxy"].Env), problems)
	}
}

func TestAppsThatNoCommandTouchesAreShared(t *testing.T) {
	before := stage()
	after, _ := changeset.Fold(before, []changeset.Command{&changeset.ResourceSet{AppName: "web", Scale: new(3)}})
	if after.Apps["proxy"] != before.Apps["proxy"] {
		t.Error("an app was copied that nothing has changed")
	}
	if after.Apps["web"] == before.Apps["web"] {
		t.Error("an app was changed in place")
	}
}

func TestAnEmptyStageCanBeFoldedOnto(t *testing.T) {
	after, problems := changeset.Fold(setops.Spec{}, []changeset.Command{&changeset.AppCreate{AppName: "web"}})
	if len(problems) > 0 || after.Apps["web"] == nil {
		t.Errorf("%v, %v", after, problems)
	}
}

func TestArgumentsShowNoSecretAndNothingThatWasAdded(t *testing.T) {
	env := (&changeset.EnvSet{AppName: "web", Key: "A", Value: "s1:abc", Description: "d"}).Arguments()
	if want := map[string]any{"name": "web", "key": "A", "value": "(sealed)", "description": "d"}; !reflect.DeepEqual(env, want) {
		t.Errorf("%v", env)
	}
	release := (&changeset.ReleaseCreate{AppName: "web", Digest: digest1, ID: 3, Tag: "v3", CreatedBy: "ada"}).Arguments()
	if want := map[string]any{"name": "web", "release_digest": digest1}; !reflect.DeepEqual(release, want) {
		t.Errorf("%v", release)
	}
	untouched := (&changeset.NetworkSet{AppName: "web", Public: new(false)}).Arguments()
	if want := map[string]any{"name": "web", "public": false}; !reflect.DeepEqual(untouched, want) {
		t.Errorf("%v", untouched)
	}
}

func TestASecretStaysSecretUntilItIsUnset(t *testing.T) {
	set := func(value setops.Sealed, secret bool) changeset.Command {
		return &changeset.EnvSet{AppName: "web", Key: "COLOUR", Value: value, Secret: secret}
	}
	for name, test := range map[string]struct {
		commands []changeset.Command
		want     setops.EnvVar
	}{
		"set again": {[]changeset.Command{set("s1:a", true), set("s1:b", false)}, setops.EnvVar{Value: "s1:b", Description: "of the button", Secret: true}},
		"unset and set": {
			[]changeset.Command{set("s1:a", true), &changeset.EnvUnset{AppName: "web", Key: "COLOUR"}, set("s1:b", false)},
			setops.EnvVar{Value: "s1:b"},
		},
	} {
		after, problems := changeset.Fold(stage(), test.commands)
		if got := after.Apps["web"].Env["COLOUR"]; len(problems) > 0 || got != test.want {
			t.Errorf("%s: %+v, secret %v, %v", name, got, got.Secret, problems)
		}
	}
	if _, shown := set("s1:a", true).Arguments()["value"]; shown {
		t.Error("the command shows a value")
	}
}
