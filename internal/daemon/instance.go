package daemon

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"os"
	"regexp"
	"strings"
)

// instanceFile has the id of the installation, by which its objects are told from others' in the kernel, on Docker and on a cluster.
const instanceFile = "instance"

// instanceShape is what such an id is.
var instanceShape = regexp.MustCompile(`^[0-9a-f]{8}$`)

// installedInstance is where the database has it, where its servers have a directory each.
const installedInstance = "instance"

// openInstance finds out which installation this is: what --instance says, or the data directory. Servers that share a cluster have it
// from their database, where neither says anything.
func (c *core) openInstance(ctx context.Context) error {
	told, err := c.ownInstance()
	if err != nil {
		return err
	}
	c.instance = cmp.Or(told, newInstance())
	if c.sharesCluster() {
		if c.instance, err = c.store.Install(ctx, installedInstance, c.instance); err != nil {
			return err
		}
	}
	if told != "" && told != c.instance {
		return fmt.Errorf("the database is one of installation %s and not of %s: all servers of a database must be of the same one; set "+
			"--instance %s and start with an empty data directory, or name the database of %s with --database", c.instance, told, c.instance, told)
	}
	return c.dir.remember(instanceFile, c.instance)
}

// ownInstance is empty where nothing says which one this is.
func (c *core) ownInstance() (string, error) {
	text, err := os.ReadFile(c.dir.file(instanceFile))
	if os.IsNotExist(err) {
		return c.Config.Instance, nil
	}
	if err != nil {
		return "", fmt.Errorf("read which installation this is: %w", err)
	}
	id := strings.TrimSpace(string(text))
	switch {
	case !instanceShape.MatchString(id):
		return "", fmt.Errorf("the file %s is damaged: it must hold 8 hexadecimal digits", c.dir.file(instanceFile))
	case c.Config.Instance != "" && c.Config.Instance != id:
		return "", fmt.Errorf("the data directory %s is one of installation %s and not of %s, as --instance says; leave that out, or name "+
			"another directory with --data-dir", c.dir.path, id, c.Config.Instance)
	}
	return id, nil
}

func newInstance() string {
	id := make([]byte, 4)
	rand.Read(id)
	return hex.EncodeToString(id)
}
