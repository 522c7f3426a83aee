package daemon

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
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
		env["SETOPSD_"+strings.ToUpper(strings.ReplaceAll(flag.Name, "-", "_"))] = other(flag)
	})
	if err := Fill(f, "", func(name string) string { return env[name] }); err != nil {
		t.Fatal(err)
	}
	f.VisitAll(func(flag *pflag.Flag) {
		if flag.Value.String() != other(flag) {
			t.Errorf("--%s is %q", flag.Name, flag.Value)
		}
	})
	if c.DataDir != "of data-dir" || c.AdminPasswordFile != "of admin-password-file" {
		t.Errorf("%+v", c)
	}
}

// other is a value that a flag does not have by itself.
func other(flag *pflag.Flag) string {
	switch flag.Value.Type() {
	case "bool":
		return "true"
	case "duration":
		return "7m0s"
	case "int":
		return "7"
	}
	return "of " + flag.Name
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
		"--data-dir":         {""},
		"--database":         {"setops.db", "mysql://db.example/setops", "host=db.example", "postgres:db"},
		"--listen":           {"7700", "127.0.0.1", "0.0.0.0:7700", ":7700", "192.0.2.1:7700", "example.com:7700"},
		"--http-listen":      {"80", ""},
		"--https-listen":     {"443", "127.0.0.1"},
		"--domain":           {"", "-a.example", "a..example", "apps example", "http://example.net", "*.example.net", strings.Repeat("a.", 100) + "net"},
		"--acme-email":       {"ada", "Ada <ada@example.com>"},
		"--acme-directory":   {"lokal", "http://ca.example/dir", "https://", "https:dir", "ca.example"},
		"--tcp-ports":        {"20000", "20000-", "a-b", "0-10", "-1-10", "2-1", "1-65536", "1-100000", "1 - 2", "70-90", "1-2,3-4"},
		"--trusted-proxies":  {"10.0.0.0/33", "proxy.example", "10.0.0.0/8,x", "fe80::1%eth0"},
		"--public-addresses": {"192.0.2", "0.0.0.0", "::", "224.0.0.1", "192.0.2.1:80", "192.0.2.1 192.0.2.2"},
		"--dns-resolver":     {"192.0.2.1", "192.0.2.1:", "192.0.2.1:0", "192.0.2.1:65536", ":53"},
		"--engine":           {"", "podman"},
		"--registry-listen":  {"5000", ":5000", "registry.example.net"},
		"--namespace":        {"Set_Ops", "-a"},
		"--cluster-domain":   {"cluster local"},
		"--pod-security":     {"privileged"},
		"--routing":          {"cluster", "router"}, // the latter on no other engine than a cluster
		"--ingress-class":    {"Nginx", "a b"},
		"--tcp-services":     {"ingress", "nodeport"}, // the latter on no other engine than a cluster
		"--gateway":          {"public", "a/b/c", "Gateways/public"},
		"--router-networks":  {"10.0.0.0/33", "10.0.0.0/8,x"},
		"--docker-host":      {"/var/run/docker.sock", "unix:", "tcp://docker", "ssh://docker:22"},
		"--organization":     {"", "Demo", "1demo", "a/b", "a-b", strings.Repeat("a", 65)},
		"--admin-email":      {"", "ada", "ada@", "Ada <ada@example.com>"},
		"--public-url":       {"setops.example.net", "ftp://setops.example.net", "https://", "https://setops.example.net/api", "https://setops.example.net?a=b"},
		"--smtp":             {"mail.example.net", "mail"},
		"--smtp-from":        {"", "ada", "SetOps"},
		"--smtp-tls":         {"ssl", "none"}, // in clear only within the machine
		"--smtp-user":        {"ada"},         // without a password
	} {
		for _, value := range values {
			c := valid()
			if strings.HasPrefix(flag, "--smtp") {
				c.SMTP, c.SMTPFrom = "mail.example.net:587", "setops@example.net"
			}
			*field(&c, flag) = value
			err := c.check()
			if err == nil || !strings.Contains(err.Error(), flag) {
				t.Errorf("%s %q: %v", flag, value, err)
			}
			if flag == "--database" && strings.Contains(err.Error(), value) {
				t.Errorf("%s may have a password in it: %v", flag, err)
			}
		}
	}
	for flag, spoil := range map[string]func(c *Config){
		"--gc-interval":      func(c *Config) { c.GCInterval = -1 },
		"--gc-keep-age":      func(c *Config) { c.GCKeepAge = -1 },
		"--gc-keep-commits":  func(c *Config) { c.GCKeepCommits = -1 },
		"--gc-keep-releases": func(c *Config) { c.GCKeepReleases = -1 },
		"--audit-keep-age":   func(c *Config) { c.AuditKeepAge = -1 },
		"--smtp, which":      func(c *Config) { c.SMTPFrom = "setops@example.net" },
	} {
		c := valid()
		spoil(&c)
		if err := c.check(); err == nil || !strings.Contains(err.Error(), flag) {
			t.Errorf("%s: %v", flag, err)
		}
	}
	c = Config{}
	if err := c.check(); strings.Count(err.Error(), "\n") < 4 {
		t.Errorf("not all that is wrong is told at once: %v", err)
	}
}

