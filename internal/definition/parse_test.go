package definition_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/setopsco/setops/internal/changeset"
	"github.com/setopsco/setops/internal/definition"
	"github.com/setopsco/setops/internal/setops"
)

// refusal is what is said of a file that is applied to an empty stage, without the heading.
func refusal(t *testing.T, from setops.Spec, file string) (string, *setops.Error) {
	t.Helper()
	d, err := definition.Parse("setops.yml", []byte(file))
	if err == nil {
		var to setops.Spec
		if to, err = d.Target(from, inputs("KNOWN", "x")); err == nil {
			_, _, err = d.Commands(from, to)
		}
	}
	var e *setops.Error
	if !errors.As(err, &e) {
		t.Fatalf("got %v of\n%s", err, file)
	}
	_, lines, _ := strings.Cut(e.Error(), "\n")
	return strings.ReplaceAll(lines, "   setops.yml:", ""), e
}

func TestWhatIsWrongIsSaidWithItsPlaceAndWhatIsAllowed(t *testing.T) {
	for _, test := range []struct{ file, want string }{
		{"", ` it is empty; it begins with schema_version: "2"`},
		{"a: b: c", ` it is no YAML: mapping values are not allowed in this context`},
		{"schema_version: \"2\"\n---\nx: y", `2:1: a second document begins here; a file has one definition`},
		{"apps: {}", `1:1: schema_version: it is missing; write schema_version: "2"`},
		{"schema_version: 3", `1:17: schema_version: there is no schema "3"; allowed: "1", "2"`},
		{"schema_version: 2\nproject: shop\nstage: staging", `3:8: stage: the file is for stage staging, and is applied to stage production; change the line, or leave it out`},
		{
			"schema_version: 2\napps:\n  web:\n    resource: {}\n",
			`4:5: apps.web.resource: there is no such field; did you mean resources? allowed: image_tag, container, custom_domains, env, links, network, resources, schedule`,
		},
		{"schema_version: 2\napps:\n  web:\n    resources: {memmory: 128}", `4:17: apps.web.resources.memmory: there is no such field; did you mean memory? allowed: cpu, memory, scale`},
		{"schema_version: 2\napps:\n  web:\n    resources: {xyz: 128}", `4:17: apps.web.resources.xyz: there is no such field; allowed: cpu, memory, scale`},
		{"schema_version: 2\napps:\n  web:\n    resources: {cpu: 100, scale: 1.5}", `4:34: apps.web.resources.scale: "1.5" cannot be here; needed: a whole number`},
		{
			"schema_version: 2\napps:\n  web:\n    resources: {cpu: 100, scale: 17}",
			"4:22: apps.web.resources.cpu: 100 is not between 128 and 1048576\n4:34: apps.web.resources.scale: 17 is not between 0 and 16",
		},
		{"schema_version: 2\napps:\n  web: [", `3:1: it is no YAML: did not find expected node content`},
		{"schema_version: 2\napps:\n  web:\n    network: {public: yes}", `4:23: apps.web.network.public: "yes" cannot be here; allowed: true, false`},
		{"schema_version: 2\napps:\n  web:\n    network: {public: true, public: false}", `4:29: apps.web.network.public: it is here twice; leave one of them out`},
		{"schema_version: 2\napps:\n  web:\n    network: {ports: [0]}", `4:22: apps.web.network.ports: 0 is not between 1 and 65535`},
		{"schema_version: 2\napps:\n  web:\n    network: {protocol: udp}", `4:25: apps.web.network.protocol: a protocol is http or tcp`},
		{
			"schema_version: 2\napps:\n  web:\n    network: {protocol: tcp, health_check: {path: /up}}",
			`4:51: apps.web.network.health_check.path: a tcp app is checked by connecting to its port; only http has a path and a status`,
		},
		{"schema_version: 2\napps:\n  web:\n    container: {command: bundle exec puma}", `4:26: apps.web.container.command: a text cannot be here; needed: a list, as [a, b]`},
		{"schema_version: 2\napps:\n  web:\n    container: {health_check: {interval: 5}}", `4:31: apps.web.container.health_check.command: a program and its arguments are needed`},
		{"schema_version: 2\napps:\n  web:\n    container: {timeouts: {stop_timeout: 5}}", `4:42: apps.web.container.timeouts.stop_timeout: 5 is not between 60 and 3600`},
		{"schema_version: 2\napps:\n  web:\n    container: {timeouts: {start_timeout: 0}}", `4:43: apps.web.container.timeouts.start_timeout: 0 is no timeout; leave it out for the default`},
		{"schema_version: 2\napps:\n  web:\n    env: {A: text}", `4:14: apps.web.env.A: a text cannot be here; needed: fields, as {value: …}`},
		{"schema_version: 2\napps:\n  web:\n    env: {A: {description: why}}", `4:11: apps.web.env.A: it has no value; write {value: "…"}`},
		{"schema_version: 2\napps:\n  web:\n    env: {PORT: {value: 1}}", `4:11: apps.web.env.PORT: PORT is set by SetOps for every task; choose another name`},
		{"schema_version: 2\napps:\n  web:\n    env: {A: {value: '{{ \"\\q\" }}'}}", `4:22: apps.web.env.A.value: what is between {{ " and " }} is no text with correct escapes`},
		{
			"schema_version: 2\napps:\n  web:\n    env: {A: {value: '{{ .Secrets.TOKEN }}'}}",
			"4:22: apps.web.env.A.value: app web has no secret value of A that could be kept: set SETOPS_SECRET_TOKEN in the environment of setops, " +
				"or commit `setops --app web env:set --secret A=…` first",
		},
		{
			"schema_version: 2\napps:\n  web:\n    env: {A: {value: 'http://{{ .Secrets.U }}:{{.Secrets.KNOWN}}@h'}}",
			`4:22: apps.web.env.A.value: its secrets are not known: set SETOPS_SECRET_U in the environment of setops`,
		},
		{"schema_version: 2\napps:\n  w: {}", `3:3: apps.w: an app name is 3 to 16 lower-case letters, digits and dashes and starts with a letter`},
		{"schema_version: 2\napps:\n  w: {resources: {cpu: 256}}", `3:3: apps.w: an app name is 3 to 16 lower-case letters, digits and dashes and starts with a letter`},
		{
			"schema_version: 2\napps:\n  web:\n    custom_domains: {a.example: {primary: true}, b.example: {primary: true}}",
			`4:71: apps.web.custom_domains.b.example.primary: an app has one primary domain, and a.example is it already`,
		},
		{"schema_version: 2\napps:\n  web:\n    custom_domains: {a.example: {}, A.example.: {}}", `4:22: apps.web.custom_domains.a.example: the domain a.example is here twice`},
		{
			"schema_version: 2\napps:\n  web:\n    custom_domains: {1.2.3.4: {}}",
			`4:22: apps.web.custom_domains.1.2.3.4: 1.2.3.4 is an IP address; a domain is a name, such as www.example.com`,
		},
		{"schema_version: 2\nlog_retention: 400", "2:16: log_retention: 400 is not between 1 and 365"},
		{"schema_version: 2\nlog_retention: 0", "2:16: log_retention: 0 is no retention; leave it out for the default"},
		{"schema_version: 2\napps:\n  web:\n    schedule: {a: {cron: 0 3 * * *, command: [x], timeout: 1d}}", `4:60: apps.web.schedule.a.timeout: "1d" is no time in whole seconds; write it as 90s, 10m or 1h30m`},
		{"schema_version: 2\napps:\n  web:\n    schedule: {a: {cron: 0 3 * * *, timeout: 25h}}", "4:16: apps.web.schedule.a.command: a program and its arguments are needed\n4:46: apps.web.schedule.a.timeout: 90000 is not between 1 and 86400"},
		{"schema_version: 2\napps:\n  web:\n    schedule: {A: {cron: 0 3 * * *, command: [x]}}", `4:16: apps.web.schedule.A: a schedule's name is 1 to 32 lower-case letters, digits and dashes and starts with a letter`},
		{"schema_version: 2\napps:\n  proxy: {network: {protocol: http}}", `3:31: apps.proxy.network.protocol: the protocol of app proxy is tcp since its first commit and cannot change any more; make another app for http`},
	} {
		proxy := setops.NewApp("proxy")
		proxy.Committed, proxy.Network.Protocol = true, setops.TCP
		got, e := refusal(t, setops.Spec{Apps: map[string]*setops.App{"proxy": proxy}}, test.file)
		if got != test.want || e.Code != setops.ValidationFailed || len(e.Violations) == 0 {
			t.Errorf("of\n%s\ngot  %s\nwant %s (%s)", test.file, got, test.want, e.Code)
		}
	}
}

