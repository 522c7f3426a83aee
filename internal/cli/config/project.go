package config

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/viper"
)

// projectKeys are the keys of a project's file that count.
var projectKeys = []string{"project", "stage", "app", "service"}

// variable is the name of the environment variable of a key.
func variable(key string) string { return "SETOPS_" + strings.ToUpper(key) }

// mergeProject lays the nearest project's file over v. The user's own file is not taken for one, so that a home
// directory is no project.
func mergeProject(v *viper.Viper, dir, stored string) error {
	path, text, err := nearest(dir, stored)
	if path == "" || err != nil {
		return err
	}
	file := viper.New()
	file.SetConfigType("yaml")
	if err := file.ReadConfig(bytes.NewReader(text)); err != nil {
		return fmt.Errorf("read %s: %w", path, err)
	}
	scope := map[string]any{}
	for _, key := range projectKeys {
		if file.IsSet(key) {
			scope[key] = file.GetString(key)
		}
	}
	return v.MergeConfigMap(scope)
}

func nearest(dir, stored string) (string, []byte, error) {
	for dir != "" {
		path := filepath.Join(dir, FileName)
		if path != stored {
			text, err := os.ReadFile(path)
			if err == nil {
				return path, text, nil
			}
			if !errors.Is(err, fs.ErrNotExist) {
				return "", nil, fmt.Errorf("read %s: %w", path, err)
			}
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			break
		}
		dir = parent
	}
	return "", nil, nil
}
