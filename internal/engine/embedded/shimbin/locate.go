package shimbin

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

const (
	program  = "setops-shim"
	variable = "SETOPS_SHIM"
)

// Locate gives the path of the program. One that setopsd carries is unpacked to dir/<hash>/setops-shim, once: shims of
// containers that run go on with theirs, and others that are no longer run are removed; only one server may use dir. Else it is the one that SETOPS_SHIM names, or the
// one beside this executable.
func Locate(dir string) (string, error) {
	if carried != nil {
		path, err := unpack(dir, carried)
		if err == nil {
			prune(dir, filepath.Dir(path))
		}
		return path, err
	}
	if path := os.Getenv(variable); path != "" {
		return path, runnable(path)
	}
	self, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("find the program %s: %w", program, err)
	}
	path := filepath.Join(filepath.Dir(self), program)
	return path, runnable(path)
}

func runnable(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("find the program %s, which %s may name: %w", program, variable, err)
	}
	if info.Mode()&0o111 == 0 {
		return fmt.Errorf("the program %s at %s is not executable", program, path)
	}
	return nil
}

// unpack writes beside and renames, so that no half program is ever found.
func unpack(dir string, packed []byte) (string, error) {
	sum := sha256.Sum256(packed)
	home := filepath.Join(dir, hex.EncodeToString(sum[:8]))
	path := filepath.Join(home, program)
	if runnable(path) == nil {
		return path, nil
	}
	if err := os.MkdirAll(home, 0o700); err != nil {
		return "", fmt.Errorf("unpack %s: %w", program, err)
	}
	if err := write(path+".new", packed); err != nil {
		return "", fmt.Errorf("unpack %s: %w", program, err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		return "", fmt.Errorf("unpack %s: %w", program, err)
	}
	return path, nil
}

func write(path string, packed []byte) error {
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o700)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, r)
	if err == nil {
		err = f.Sync()
	}
	if closed := f.Close(); err == nil {
		err = closed
	}
	return err
}
