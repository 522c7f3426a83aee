// Package docker sets up what the Docker CLI needs to ask setops for credentials: the entry in its configuration and the
// helper program that the entry names. It gives out no credentials itself; cmd/docker does.
//
// Start with SetUp.
package docker

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/setopsco/setops/internal/cli/config"
)

// Helper is the name by which Docker's configuration calls for us: it runs docker-credential-setops.
const Helper = "setops"

// helpersKey is the list of helpers by registry in Docker's configuration.
const helpersKey = "credHelpers"

// Paths are where Docker's configuration and the helper program are.
type Paths struct {
	Config string // Docker's config.json
	Bin    string // the directory of the helper program
}

// PathsOf finds them as the Docker CLI does: DOCKER_CONFIG, else the home directory.
func PathsOf(getenv func(string) string) (Paths, error) {
	home := getenv("HOME")
	if home == "" {
		home = getenv("USERPROFILE")
	}
	if home == "" {
		return Paths{}, errors.New("there is no home directory: HOME is not set")
	}
	dir := getenv("DOCKER_CONFIG")
	if dir == "" {
		dir = filepath.Join(home, ".docker")
	}
	return Paths{Config: filepath.Join(dir, "config.json"), Bin: filepath.Join(home, "bin")}, nil
}

// SetUp has Docker ask setops for the credentials of a registry, by a helper that runs program.
func (p Paths) SetUp(host, program string) error {
	if err := writeHelper(p.Bin, program); err != nil {
		return err
	}
	name, err := json.Marshal(Helper)
	if err != nil {
		return err
	}
	return p.edit(func(helpers object) object { return helpers.with(host, name) })
}

// TakeBack has Docker not ask setops any more for a registry. An entry of somebody else stays.
func (p Paths) TakeBack(host string) error {
	return p.edit(func(helpers object) object {
		var name string
		if json.Unmarshal(helpers.value(host), &name) != nil || name != Helper {
			return helpers
		}
		return helpers.without(host)
	})
}

// edit changes the list of helpers and keeps everything else in the file as it is written there. A file that would say the
// same is not written.
func (p Paths) edit(change func(helpers object) object) error {
	text, err := os.ReadFile(p.Config)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("read Docker's configuration: %w", err)
	}
	edited, err := editHelpers(text, change)
	if err != nil {
		return fmt.Errorf("change %s: %w", p.Config, err)
	}
	if edited == nil {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(p.Config), 0o700); err != nil {
		return fmt.Errorf("make the directory of Docker's configuration: %w", err)
	}
	if err := config.Replace(p.Config, edited); err != nil {
		return fmt.Errorf("write %s: %w", p.Config, err)
	}
	return nil
}

// editHelpers gives the new text of the file; nil: the old one says the same.
func editHelpers(text []byte, change func(helpers object) object) ([]byte, error) {
	file, err := parseObject(text)
	if err != nil {
		return nil, err
	}
	helpers, err := parseObject(file.value(helpersKey))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", helpersKey, err)
	}
	changed := change(helpers)
	if changed.equal(helpers) {
		return nil, nil
	}
	if len(changed) == 0 {
		return file.without(helpersKey).text()
	}
	inner, err := changed.compact()
	if err != nil {
		return nil, err
	}
	return file.with(helpersKey, inner).text()
}
