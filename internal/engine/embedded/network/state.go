//go:build linux

package network

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
)

// stage is what is kept of a stage's network.
type stage struct {
	ID      string
	Number  int // of this instance, part of names
	Bridge  string
	Subnet  netip.Prefix
	Gateway netip.Addr
}

// endpoint is what is kept of a container's place on a network.
type endpoint struct {
	ContainerID string
	StageID     string
	Address     netip.Addr
	Interface   string // on the host's side
}

// load reads the files of an earlier process. One that cannot be read was being written when the machine went down:
// what it stood for is gone with it.
func (n *Network) load() error {
	if err := n.makeDirs(); err != nil {
		return err
	}
	err := readAll(n.stagesDir(), func(s stage) bool {
		if s.ID == "" || !s.Gateway.IsValid() {
			return false
		}
		n.stages[s.ID] = &s
		return true
	})
	return errors.Join(err, readAll(n.endpointsDir(), func(e endpoint) bool {
		if n.stages[e.StageID] == nil || !e.Address.IsValid() {
			return false
		}
		n.endpoints[e.ContainerID] = e
		return true
	}))
}

func readAll[T any](dir string, take func(T) bool) error {
	files, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("read state of networks: %w", err)
	}
	for _, f := range files {
		path := filepath.Join(dir, f.Name())
		b, err := os.ReadFile(path)
		if err != nil {
			return fmt.Errorf("read state of networks: %w", err)
		}
		var v T
		if json.Unmarshal(b, &v) == nil && !strings.HasPrefix(f.Name(), ".") && take(v) {
			continue
		}
		if err := os.Remove(path); err != nil {
			return fmt.Errorf("read state of networks: %w", err)
		}
	}
	return nil
}

func (n *Network) stagePath(id string) string {
	sum := sha256.Sum256([]byte(id))
	return filepath.Join(n.stagesDir(), hex.EncodeToString(sum[:])+".json")
}

func (n *Network) endpointPath(containerID string) string {
	return filepath.Join(n.endpointsDir(), containerID)
}

// save replaces the file in one step; durable waits until it has reached the disk. Endpoints do not: they end with the
// machine.
func save(path string, v any, durable bool) (err error) {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".new-")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			os.Remove(f.Name())
		}
	}()
	_, err = f.Write(b)
	if err == nil && durable {
		err = f.Sync()
	}
	if err1 := f.Close(); err == nil {
		err = err1
	}
	if err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

func removeFile(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}
