package changeset_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"github.com/setopsco/setops/internal/changeset"
	"github.com/setopsco/setops/internal/setops"
)

// dump shows a spec with what its own JSON leaves out.
func dump(s setops.Spec) string {
	var b strings.Builder
	fmt.Fprintf(&b, "logs=%d", s.LogRetention)
	for name, a := range s.Apps {
		text, _ := json.Marshal(a)
		fmt.Fprintf(&b, "\n%s committed=%v releases=%v %s", name, a.Committed, a.Releases, text)
	}
	return b.String()
}

// randomCommand makes commands of which about half apply: few names, values on both sides of the limits.
func randomCommand(r *rand.Rand) changeset.Command {
	app := []string{"web", "proxy", "new", "x"}[r.IntN(4)]
	field := func(fields ...string) []string { return []string{fields[r.IntN(len(fields))]} }
	switch r.IntN(29) {
	case 0:
		return &changeset.AppCreate{AppName: app}
	case 1:
		return &changeset.AppDestroy{AppName: app}
	case 2:
		return &changeset.ContainerSet{AppName: app, Command: field("a", "b c", "'"), StopTimeout: new(r.IntN(120))}
	case 3:
		return &changeset.ContainerSet{AppName: app, HealthCheck: &changeset.HealthCheck{Command: field("true", ""), Interval: new(r.IntN(400))}}
	case 4:
		return &changeset.ContainerUnset{AppName: app, Fields: field("command", "health_check", "colour")}
	case 5:
		return &changeset.ResourceSet{AppName: app, Memory: new(64 * r.IntN(6)), Scale: new(r.IntN(20))}
	case 6:
		return &changeset.ResourceUnset{AppName: app, Fields: field("scale", "memory", "disk")}
	case 7:
		return &changeset.NetworkSet{AppName: app, Protocol: new(setops.Protocol(field("http", "tcp")[0])), HealthCheckPath: new(field("/", "x")[0])}
	case 8:
		return &changeset.EnvSet{AppName: app, Key: field("A", "B", "PORT")[0], Value: setops.Sealed(field("s1:a", "s1:b")[0]), Description: field("", "why")[0], Secret: r.IntN(4) == 0}
	case 9:
		return &changeset.EnvUnset{AppName: app, Key: field("A", "B", "COLOUR")[0]}
	case 10:
		return &changeset.DomainCreate{AppName: app, Domain: randomDomain(r), Primary: r.IntN(2) == 0}
	case 11:
		return &changeset.DomainDestroy{AppName: app, Domain: randomDomain(r)}
	case 12:
		return &changeset.DomainValidate{AppName: app, Domain: randomDomain(r)}
	case 13:
		return &changeset.DomainOptionSet{AppName: app, Domain: randomDomain(r), Primary: new(r.IntN(2) == 0)}
	case 14:
		return &changeset.DomainOptionUnset{AppName: app, Domain: randomDomain(r), Fields: field("primary", "static_ip", "redirect_to_primary", "colour")}
	case 15:
		return &changeset.ReleaseCreate{AppName: app, Digest: field(digest1, digest2, "no")[0], ID: 1 + r.IntN(5)}
	case 16:
		return &changeset.ReleaseDeactivate{AppName: app}
	case 17:
		return &changeset.NetworkSet{AppName: app, Public: new(r.IntN(2) == 0), HealthCheckStatus: new(field("200", "200-499")[0])}
	case 18:
		return &changeset.NetworkUnset{AppName: app, Fields: field("protocol", "port", "health_check_path", "health_check_status")}
	case 19:
		return &changeset.ContainerSet{AppName: app, Entrypoint: field(`'it''s'\ one`, `"a b"`, "# c")}
	case 20:
		return &changeset.ContainerSet{AppName: app, StartTimeout: new(60 * r.IntN(3)), HealthCheck: &changeset.HealthCheck{Command: field("a", "b c")}}
	case 21:
		set := &changeset.DomainOptionSet{AppName: app, Domain: randomDomain(r), StaticIP: new(r.IntN(2) == 0)}
		if r.IntN(2) == 0 {
			set.StaticIP, set.RedirectToPrimary = nil, set.StaticIP
		}
		return set
	case 22:
		return &changeset.ScheduleCreate{AppName: app, Schedule: field("a", "b", "B")[0], Cron: field("0 3 * * *", "no")[0], Command: field("rake")}
	case 23:
		return &changeset.ScheduleCreate{AppName: app, Schedule: field("a", "b")[0], Cron: "* * * * *", Command: field("a", ""), Timeout: new(r.IntN(3))}
	case 24:
		return &changeset.ScheduleDestroy{AppName: app, Schedule: field("a", "b")[0]}
	case 25:
		return &changeset.LogSet{Retention: new(r.IntN(4))}
	case 26:
		return &changeset.LogUnset{Fields: field("retention", "colour")}
	}
	activate := &changeset.ReleaseActivate{AppName: app, ID: r.IntN(6)}
	if r.IntN(2) == 0 {
		activate.Tag = new(field("", "v1", "v2", "no tag")[0])
	}
	return activate
}

func randomDomain(r *rand.Rand) string {
	return []string{"a.example", "b.example", "*.b.example", "bad"}[r.IntN(4)]
}

