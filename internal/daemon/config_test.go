package daemon

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/pflag"
)

// fill reads a Config as serve does.
func fill(t *testing.T, args []string, env map[string]string, file string) (Config, error) {
	t.Helper()
	var c Config
	f := pflag.NewFlagSet("serve", pflag.ContinueOnError)
	c.Flags(f)
	f.String("config", "", "")
	if err := f.Parse(args); err != nil {
		t.Fatal(err)
	}
	return c, Fill(f, file, func(name string) string { return env[name] })
}

func write(t *testing.T, text string, mode os.FileMode) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestAFlagWinsOverAVariableAndAVariableOverTheFile(t *testing.T) {
	file := write(t, "domain: file.example\norganization: file\nadmin-email: file@example.com\n", 0o644)
	c, err := fill(t, []string{"--domain", "flag.example"},
		map[string]string{"SETOPSD_DOMAIN": "variable.example", "SETOPSD_ORGANIZATION": "variable"}, file)
	if err != nil {
		t.Fatal(err)
	}
	if c.Domain != "flag.example" || c.Organization != "variable" || c.AdminEmail != "file@example.com" || c.Listen != "127.0.0.1:7700" {
		t.Errorf("%+v", c)
	}
}

func TestEverySettingHasAVariable(t *testing.T) {
	var c Config
	f := pflag.NewFlagSet("serve", pflag.ContinueOnError)
	c.Flags(f)
	env := map[string]string{}
	f.VisitAll(func(flag *pflag.Flag) {
		env["SETOPSD_"+strings.ToUpper(strings.ReplaceAll(flag.Name, "-", "_"))] = "of " + flag.Name
	})
	if err := Fill(f, "", func(name string) string { return env[name] }); err != nil {
		t.Fatal(err)
	}
	f.VisitAll(func(flag *pflag.Flag) {
		if flag.Value.String() != "of "+flag.Name {
			t.Errorf("--%s is %q", flag.Name, flag.Value)
		}
	})
	if c.DataDir != "of data-dir" || c.AdminPasswordFile != "of admin-password-file" {
		t.Errorf("%+v", c)
	}
}

func TestAFileThatCannotBeUsedIsNamed(t *testing.T) {
	for name, test := range map[string]struct{ file, why string }{
		"a setting that is not there": {write(t, "colour: red\n", 0o644), `there is no setting "colour"; the settings are `},
		"the file inside itself":      {write(t, "config: x\n", 0o644), `there is no setting "config"`},
		"no YAML":                     {write(t, "{", 0o644), "it is no YAML"},
		"a list":                      {write(t, "- a\n", 0o644), "it is no YAML of names and values"},
		"no file":                     {filepath.Join(t.TempDir(), "none"), "read configuration"},
	} {
		if _, err := fill(t, nil, nil, test.file); err == nil || !strings.Contains(err.Error(), test.why) || !strings.Contains(err.Error(), test.file) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := fill(t, nil, nil, write(t, "", 0o644)); err != nil {
		t.Errorf("an empty file: %v", err)
	}
}

func valid() Config {
	return Config{
		DataDir: "/srv", Listen: "127.0.0.1:7700", HTTPListen: "0.0.0.0:80", Domain: "apps.example.net", Engine: "auto",
		Organization: "demo", AdminEmail: "ada@example.com",
	}
}

func TestValuesThatCannotBeAreRefusedWithTheirFlag(t *testing.T) {
	c := valid()
	if err := c.check(); err != nil {
		t.Fatal(err)
	}
	for flag, values := range map[string][]string{
		"--data-dir":     {""},
		"--listen":       {"7700", "127.0.0.1", "0.0.0.0:7700", ":7700", "192.0.2.1:7700", "example.com:7700"},
		"--http-listen":  {"80", ""},
		"--domain":       {"", "-a.example", "a..example", "apps example", "http://example.net", "*.example.net", strings.Repeat("a.", 100) + "net"},
		"--engine":       {"", "podman"},
		"--organization": {"", "Demo", "1demo", "a/b", "a-b", strings.Repeat("a", 65)},
		"--admin-email":  {"", "ada", "ada@", "Ada <ada@example.com>"},
	} {
		for _, value := range values {
			c := valid()
			*map[string]*string{
				"--data-dir": &c.DataDir, "--listen": &c.Listen, "--http-listen": &c.HTTPListen, "--domain": &c.Domain,
				"--engine": &c.Engine, "--organization": &c.Organization, "--admin-email": &c.AdminEmail,
			}[flag] = value
			if err := c.check(); err == nil || !strings.Contains(err.Error(), flag) {
				t.Errorf("%s %q: %v", flag, value, err)
			}
		}
	}
	for _, domain := range []string{"LOCALHOST", "localhost."} {
		c := valid()
		c.Domain = domain
		if err := c.check(); err != nil || c.Domain != "localhost" {
			t.Errorf("%q became %q, %v", domain, c.Domain, err)
		}
	}
	c = Config{}
	if err := c.check(); strings.Count(err.Error(), "\n") < 4 {
		t.Errorf("not all that is wrong is told at once: %v", err)
	}
}

func TestAPasswordFileIsItsOwnersAlone(t *testing.T) {
	for _, mode := range []os.FileMode{0o640, 0o604, 0o660, 0o644} {
		path := write(t, "secret\n", 0o600)
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		if _, err := readPassword(path); err == nil || !strings.Contains(err.Error(), "chmod 600 "+path) {
			t.Errorf("mode %o: %v", mode, err)
		}
	}
	for text, want := range map[string]string{"a b\n": "a b", "a": "a", "a\r\n": "a", " a \n\n": " a \n"} {
		if got, err := readPassword(write(t, text, 0o600)); err != nil || got != want {
			t.Errorf("%q: %q, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "\n"} {
		if _, err := readPassword(write(t, text, 0o600)); err == nil || !strings.Contains(err.Error(), "is empty") {
			t.Errorf("%q: %v", text, err)
		}
	}
	if _, err := readPassword(filepath.Join(t.TempDir(), "none")); err == nil {
		t.Error("a file that is not there was read")
	}
}
