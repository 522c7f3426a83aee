package definition_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/setopsco/setops/internal/changeset"
	"github.com/setopsco/setops/internal/definition"
	"github.com/setopsco/setops/internal/setops"
)

func TestWhatIsWrittenOfAStageChangesNothingOfIt(t *testing.T) {
	each(t, func(t *testing.T, r *rand.Rand) {
		spec := randomStage(r)
		file := written(t, spec)
		if again := written(t, spec.Clone()); again != file {
			t.Errorf("once\n%s\nthen\n%s", file, again)
		}
		if commands, _ := applied(t, spec, file, inputs()); len(commands) > 0 {
			t.Errorf("%v by\n%s", names(commands), file)
		}
		d, err := definition.Of(spec, source())
		must(t, d, err)
		line, err := d.JSON()
		must(t, line, err)
		if commands, _ := applied(t, spec, string(line), inputs()); len(commands) > 0 {
			t.Errorf("%v by\n%s", names(commands), line)
		}
	})
}

// facts are all of a stage but the numbers of its releases, and those of them that are not active.
func facts(spec setops.Spec) string {
	images := map[string]string{}
	spec = spec.Clone()
	for name, a := range spec.Apps {
		r, _ := a.Release(a.ActiveRelease)
		images[name] = r.Digest + r.Tag
		a.ActiveRelease = 0
	}
	text, _ := json.MarshalIndent(map[string]any{"apps": spec.Apps, "images": images, "log_retention": spec.LogRetention}, "", " ")
	return string(text)
}

// onto are two stages of which the second one can be reached by a definition: protocols are fixed, an app that runs something
// cannot be told to run nothing, and validations are not taken away.
func onto(r *rand.Rand) (from, to setops.Spec) {
	from, to = randomStage(r), randomStage(r)
	for name, was := range from.Apps {
		is := to.Apps[name]
		if is != nil && (is.Network.Protocol != was.Network.Protocol || is.ActiveRelease == 0) {
			delete(from.Apps, name)
			continue
		}
		for domain, d := range was.Domains {
			if d.Validated {
				delete(was.Domains, domain)
			}
		}
	}
	return from, to
}

func TestADefinitionMakesOfAnyStageWhatItWasWrittenOf(t *testing.T) {
	each(t, func(t *testing.T, r *rand.Rand) {
		from, to := onto(r)
		for name, is := range to.Apps { // digests name images on every stage
			for i := range is.Releases {
				is.Releases[i].Tag = ""
			}
			for key, v := range is.Env { // secrets are not in the file
				if _, kept := from.Apps[name]; v.Secret && !kept {
					delete(is.Env, key)
				} else if v.Secret {
					v.Value = sealed(name, key, "s3cret "+key)
					is.Env[key] = v
				}
			}
		}
		for _, was := range from.Apps {
			for i := range was.Releases {
				was.Releases[i].Tag = ""
			}
		}
		in := inputs()
		for _, key := range []string{"A", "B", "yes", "NULL", "_1"} {
			in.Secrets[key] = "s3cret " + key
		}
		_, after := applied(t, from, written(t, to), in)
		for _, a := range to.Apps {
			a.Committed = true
		}
		if got, want := facts(after), facts(to); got != want {
			t.Errorf("got %s\nwant %s", got, want)
		}
	})
}

func TestQuotedValuesAreWhatTheyWere(t *testing.T) {
	parts := []string{"{{", "}}", `"`, `\`, " ", ".Secrets.", "NAME", "x", "\n", `{{ "`, `" }}`, "{{ .Secrets.A }}", `{{ "\x41" }}`}
	each(t, func(t *testing.T, r *rand.Rand) {
		var b strings.Builder
		for range r.IntN(12) {
			b.WriteString(parts[r.IntN(len(parts))])
		}
		spec, _ := changeset.Fold(setops.Spec{}, []changeset.Command{
			&changeset.AppCreate{AppName: "web"}, &changeset.EnvSet{AppName: "web", Key: "A", Value: sealed("web", "A", b.String())},
		})
		_, after := applied(t, setops.Spec{}, written(t, spec), inputs())
		if got := after.Apps["web"].Env["A"]; got != spec.Apps["web"].Env["A"] {
			t.Errorf("%q became %q", b.String(), string(got.Value))
		}
	})
}

func FuzzParse(f *testing.F) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 5 {
		d, err := definition.Of(randomStage(r), source())
		if err != nil {
			f.Fatal(err)
		}
		text, _ := d.YAML()
		f.Add(text)
	}
	for _, text := range []string{"", "---", "a: &a [*a]", "apps: &x\n  web: {<<: *x}", "schema_version: 2\n---\n", "{", "? [a]\n: b", "schema_version: \"2\"\napps: {web: {env: {A: {value: 1}}}}"} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		d, err := definition.Parse("f", text)
		if err != nil {
			if !setops.IsCode(err, setops.ValidationFailed) && !setops.IsCode(err, setops.CodeCurrentlyNotSupported) {
				t.Fatalf("%T %v", err, err)
			}
			return
		}
		to, err := d.Target(setops.Spec{}, definition.Inputs{Stage: setops.StageRef{Project: d.Project, Name: d.Stage}, Seal: sealed})
		if err != nil {
			return
		}
		_, after, err := d.Commands(setops.Spec{}, to)
		if err != nil {
			return
		}
		source := source()
		source.Stage = setops.StageRef{Project: d.Project, Name: d.Stage}
		again, err := definition.Of(after, source)
		if err != nil {
			t.Fatal(err)
		}
		file, err := again.YAML()
		if err != nil {
			t.Fatal(err)
		}
		back, err := definition.Parse("f", file)
		if err != nil {
			t.Fatalf("%v in what was written:\n%s", err, file)
		}
		same, err := back.Target(after, definition.Inputs{Stage: source.Stage, Seal: sealed})
		if err != nil {
			t.Fatal(err)
		}
		if commands, _, err := back.Commands(after, same); err != nil || len(commands) > 0 {
			t.Fatal(fmt.Sprint(names(commands), err, "\n", string(file)))
		}
	})
}
