package definition_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/setopsco/setops/internal/changeset"
	"github.com/setopsco/setops/internal/definition"
	"github.com/setopsco/setops/internal/setops"
)

var production = setops.StageRef{ID: "s-1", Organization: "demo", Project: "shop", Name: "production"}

func digest(n int) string { return fmt.Sprintf("sha256:%064x", n) }

// sealed and open are a box that everybody can look into.
func sealed(app, key, value string) setops.Sealed {
	return setops.Sealed(app + "/" + key + "/" + value)
}

func open(app, key string, value setops.Sealed) (string, error) {
	plain, ok := strings.CutPrefix(string(value), app+"/"+key+"/")
	if !ok {
		return "", errors.New("sealed for something else")
	}
	return plain, nil
}

func source() definition.Source {
	return definition.Source{Stage: production, Open: open, Image: func(_ string, r setops.Release) (string, error) {
		if r.Tag != "" {
			return r.Tag, nil
		}
		return r.Digest, nil
	}}
}

func inputs(secrets ...string) definition.Inputs {
	in := definition.Inputs{Stage: production, Seal: sealed, Secrets: map[string]string{}}
	for i := 0; i < len(secrets); i += 2 {
		in.Secrets[secrets[i]] = secrets[i+1]
	}
	return in
}

func must[T any](t *testing.T, v T, err error) T {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// written is the file of a stage.
func written(t *testing.T, spec setops.Spec) string {
	t.Helper()
	d, err := definition.Of(spec, source())
	must(t, d, err)
	text, err := d.YAML()
	return string(must(t, text, err))
}

// applied gives the commands by which a file changes a stage, and what that is then. Tags are looked up in all releases.
func applied(t *testing.T, from setops.Spec, file string, in definition.Inputs) ([]changeset.Command, setops.Spec) {
	t.Helper()
	d, err := definition.Parse("setops.yml", []byte(file))
	must(t, d, err)
	to, err := d.Target(from, in)
	must(t, to, err)
	for name, image := range d.Images() {
		app := to.Apps[name]
		want := definition.Image{Digest: image}
		for _, r := range app.Releases {
			if r.Tag == image {
				want = definition.Image{Digest: r.Digest, Tag: image}
			}
		}
		err := definition.Activate(app, want, func() (setops.Release, error) { return setops.Release{ID: 100}, nil })
		must(t, app, err)
	}
	commands, after, err := d.Commands(from, to)
	must(t, commands, err)
	return commands, after
}

// randomStage folds random commands, most of which apply, so that it is a stage such as people make.
func randomStage(r *rand.Rand) setops.Spec {
	spec := setops.Spec{Apps: map[string]*setops.App{}}
	for range 1 + r.IntN(3) {
		commands := make([]changeset.Command, r.IntN(40))
		for i := range commands {
			commands[i] = randomCommand(r)
		}
		commands = append([]changeset.Command{&changeset.AppCreate{AppName: "web"}, &changeset.AppCreate{AppName: "worker-2"}}, commands...)
		spec, _ = changeset.Fold(spec, commands)
		spec = spec.Clone()
		for _, a := range spec.Apps {
			a.Committed = true
		}
	}
	return spec
}

var words = []string{
	"", "puma", "a b", "it's", `"quoted" \ back`, "# no comment", "- no list", "{a: b}", "[x]", "yes", "NO", "null", "~", "12", "1e3", "0x1F", "true",
	"key: value", " leading", "trailing ", "tab\tbed", "two\nlines", "\n", "ends\n", "carriage\rreturn", "ünïcode ✓ 🎉", "a\u2028b", "\u0085", "\ufeffbom", "*alias", "&anchor",
	"!tag", "%directive", "@at", "`tick`", "{{ .Secrets.NAME }}", `{{ "x" }}`, "{{ other }}", `{{.Secrets.A}}-{{ "\"" }}`, "2026-01-01", "::", "a:", "\x01\x7f", "%PORT", "<<", "=", "|", ">", "?",
	strings.Repeat("long ", 60),
}

func word(r *rand.Rand) string { return words[r.IntN(len(words))] }

func argv(r *rand.Rand) []string {
	all := []string{"run"}
	for range r.IntN(4) {
		all = append(all, word(r))
	}
	return all
}

func pick[T any](r *rand.Rand, all ...T) T { return all[r.IntN(len(all))] }

func randomCommand(r *rand.Rand) changeset.Command {
	app := pick(r, "web", "web", "worker-2", "tcp", "other")
	switch r.IntN(25) {
	case 0:
		return &changeset.AppCreate{AppName: app}
	case 1:
		if r.IntN(4) == 0 {
			return &changeset.AppDestroy{AppName: app}
		}
		return &changeset.NetworkSet{AppName: "tcp", Protocol: new(setops.TCP)}
	case 2:
		return &changeset.ContainerSet{AppName: app, Command: argv(r)}
	case 3:
		return &changeset.ContainerSet{AppName: app, Entrypoint: argv(r), StartTimeout: new(1 + r.IntN(3600))}
	case 4:
		return &changeset.ContainerSet{AppName: app, StopTimeout: new(60 + r.IntN(100)), HealthCheck: &changeset.HealthCheck{
			Command: argv(r), Interval: pick(r, nil, new(1+r.IntN(300))), Timeout: new(1 + r.IntN(60)), Retries: pick(r, nil, new(30)), StartPeriod: new(r.IntN(2)),
		}}
	case 5:
		return &changeset.ContainerUnset{AppName: app, Fields: []string{pick(r, "command", "health_check", "start_timeout")}}
	case 6:
		return &changeset.ResourceSet{AppName: app, CPU: new(128 * (1 + r.IntN(8))), Memory: new(128 * (1 + r.IntN(8)))}
	case 7:
		return &changeset.ResourceSet{AppName: app, Scale: new(r.IntN(17))}
	case 8:
		return &changeset.NetworkSet{AppName: app, Public: new(r.IntN(2) == 0), Port: new(1 + r.IntN(65535))}
	case 9:
		return &changeset.NetworkSet{AppName: app, HealthCheckPath: new(pick(r, "/", "/up", "/#x?y=1:2", "/ü"))}
	case 10:
		return &changeset.NetworkSet{AppName: app, HealthCheckStatus: new(pick(r, "200", "200,204", "200-299,301"))}
	case 11, 12, 13:
		key := pick(r, "A", "B", "yes", "NULL", "_1")
		return &changeset.EnvSet{AppName: app, Key: key, Value: sealed(app, key, word(r)), Description: pick(r, "", word(r)), Secret: r.IntN(3) == 0}
	case 14, 15:
		return &changeset.DomainCreate{AppName: app, Domain: pick(r, "www.example.com", "example.com", "*.example.com", "xn--bcher-kva.example"), Primary: r.IntN(2) == 0}
	case 16:
		return &changeset.DomainValidate{AppName: app, Domain: pick(r, "www.example.com", "example.com")}
	case 17:
		return &changeset.DomainOptionSet{AppName: app, Domain: "example.com", StaticIP: new(r.IntN(2) == 0), RedirectToPrimary: pick(r, nil, new(false), new(true))}
	case 20, 21:
		return &changeset.ScheduleCreate{AppName: app, Schedule: pick(r, "a", "nightly", "no"), Cron: pick(r, "0 3 * * *", "*/5 * * * 1-5"), Command: argv(r), Timeout: pick(r, nil, new(1+r.IntN(86400)), new(3600*(1+r.IntN(24))))}
	case 22:
		return &changeset.LogSet{Retention: new(1 + r.IntN(365))}
	case 23:
		return pick[changeset.Command](r, &changeset.LogUnset{Fields: []string{"retention"}}, &changeset.ScheduleDestroy{AppName: app, Schedule: "a"})
	case 18, 19:
		n := 1 + r.IntN(5)
		return &changeset.ReleaseCreate{AppName: app, Digest: digest(n), ID: 1 + r.IntN(6), Tag: pick(r, "", "", fmt.Sprint("v", n))}
	}
	return &changeset.ReleaseActivate{AppName: app, ID: 1 + r.IntN(6)}
}

// each calls f with a thousand sources of random numbers, each of which can be had again by its seed.
func each(t *testing.T, f func(t *testing.T, r *rand.Rand)) {
	t.Helper()
	for seed := range uint64(1000) {
		f(t, rand.New(rand.NewPCG(seed, 2)))
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

// names are the stored names of commands.
func names(commands []changeset.Command) []string {
	var all []string
	for _, c := range commands {
		all = append(all, strings.TrimPrefix(c.Name(), "app:")+" "+c.App())
	}
	slices.Sort(all)
	return all
}