func field(c *Config, flag string) *string {
	return map[string]*string{
		"--data-dir": &c.DataDir, "--database": &c.Database, "--listen": &c.Listen, "--http-listen": &c.HTTPListen, "--https-listen": &c.HTTPSListen,
		"--domain": &c.Domain, "--acme-email": &c.ACMEEmail, "--acme-directory": &c.ACMEDirectory, "--tcp-ports": &c.TCPPorts,
		"--trusted-proxies": &c.TrustedProxies, "--public-addresses": &c.PublicAddresses, "--dns-resolver": &c.DNSResolver,
		"--engine": &c.Engine, "--docker-host": &c.DockerHost, "--organization": &c.Organization, "--admin-email": &c.AdminEmail,
		"--registry-listen": &c.RegistryListen, "--namespace": &c.Namespace, "--cluster-domain": &c.ClusterDomain, "--pod-security": &c.PodSecurity, "--routing": &c.Routing, "--ingress-class": &c.IngressClass, "--gateway": &c.Gateway, "--tcp-services": &c.TCPServices, "--router-networks": &c.RouterNetworks,
		"--public-url": &c.PublicURL, "--smtp": &c.SMTP, "--smtp-from": &c.SMTPFrom, "--smtp-tls": &c.SMTPEncryption, "--smtp-user": &c.SMTPUser,
	}[flag]
}

func TestValuesAreReadAsTheyAreMeant(t *testing.T) {
	c := valid()
	c.TCPPorts, c.TrustedProxies, c.PublicAddresses = "20000-20099", "10.1.2.3/8, 192.0.2.7,2001:db8::/32", "192.0.2.1,2001:db8::1"
	c.DNSResolver, c.DockerHost, c.Engine, c.ACMEEmail = "[2001:db8::2]:53", "tcp://127.0.0.1:2375", "docker", "ada@example.com"
	if err := c.check(); err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(c.settings.ports, c.settings.proxies, c.settings.addresses); got !=
		"{20000 20099} [10.0.0.0/8 192.0.2.7/32 2001:db8::/32] [192.0.2.1 2001:db8::1]" {
		t.Error(got)
	}
	for _, domain := range []string{"LOCALHOST", "localhost.", "dev.localhost"} {
		c := valid()
		c.Domain = domain
		if err := c.check(); err != nil || c.Domain != strings.ToLower(strings.TrimSuffix(domain, ".")) || c.ACMEDirectory != localAuthority {
			t.Errorf("%q became %q with authority %s, %v", domain, c.Domain, c.ACMEDirectory, err)
		}
	}
	c = valid()
	if err := c.check(); err != nil || c.ACMEDirectory != defaultDirectory {
		t.Errorf("%s is asked for certificates of %s, %v", c.ACMEDirectory, c.Domain, err)
	}
}

