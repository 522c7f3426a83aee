package daemon

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/mail"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/pflag"
	"go.yaml.in/yaml/v3"
)

// Config is what `setopsd serve` can be told.
type Config struct {
	DataDir           string
	Listen            string // API and registry
	HTTPListen        string // router
	Domain            string
	Engine            string
	Organization      string
	AdminEmail        string
	AdminPasswordFile string
}

// Flags declares the flags of Config with their defaults.
func (c *Config) Flags(f *pflag.FlagSet) {
	f.StringVar(&c.DataDir, "data-dir", defaultDataDir(), "directory that holds everything: database, key, images, tasks, logs")
	f.StringVar(&c.Listen, "listen", "127.0.0.1:7700", "address of the API and the image registry")
	f.StringVar(&c.HTTPListen, "http-listen", "127.0.0.1:8080", "address of the router, where apps answer")
	f.StringVar(&c.Domain, "domain", "localhost", "public apps answer at APP.STAGE.PROJECT.DOMAIN")
	f.StringVar(&c.Engine, "engine", "auto", "what runs containers: auto or embedded")
	f.StringVar(&c.Organization, "organization", "demo", "organization that the first start makes")
	f.StringVar(&c.AdminEmail, "admin-email", "admin@localhost", "e-mail address of the admin that the first start makes")
	f.StringVar(&c.AdminPasswordFile, "admin-password-file", "", "file with the admin's password, read at the first start only (default: one is generated)")
}

func defaultDataDir() string {
	if os.Geteuid() == 0 {
		return "/var/lib/setops"
	}
	if dir := os.Getenv("XDG_DATA_HOME"); dir != "" {
		return filepath.Join(dir, "setops")
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "setops-data"
	}
	return filepath.Join(home, ".local", "share", "setops")
}

// Fill sets the flags that the command line left alone: from SETOPSD_…, then from the YAML file that path names.
func Fill(f *pflag.FlagSet, path string, getenv func(string) string) error {
	file, err := readFile(path)
	if err != nil {
		return err
	}
	for name := range file {
		if f.Lookup(name) == nil || name == "config" {
			return fmt.Errorf("%s: there is no setting %q; the settings are %s", path, name, strings.Join(names(f), ", "))
		}
	}
	var all []error
	f.VisitAll(func(flag *pflag.Flag) {
		value, source := getenv(Variable(flag.Name)), Variable(flag.Name)
		if value == "" {
			value, source = file[flag.Name], path+": "+flag.Name
		}
		if flag.Changed || value == "" {
			return
		}
		if err := f.Set(flag.Name, value); err != nil {
			all = append(all, fmt.Errorf("%s: %w", source, err))
		}
	})
	return errors.Join(all...)
}

// Variable is the environment variable of a flag.
func Variable(flag string) string {
	return "SETOPSD_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

func readFile(path string) (map[string]string, error) {
	if path == "" {
		return nil, nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read configuration: %w", err)
	}
	settings := map[string]string{}
	if err := yaml.Unmarshal(text, &settings); err != nil {
		return nil, fmt.Errorf("read configuration %s: it is no YAML of names and values: %w", path, err)
	}
	return settings, nil
}

func names(f *pflag.FlagSet) []string {
	var all []string
	f.VisitAll(func(flag *pflag.Flag) {
		if flag.Name != "config" && flag.Name != "help" {
			all = append(all, flag.Name)
		}
	})
	return all
}

var (
	domainShape       = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$`)
	organizationShape = regexp.MustCompile(`^[a-z][a-z0-9]*$`)
	engines           = []string{"auto", "embedded"}
)

// check says everything that is wrong with the values, each with the flag that sets it.
func (c *Config) check() error {
	var all []error
	refuse := func(bad bool, format string, args ...any) {
		if bad {
			all = append(all, fmt.Errorf(format, args...))
		}
	}
	c.Domain = strings.ToLower(strings.TrimSuffix(c.Domain, "."))
	address, mailErr := mail.ParseAddress(c.AdminEmail)
	plain := mailErr == nil && address.Address == c.AdminEmail // without a name in front
	c.AdminEmail = strings.ToLower(c.AdminEmail)               // as those who sign in may write it either way
	refuse(c.DataDir == "", "--data-dir is empty")
	refuse(!domainShape.MatchString(c.Domain) || len(c.Domain) > 190, "--domain %q is no domain name", c.Domain)
	refuse(!slices.Contains(engines, c.Engine), "--engine %q is none of %s", c.Engine, strings.Join(engines, ", "))
	refuse(!organizationShape.MatchString(c.Organization) || len(c.Organization) > 64,
		"--organization %q is not made of lower-case letters and digits, a letter first, at most 64", c.Organization)
	refuse(!plain, "--admin-email %q is no e-mail address", c.AdminEmail)
	for flag, address := range map[string]string{"listen": c.Listen, "http-listen": c.HTTPListen} {
		_, _, err := net.SplitHostPort(address)
		refuse(err != nil, "--%s %q is no address; write HOST:PORT, as 127.0.0.1:7700", flag, address)
	}
	refuse(!isLoopback(c.Listen), "--listen %s is not a loopback address, and passwords would travel in clear; "+
		"listen on 127.0.0.1 and put a server that speaks TLS in front", c.Listen)
	return errors.Join(all...)
}

func isLoopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil || host == "localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// readPassword reads a password file: only its owner may read it, and the last newline is no part of it.
func readPassword(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", fmt.Errorf("read admin password: %w", err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return "", fmt.Errorf("read admin password: group or others can read %s; run chmod 600 %s", path, path)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("read admin password: %w", err)
	}
	password := strings.TrimSuffix(strings.TrimSuffix(string(text), "\n"), "\r")
	if password == "" {
		return "", fmt.Errorf("read admin password: %s is empty", path)
	}
	return password, nil
}

// writeNew writes a file that must not be there yet, readable by its owner only, whole or not at all.
func writeNew(path string, content []byte) error {
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("write %s: %w", path, fs.ErrExist)
	}
	f, err := os.OpenFile(path+".new", os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}
