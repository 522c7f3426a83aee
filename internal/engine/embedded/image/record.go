//go:build linux

package image

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/setopsco/setops/internal/engine"
)

// record is what is kept of a prepared image.
type record struct {
	Repository string
	Digest     string // as the image was asked for: of a manifest or an index
	Manifest   string // of the manifest for this machine
	Config     v1.ConfigFile
	Layers     []string // chain ids, lowest first
}

// layerMeta is what is kept of an unpacked layer.
type layerMeta struct {
	Bytes   int64 // logical size of its regular files
	Entries int
	BootID  string // of the machine when it was unpacked
	Durable bool   // all of it has reached the disk since
}

// recordKey names the file of an image's record.
func recordKey(i engine.Image) string {
	sum := sha256.Sum256([]byte(i.Repository + "@" + i.Digest))
	return hex.EncodeToString(sum[:])
}

func (s *Store) recordPath(key string) string { return filepath.Join(s.imagesDir(), key+".json") }

// prepared gives the record of the image if all of its layers are there, and pins the layers: unpin must be called.
func (s *Store) prepared(i engine.Image) (*record, bool) {
	key := recordKey(i)
	s.mu.Lock()
	defer s.mu.Unlock()
	r, known := s.records[key]
	if !known {
		r = &record{}
		if err := readJSON(s.recordPath(key), r); err != nil {
			return nil, false
		}
	}
	for _, chain := range r.Layers {
		if _, err := os.Lstat(s.layerDir(chain)); err != nil {
			delete(s.records, key)
			return nil, false
		}
	}
	s.records[key] = r
	s.pinLocked(r.Layers)
	return r, true
}

func (s *Store) saveRecord(i engine.Image, r *record) error {
	key := recordKey(i)
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.writeJSON(s.recordPath(key), r); err != nil {
		return fmt.Errorf("record image %s@%s: %w", i.Repository, i.Digest, err)
	}
	s.records[key] = r
	return nil
}

func (s *Store) readLayer(chainID string) (layerMeta, error) {
	var m layerMeta
	return m, readJSON(filepath.Join(s.layerDir(chainID), "layer.json"), &m)
}

func (s *Store) pin(chains []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pinLocked(chains)
}

func (s *Store) pinLocked(chains []string) {
	for _, c := range chains {
		s.pins[c]++
	}
}

func (s *Store) unpin(chains []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range chains {
		if s.pins[c]--; s.pins[c] == 0 {
			delete(s.pins, c)
		}
	}
}

func readJSON(path string, v any) error {
	b, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(b, v); err != nil {
		return fmt.Errorf("read %s: %w", path, err)
	}
	return nil
}

// writeJSON replaces the file in one step. It is not synced: what is lost with the machine's power is made again.
func (s *Store) writeJSON(path string, v any) error { return replaceJSON(s.tmpDir(), path, v) }

// replaceJSON writes to a new file in dir first, which must be on the same file system.
func replaceJSON(dir, path string, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, "json-")
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err1 := f.Close(); err == nil {
		err = err1
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		os.Remove(f.Name())
	}
	return err
}
