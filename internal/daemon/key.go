package daemon

import (
	"context"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/setopsco/setops/internal/seal"
	"github.com/setopsco/setops/internal/setops"
)

// The key that seals values is the operator's, of --key-file, or one of the data directory. A change of the latter goes through
// three files, so that it can break off anywhere (rotate.go):
//
//	key      the one that the database is sealed with
//	key.new  the one that it is about to be sealed with, or is: settleKey finds out
//	key.old  the one before, for backups of that time
const (
	keyFile    = "key"
	newKeyFile = "key.new"
	oldKeyFile = "key.old"
)

// What the database has of keys: what it knows the key by, and nothing else about it; and, sealed, the key of the records that
// users publish in DNS, which stay when the key changes.
const (
	keyCheck  = "key-check"
	domainKey = "domain-key"
)

// openKey opens the key that seals values. Where one is needed there must be one already.
func (c *core) openKey(needed bool) (err error) {
	if c.Config.KeyFile != "" {
		c.sealKey, err = readKey(c.Config.KeyFile)
	} else {
		c.sealKey, err = c.dir.secret(keyFile, seal.KeySize, needed)
		err = errors.Join(err, c.closeKey())
	}
	if err != nil {
		return err
	}
	c.box, err = seal.New(c.sealKey)
	return err
}

// closeKey makes the key of the data directory its owner's alone, as a restored one may not be.
func (c *core) closeKey() error {
	info, err := os.Stat(c.dir.file(keyFile))
	if err != nil || info.Mode().Perm()&0o077 == 0 {
		return nil // where there is none, that was told
	}
	c.Logger.Warn("group or others could read the key; the server has set its mode to 0600", "file", c.dir.file(keyFile))
	return os.Chmod(c.dir.file(keyFile), 0o600)
}

// readKey reads a key that the operator has made.
func readKey(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("read key: %w; `openssl rand -hex %d` makes one", err, seal.KeySize)
	}
	if isExposed(info) {
		return nil, fmt.Errorf("read key: group or others can read %s; run chmod 600 %s", path, path)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read key: %w", err)
	}
	return decodeKey(path, text, seal.KeySize)
}

// decodeKey does not say what is in the file: it may be a key with a slip of the pen.
func decodeKey(path string, text []byte, size int) ([]byte, error) {
	value, err := hex.DecodeString(strings.TrimSpace(string(text)))
	if err != nil || len(value) != size {
		return nil, fmt.Errorf("the file %s is damaged: it must hold %d bytes in hexadecimal", path, size)
	}
	return value, nil
}

// keyPath is where the key is.
func (c *core) keyPath() string {
	if c.Config.KeyFile != "" {
		return c.Config.KeyFile
	}
	return c.dir.file(keyFile)
}

// checkOf is what a database knows a key by.
func checkOf(key []byte) string {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte("the key of a setopsd installation"))
	return hex.EncodeToString(mac.Sum(nil))
}

// settleKey ends a change of the key that broke off behind the database, then proves the key.
func (c *core) settleKey(ctx context.Context) error {
	if c.Config.KeyFile != "" {
		return c.proveKey(ctx)
	}
	there, err := c.dir.has(newKeyFile)
	if err != nil || !there {
		return errors.Join(err, c.proveKey(ctx))
	}
	fresh, err := c.dir.secret(newKeyFile, seal.KeySize, true)
	if err != nil {
		return err
	}
	installed, err := c.store.Installation(ctx)
	if err != nil {
		return err
	}
	if installed[keyCheck] == checkOf(fresh) {
		c.Logger.Info("the key was being changed; the new one is taken", "file", c.dir.file(keyFile))
		if err := errors.Join(c.dir.takeNewKey(), c.openKey(true)); err != nil {
			return err
		}
	}
	return c.proveKey(ctx)
}

// takeNewKey puts the new key into the place of the old one, which it keeps. There is a key at any moment.
func (d *dataDir) takeNewKey() error {
	if err := removeIfThere(d.file(oldKeyFile)); err != nil {
		return err
	}
	if err := os.Link(d.file(keyFile), d.file(oldKeyFile)); err != nil {
		return fmt.Errorf("keep the old key: %w", err)
	}
	if err := os.Rename(d.file(newKeyFile), d.file(keyFile)); err != nil {
		return fmt.Errorf("take the new key: %w", err)
	}
	return syncDir(d.path)
}

// retireKey keeps the key of the data directory as the old one: the new one is elsewhere.
func (d *dataDir) retireKey() error {
	if err := os.Rename(d.file(keyFile), d.file(oldKeyFile)); err != nil {
		return fmt.Errorf("keep the old key: %w", err)
	}
	return syncDir(d.path)
}

// proveKey refuses a database whose values are sealed with another key.
func (c *core) proveKey(ctx context.Context) error {
	own := checkOf(c.sealKey)
	have, err := c.store.Install(ctx, keyCheck, own)
	if err != nil {
		return err
	}
	if have != own {
		return fmt.Errorf("the values in the database are sealed with another key than %s; put the key there that belongs to this database, "+
			"name it with --key-file, or use another database", c.keyPath())
	}
	return nil
}

// domainPurpose is what the key of the validation records is sealed for.
const domainPurpose = "domain key"

// domainKey gives the key of the validation records. It was derived from the key that the installation began with.
func (c *core) domainKey(ctx context.Context) ([]byte, error) {
	first, err := hkdf.Key(sha256.New, c.sealKey, nil, "setops domain validation", sha256.Size)
	if err != nil {
		return nil, fmt.Errorf("derive key of domain validation: %w", err)
	}
	have, err := c.store.Install(ctx, domainKey, string(c.box.Seal(domainPurpose, string(first))))
	if err != nil {
		return nil, err
	}
	key, err := c.box.Open(domainPurpose, setops.Sealed(have))
	if err != nil {
		return nil, fmt.Errorf("open key of domain validation: %w", err)
	}
	return []byte(key), nil
}

// syncDir makes names in a directory outlive a loss of power.
func syncDir(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