func TestWhatIsNotSupportedYetIsSaidToBeThat(t *testing.T) {
	for _, test := range []struct{ file, want string }{
		{"schema_version: 1\nservices: {db: {type: postgresql}}", `2:11: services: there are no services yet; leave them out`},
		{"schema_version: 1\nnotifications: {ops: {type: webhook}}", `2:16: notifications: there are no notifications yet; leave them out`},
		{"schema_version: 2\napps: {web: {links: {db: {env_key: A}}}}", `2:21: apps.web.links: there are no services yet that could be linked; leave them out`},
		{"schema_version: 2\napps: {web: {network: {ports: [80, 81]}}}", `2:31: apps.web.network.ports: an app has one port; these are 2`},
	} {
		if got, e := refusal(t, setops.Spec{}, test.file); got != test.want || e.Code != setops.CodeCurrentlyNotSupported {
			t.Errorf("%s\nnot %s (%s)", got, test.want, e.Code)
		}
	}
	both := "schema_version: 2\nservices: {db: {}}\napps: {web: {colour: red}}"
	if _, e := refusal(t, setops.Spec{}, both); e.Code != setops.ValidationFailed || len(e.Violations) != 2 {
		t.Errorf("%v", e)
	}
	for _, empty := range []string{"services: {}\nnotifications:\napps: {web: {links: {}, network: {ports: []}}}", "apps: {web: }"} {
		if _, after := applied(t, setops.Spec{}, "schema_version: 2\n"+empty, inputs()); after.Apps["web"].Network.Port != setops.DefaultPort {
			t.Errorf("%+v", after.Apps["web"])
		}
	}
}