func randomCommands(r *rand.Rand) []changeset.Command {
	all := make([]changeset.Command, r.IntN(12))
	for i := range all {
		all[i] = randomCommand(r)
	}
	return all
}

// each calls f with many sources of random numbers, each of which can be had again by its seed.
func each(t *testing.T, f func(t *testing.T, r *rand.Rand)) {
	t.Helper()
	for seed := range uint64(3000) {
		f(t, rand.New(rand.NewPCG(seed, 1)))
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

func told(problems []changeset.Problem, from int) []string {
	var all []string
	for _, p := range problems {
		p.Index += from
		all = append(all, p.Error())
	}
	return all
}

func TestFoldingNeverChangesItsInputAndAlwaysGivesTheSame(t *testing.T) {
	each(t, func(t *testing.T, r *rand.Rand) {
		commands := randomCommands(r)
		text, err := json.Marshal(commands)
		if err != nil {
			t.Fatal(err)
		}
		before := stage()
		first, problems := changeset.Fold(before, commands)
		second, again := changeset.Fold(before, commands)
		if !reflect.DeepEqual(before, stage()) {
			t.Errorf("the stage has changed: %s", dump(before))
		}
		if after, _ := json.Marshal(commands); string(after) != string(text) {
			t.Errorf("the commands have changed: %s", after)
		}
		if !reflect.DeepEqual(first, second) || !reflect.DeepEqual(told(problems, 0), told(again, 0)) {
			t.Errorf("once %s %v\nthen %s %v", dump(first), problems, dump(second), again)
		}
	})
}

func TestFoldingInPartsIsFoldingTheWhole(t *testing.T) {
	each(t, func(t *testing.T, r *rand.Rand) {
		a, b := randomCommands(r), randomCommands(r)
		whole, problems := changeset.Fold(stage(), append(append([]changeset.Command{}, a...), b...))
		half, problemsOfA := changeset.Fold(stage(), a)
		parts, problemsOfB := changeset.Fold(half, b)
		if !reflect.DeepEqual(whole, parts) {
			t.Errorf("whole %s\nparts %s", dump(whole), dump(parts))
		}
		if want := append(told(problemsOfA, 0), told(problemsOfB, len(a))...); !reflect.DeepEqual(told(problems, 0), want) {
			t.Errorf("whole %v\nparts %v", told(problems, 0), want)
		}
	})
}

func TestACommandThatDoesNotApplyIsAsIfItWereNotThere(t *testing.T) {
	each(t, func(t *testing.T, r *rand.Rand) {
		commands := randomCommands(r)
		all, problems := changeset.Fold(stage(), commands)
		bad := map[int]bool{}
		for _, p := range problems {
			bad[p.Index] = true
		}
		var good []changeset.Command
		for i, c := range commands {
			if !bad[i] {
				good = append(good, c)
			}
		}
		only, none := changeset.Fold(stage(), good)
		if len(none) > 0 || !reflect.DeepEqual(all, only) {
			t.Errorf("with %s\nwithout %s %v", dump(all), dump(only), none)
		}
	})
}

func TestCommandsSurviveTheStore(t *testing.T) {
	each(t, func(t *testing.T, r *rand.Rand) {
		c := randomCommand(r)
		text, err := changeset.Encode(c)
		if err != nil {
			t.Fatal(err)
		}
		back, err := changeset.Decode(c.Name(), text)
		if err != nil || !reflect.DeepEqual(c, back) {
			t.Errorf("%s: %#v, %v", text, back, err)
		}
	})
}

func FuzzDecode(f *testing.F) {
	for _, name := range changeset.Names() {
		f.Add(name, []byte(`{"name":"web"}`))
		f.Add(name, []byte(`{"name":1}`))
	}
	f.Add("app:container:set", []byte(`{"name":"web","command":["a 'b"],"health_check":{"command":[],"interval":99999999999999999999}}`))
	f.Add("app:env:set", []byte(`{"name":"web","key":"A","value":"s1:secret","description":null}`))
	f.Add("app:resource:set", []byte(`null`))
	f.Add("app:explode", []byte(`{}`))
	f.Fuzz(func(t *testing.T, name string, arguments []byte) {
		c, err := changeset.Decode(name, arguments)
		if err != nil {
			if !setops.IsCode(err, setops.ValidationFailed) {
				t.Errorf("the error is no ValidationError: %v", err)
			}
			return
		}
		before := stage()
		changeset.Fold(before, []changeset.Command{c, c})
		if !reflect.DeepEqual(before, stage()) {
			t.Error("the stage has changed")
		}
		if e, ok := c.(*changeset.EnvSet); ok && len(e.Value) > 8 && strings.Contains(fmt.Sprint(c.Arguments()["value"]), string(e.Value)) {
			t.Error("the value is shown")
		}
		text, err := changeset.Encode(c)
		if err != nil {
			t.Fatal(err)
		}
		if back, err := changeset.Decode(name, text); err != nil || !reflect.DeepEqual(c, back) {
			// An argument that is null is the same as one that is not there, also in a list that is empty.
			if again, _ := changeset.Encode(back); err != nil || string(again) != string(text) {
				t.Errorf("%s became %#v, %v", text, back, err)
			}
		}
	})
}