func TestPasswordsTravelInClearOnlyWhereThatIsAllowed(t *testing.T) {
	for name, test := range map[string]struct {
		https    string
		insecure bool
		allowed  bool
	}{
		"in clear":          {"", false, false},
		"with TLS":          {"0.0.0.0:443", false, true},
		"as somebody wants": {"", true, true},
	} {
		c := valid()
		c.Listen, c.HTTPSListen, c.Insecure = "0.0.0.0:7700", test.https, test.insecure
		if err := c.check(); (err == nil) != test.allowed {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestFilesThatFlagsNameMustBeThere(t *testing.T) {
	dir := t.TempDir()
	for name, change := range map[string]func(c *Config){
		"none":            func(c *Config) { c.ACMERoots = filepath.Join(dir, "none") },
		"no certificate":  func(c *Config) { c.ACMERoots = write(t, "hello", 0o600) },
		"no directory":    func(c *Config) { c.Certificates = filepath.Join(dir, "none") },
		"a file":          func(c *Config) { c.Certificates = write(t, "", 0o600) },
		"without its key": func(c *Config) { c.Certificates = filepath.Dir(certificate(t, true, false)) },
		"of another key":  func(c *Config) { c.Certificates = filepath.Dir(certificate(t, true, true)) },
	} {
		c := valid()
		change(&c)
		if err := c.read(); err == nil || !strings.Contains(err.Error(), c.ACMERoots+c.Certificates) {
			t.Errorf("%s: %v", name, err)
		}
	}
	c := valid()
	path := certificate(t, false, true)
	c.ACMERoots, c.Certificates = path, filepath.Dir(path)
	if err := c.read(); err != nil || !strings.HasPrefix(string(c.settings.roots), "-----BEGIN CERTIFICATE-----") {
		t.Errorf("%q, %v", c.settings.roots, err)
	}
}

// certificate writes a.crt, and a.key where withKey says so, which is not that of a.crt where foreign is set.
func certificate(t *testing.T, foreign, withKey bool) string {
	t.Helper()
	dir := t.TempDir()
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{"a.example"}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, public, private)
	if err != nil {
		t.Fatal(err)
	}
	if foreign {
		if _, private, err = ed25519.GenerateKey(nil); err != nil {
			t.Fatal(err)
		}
	}
	key, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	save := func(name, kind string, content []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: content}), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	if withKey {
		save("a.key", "PRIVATE KEY", key)
	}
	return save("a.crt", "CERTIFICATE", der)
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

func TestTheAuthorityIsPrintedFromTheDataDirectory(t *testing.T) {
	dir := t.TempDir()
	file := write(t, "data-dir: "+dir+"\ndomain: localhost\n", 0o644)
	authority := func() (string, string, int) {
		var out, complaints strings.Builder
		code := Main([]string{"authority", "--config", file}, func(string) string { return "" }, &out, &complaints)
		return out.String(), complaints.String(), code
	}
	if _, why, code := authority(); code == 0 || !strings.Contains(why, "there is no authority in "+dir) {
		t.Errorf("exit %d: %s", code, why)
	}
	if err := os.WriteFile(filepath.Join(dir, authorityFile), []byte("a certificate\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if text, why, code := authority(); code != 0 || text != "a certificate\n" {
		t.Errorf("exit %d: %s%s", code, text, why)
	}
}

func TestThePasswordForMailIsThatOfItsFile(t *testing.T) {
	c := valid()
	c.SMTP, c.SMTPFrom, c.SMTPUser = "mail.example.net:587", "setops@example.net", "setops"
	c.SMTPPasswordFile = write(t, "correct horse\n", 0o600)
	if err := errors.Join(c.check(), c.read()); err != nil {
		t.Fatal(err)
	}
	if sender := c.sender(); sender.Password != "correct horse" || sender.User != "setops" {
		t.Errorf("%+v", sender)
	}
}