func TestBothSchemasMeanTheSame(t *testing.T) {
	file := "apps: {web: {env: {A: {value: 1.10}}, network: {health_check: {status: 200}}}}"
	for _, version := range []string{"1", "2", `"1"`, `"2"`} {
		_, after := applied(t, setops.Spec{}, "schema_version: "+version+"\n"+file, inputs())
		web := after.Apps["web"]
		if web.Env["A"].Value != sealed("web", "A", "1.10") || web.Network.HealthCheckStatus != "200" || web.Resources.Memory != 128 {
			t.Errorf("schema %s: %+v", version, web)
		}
	}
}

func TestMergedAndAliasedBlocksAreAsIfWrittenOut(t *testing.T) {
	_, after := applied(t, setops.Spec{}, `schema_version: "2"
apps:
  web: &web
    resources: &small {cpu: 256, memory: 512}
    container: {command: [puma]}
  worker:
    <<: *web
    container: {command: [sidekiq]}
    resources: {<<: *small, memory: 1024}
`, inputs())
	worker := after.Apps["worker"]
	if worker.Resources != (setops.Resources{CPU: 256, Memory: 1024, Scale: 1}) || worker.Container.Command[0] != "sidekiq" {
		t.Errorf("%+v", worker)
	}
}

func TestASecretIsKeptOrSetAndSecretFromThenOn(t *testing.T) {
	spec, _ := changeset.Fold(setops.Spec{}, []changeset.Command{
		&changeset.AppCreate{AppName: "web"},
		&changeset.EnvSet{AppName: "web", Key: "TOKEN", Value: sealed("web", "TOKEN", "old"), Secret: true},
		&changeset.EnvSet{AppName: "web", Key: "PLAIN", Value: sealed("web", "PLAIN", "p")},
	})
	file := written(t, spec)
	if strings.Contains(file, "old") || !strings.Contains(file, `value: "{{ .Secrets.TOKEN }}"`) {
		t.Errorf("%s", file)
	}
	_, kept := applied(t, spec, file, inputs())
	_, set := applied(t, spec, file, inputs("TOKEN", "new"))
	_, mixed := applied(t, spec, strings.Replace(file, "value: p", "value: 'a{{.Secrets.X}}'", 1), inputs("X", "b"))
	for _, c := range []struct {
		got  setops.EnvVar
		want string
	}{
		{kept.Apps["web"].Env["TOKEN"], "old"}, {set.Apps["web"].Env["TOKEN"], "new"}, {mixed.Apps["web"].Env["PLAIN"], "ab"},
	} {
		if _, value, _ := strings.Cut(strings.TrimPrefix(string(c.got.Value), "web/"), "/"); value != c.want || !c.got.Secret {
			t.Errorf("%q, secret %v, instead of %q", string(c.got.Value), c.got.Secret, c.want)
		}
	}
}

func TestAnImageIsRunByTheReleaseThatIsThere(t *testing.T) {
	releases := []setops.Release{{ID: 1, Digest: digest(1), Tag: "v1"}, {ID: 2, Digest: digest(2)}, {ID: 5, Digest: digest(1)}}
	for name, test := range map[string]struct {
		active int
		image  definition.Image
		id     int
		tag    string
	}{
		"the active one stays":         {1, definition.Image{Digest: digest(1), Tag: "v1"}, 1, "v1"},
		"and is known by the new tag":  {1, definition.Image{Digest: digest(1), Tag: "v9"}, 1, "v9"},
		"or by the one that it had":    {1, definition.Image{Digest: digest(1)}, 1, "v1"},
		"else the newest of the image": {2, definition.Image{Digest: digest(1), Tag: "v1"}, 5, "v1"},
		"also the first time":          {0, definition.Image{Digest: digest(2)}, 2, ""},
		"else a new one":               {2, definition.Image{Digest: digest(3), Tag: "v3"}, 6, "v3"},
	} {
		app := setops.NewApp("web")
		app.Releases, app.ActiveRelease = append([]setops.Release{}, releases...), test.active
		err := definition.Activate(app, test.image, func() (setops.Release, error) { return setops.Release{ID: 6, CreatedBy: "ada"}, nil })
		active, _ := app.Release(app.ActiveRelease)
		if err != nil || active.ID != test.id || active.Tag != test.tag || active.Digest != test.image.Digest {
			t.Errorf("%s: %+v, %v", name, active, err)
		}
	}
	app := setops.NewApp("web")
	if err := definition.Activate(app, definition.Image{Digest: digest(1)}, func() (r setops.Release, err error) { return r, errors.ErrUnsupported }); err == nil || app.ActiveRelease != 0 {
		t.Errorf("%v, %+v", err, app)
	}
}
