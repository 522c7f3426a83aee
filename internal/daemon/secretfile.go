package daemon

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// checkPassword refuses a password file before the first start has written anything; later starts do not read it.
func (c *Config) checkPassword() error {
	if c.AdminPasswordFile == "" {
		return nil
	}
	for _, made := range []string{sqliteFile, databaseFile} {
		if _, err := os.Stat(filepath.Join(c.DataDir, made)); err == nil {
			return nil
		}
	}
	_, err := readPassword(c.AdminPasswordFile)
	return err
}

// readPassword reads the file of the first admin's password.
func readPassword(path string) (string, error) { return readSecret("admin password", path) }

// readSecret reads a file with a secret: only its owner may read it (isExposed), and the last newline is no part of it.
func readSecret(what, path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", fmt.Errorf("read %s: %w", what, err)
	}
	if isExposed(info) {
		return "", fmt.Errorf("read %s: group or others can read %s; run chmod 600 %s", what, path, path)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("read %s: %w", what, err)
	}
	secret := strings.TrimSuffix(strings.TrimSuffix(string(text), "\n"), "\r")
	if secret == "" {
		return "", fmt.Errorf("read %s: %s is empty", what, path)
	}
	return secret, nil
}

// isExposed reports a file that more can read than must. That its group can is right where this process reads it by that: a Secret of a
// cluster is a file of root's and of the group of its pod, and of nobody else.
func isExposed(info fs.FileInfo) bool {
	mode := info.Mode().Perm()
	owner, ok := info.Sys().(*syscall.Stat_t)
	byGroup := ok && mode&0o040 != 0 && int(owner.Uid) != os.Geteuid() && os.Geteuid() != 0
	if byGroup {
		mode &^= 0o070
	}
	return mode&0o077 != 0
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
