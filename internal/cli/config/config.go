// Package config reads what a user has set down outside of the command line, and writes what `setops login` learns. It
// knows files and variables, not flags: those come on top in kit.
//
// From strongest to weakest: SETOPS_… variables; the nearest .setops.yml in the directory or a parent, of which only
// project, stage, app and service count, because a cloned repository must not choose a server or a token; and the user's
// ~/.setops.yml. Start with Load.
package config

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/viper"
)

// FileName is the name of the user's file in the home directory and of a project's file in its directory.
const FileName = ".setops.yml"

// DefaultURL is the server where nothing names one: a setopsd started without configuration.
const DefaultURL = "http://127.0.0.1:7700"

// Config is what holds before flags.
type Config struct {
	URL          string // the server's base URL
	Organization string
	Email        string

	Token      string    // of SETOPS_TOKEN or stored
	FromEnv    bool      // the token is that of SETOPS_TOKEN: the user chose where it goes
	Refresh    string    // what the stored token is renewed with; empty: it is not
	Issuer     string    // origin of the server that issued the stored token
	ExpiresAt  time.Time // of the stored token
	Project    string
	Stage      string
	App        string
	StoredPath string // where login stores
}

// Source is where a Config comes from.
type Source struct {
	Getenv func(string) string
	Dir    string // where the search for a project's file begins
}

// Load reads the files and variables. Files that are not there are no error; files that cannot be understood are.
func Load(from Source) (*Config, error) {
	v := viper.New()
	v.SetConfigType("yaml")
	v.SetDefault("url", DefaultURL)
	stored := from.storedPath()
	if err := readStored(v, stored); err != nil {
		return nil, err
	}
	if err := mergeProject(v, from.Dir, stored); err != nil {
		return nil, err
	}
	c := &Config{Token: v.GetString("token"), Refresh: v.GetString("refresh_token"), Issuer: v.GetString("issuer"), ExpiresAt: v.GetTime("expires_at"), StoredPath: stored}
	for _, key := range []string{"url", "organization", "project", "stage", "app", "token"} {
		if value := from.Getenv(variable(key)); value != "" {
			v.Set(key, value)
		}
	}
	if token := v.GetString("token"); token != c.Token || from.Getenv(variable("token")) != "" {
		c.Token, c.FromEnv = token, true
	}
	c.URL, c.Organization, c.Email = v.GetString("url"), v.GetString("organization"), v.GetString("email")
	c.Project, c.Stage, c.App = v.GetString("project"), v.GetString("stage"), v.GetString("app")
	return c, nil
}

func (s Source) storedPath() string {
	for _, name := range []string{"HOME", "USERPROFILE"} {
		if home := s.Getenv(name); home != "" {
			return filepath.Join(home, FileName)
		}
	}
	return ""
}

func readStored(v *viper.Viper, path string) error {
	if path == "" {
		return nil
	}
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read %s: %w", path, err)
	}
	if err := v.ReadConfig(bytes.NewReader(text)); err != nil {
		return fmt.Errorf("read %s: %w", path, err)
	}
	return nil
}
