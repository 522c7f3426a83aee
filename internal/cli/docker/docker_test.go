package docker

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

func pathsIn(t *testing.T) Paths {
	t.Helper()
	home := t.TempDir()
	p, err := PathsOf(func(name string) string { return map[string]string{"HOME": home}[name] })
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestSettingUpKeepsAllElseOfTheConfiguration(t *testing.T) {
	for _, test := range []struct{ name, before, after string }{
		{"no file", "", "{\n\t\"credHelpers\": {\n\t\t\"example.com\": \"setops\"\n\t}\n}\n"},
		{
			"other members, in their order and their spelling",
			`{"z": 1.0e2, "auths": {"a<b>&": {"auth": "\u0041=="}}, "credsStore": "pass", "big": 12345678901234567890, "z2": [ ]}`,
			"{\n\t\"z\": 1.0e2,\n\t\"auths\": {\n\t\t\"a<b>&\": {\n\t\t\t\"auth\": \"\\u0041==\"\n\t\t}\n\t},\n\t\"credsStore\": \"pass\",\n" +
				"\t\"big\": 12345678901234567890,\n\t\"z2\": [],\n\t\"credHelpers\": {\n\t\t\"example.com\": \"setops\"\n\t}\n}\n",
		},
		{
			"other helpers", `{"credHelpers": {"gcr.io": "gcloud"}, "x": null}`,
			"{\n\t\"credHelpers\": {\n\t\t\"gcr.io\": \"gcloud\",\n\t\t\"example.com\": \"setops\"\n\t},\n\t\"x\": null\n}\n",
		},
		{"set up already", `{"credHelpers":{"example.com":"setops"}}`, `{"credHelpers":{"example.com":"setops"}}`},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := pathsIn(t)
			if test.before != "" {
				if err := os.MkdirAll(filepath.Dir(p.Config), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(p.Config, []byte(test.before), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if err := p.SetUp("example.com", "/usr/bin/setops"); err != nil {
				t.Fatal(err)
			}
			if got := read(t, p.Config); got != test.after {
				t.Errorf("the file is\n%s\nnot\n%s", got, test.after)
			}
			if info, err := os.Stat(p.Config); err != nil || test.before != test.after && info.Mode().Perm() != 0o600 {
				t.Errorf("%v, %v", info.Mode(), err)
			}
		})
	}
}

func TestWhatWasSetUpIsTakenBackAndNothingElse(t *testing.T) {
	p := pathsIn(t)
	if err := p.TakeBack("example.com"); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(p.Config); err == nil {
		t.Error("a file was made")
	}
	if err := p.SetUp("example.com", "setops"); err != nil {
		t.Fatal(err)
	}
	if err := p.TakeBack("example.com"); err != nil || read(t, p.Config) != "{}\n" {
		t.Errorf("%v: %s", err, read(t, p.Config))
	}
	others := `{"credHelpers":{"example.com":"pass","gcr.io":"setops"}}`
	if err := os.WriteFile(p.Config, []byte(others), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := p.TakeBack("example.com"); err != nil || read(t, p.Config) != others {
		t.Errorf("%v: %s", err, read(t, p.Config))
	}
}

func TestAFileThatCannotBeReadIsLeftAsItIs(t *testing.T) {
	p := pathsIn(t)
	if err := os.MkdirAll(filepath.Dir(p.Config), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"[]", "{", `{"a":1} {"b":2}`, `{"credHelpers": "x"}`, `{"a" 1}`, "null"} {
		if err := os.WriteFile(p.Config, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := p.SetUp("example.com", "setops"); err == nil || !strings.Contains(err.Error(), p.Config) {
			t.Errorf("%s: %v", text, err)
		}
		if got := read(t, p.Config); got != text {
			t.Errorf("%s became %s", text, got)
		}
	}
}

func TestDockersOwnPlaceForItsConfigurationHolds(t *testing.T) {
	p, err := PathsOf(func(name string) string {
		return map[string]string{"DOCKER_CONFIG": "/elsewhere", "USERPROFILE": "/home/ada"}[name]
	})
	if err != nil || p.Config != filepath.Join("/elsewhere", "config.json") || p.Bin != filepath.Join("/home/ada", "bin") {
		t.Errorf("%+v, %v", p, err)
	}
	if _, err := PathsOf(func(string) string { return "" }); err == nil {
		t.Error("there is a home where there is none")
	}
	sep := string(filepath.ListSeparator)
	if !p.InPath("/usr/bin"+sep+"/home/ada/bin/") || p.InPath("/usr/bin"+sep+"/home/ada") {
		t.Error("the directory of the program is looked for wrongly")
	}
}

func TestTheHelperRunsSetopsWhereverThatIs(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("it is a script for sh")
	}
	p := pathsIn(t)
	program := filepath.Join(t.TempDir(), "it's here")
	if err := os.WriteFile(program, []byte("#!/bin/sh\necho \"first $*\"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := p.SetUp("example.com", program); err != nil {
		t.Fatal(err)
	}
	if got := run(t, p, t.TempDir()); got != "first docker get\n" {
		t.Errorf("it says %q", got)
	}
	// It was moved into the path.
	bin := t.TempDir()
	if err := os.WriteFile(filepath.Join(bin, "setops"), []byte("#!/bin/sh\necho \"second $*\"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(program); err != nil {
		t.Fatal(err)
	}
	if got := run(t, p, bin); got != "second docker get\n" {
		t.Errorf("it says %q", got)
	}
}

// run runs the helper program as Docker does, with programs of a directory in its path.
func run(t *testing.T, p Paths, path string) string {
	t.Helper()
	cmd := exec.Command(filepath.Join(p.Bin, Program), "get")
	cmd.Env = []string{"PATH=" + path + string(filepath.ListSeparator) + os.Getenv("PATH")}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("%v: %s", err, out)
	}
	return string(out)
}
