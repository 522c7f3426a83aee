//go:build linux

package gateway

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/engine/subnet"
)

// kept is what is on disk of a stage. A new process answers questions for these names before it is told any.
type kept struct {
	ID     string
	Fronts []engine.Front
	Hosts  map[string]byte // by tcp app: the last byte of its address
}

func (g *Gateways) path(stageID string) string {
	sum := sha256.Sum256([]byte(stageID))
	return filepath.Join(g.cfg.Dir, hex.EncodeToString(sum[:])+".json")
}

// load reads what an earlier process kept. A file that cannot be read was being written when the machine went down:
// apps get other addresses then.
func (g *Gateways) load() error {
	files, err := os.ReadDir(g.cfg.Dir)
	if err != nil {
		return fmt.Errorf("read private names: %w", err)
	}
	for _, f := range files {
		path := filepath.Join(g.cfg.Dir, f.Name())
		b, err := os.ReadFile(path)
		if err != nil {
			return fmt.Errorf("read private names: %w", err)
		}
		var k kept
		if !strings.HasPrefix(f.Name(), ".") && json.Unmarshal(b, &k) == nil && g.path(k.ID) == path {
			g.place(k.ID).take(k, string(b))
			continue
		}
		if err := os.Remove(path); err != nil {
			return fmt.Errorf("read private names: %w", err)
		}
	}
	return nil
}

func (p *place) take(k kept, onDisk string) {
	p.fronts, p.set, p.onDisk = k.Fronts, false, onDisk
	for app, host := range k.Hosts {
		if host >= subnet.FirstFront && host < 255 {
			p.hosts[app] = host
		}
	}
}

// remember writes the fronts and their addresses down, in one step. Without any there is no file.
func (g *Gateways) remember(p *place) (err error) {
	if len(p.fronts) == 0 {
		p.onDisk = ""
		return g.forget(p.ID)
	}
	b, err := json.Marshal(kept{p.ID, p.fronts, p.hosts})
	if err != nil || string(b) == p.onDisk {
		return err
	}
	if err := g.write(p.ID, b); err != nil {
		return fmt.Errorf("remember private names: %w", err)
	}
	p.onDisk = string(b)
	return nil
}

func (g *Gateways) write(stageID string, b []byte) error {
	f, err := os.CreateTemp(g.cfg.Dir, ".new-")
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = os.Rename(f.Name(), g.path(stageID))
	}
	if err != nil {
		os.Remove(f.Name()) //nolint:errcheck // the next start removes it too
	}
	return err
}

func (g *Gateways) forget(stageID string) error {
	if err := os.Remove(g.path(stageID)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("forget private names: %w", err)
	}
	return nil
}
