//go:build linux

package image

import (
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// flushDelay keeps the disk free for the container that was waiting for the image.
const flushDelay = 10 * time.Second

// flusher brings unpacked layers to the disk, behind everybody's back, and marks them as durable. Layers without the
// mark are not trusted after a reboot.
type flusher struct {
	dir  string
	log  *slog.Logger
	wake chan struct{} // holds one value while layers wait
	quit chan struct{}
	once sync.Once // closes quit
	done sync.WaitGroup

	mu      sync.Mutex
	waiting []string
}

func startFlusher(dir string, log *slog.Logger) *flusher {
	f := &flusher{dir: dir, log: log, wake: make(chan struct{}, 1), quit: make(chan struct{})}
	f.done.Go(f.run)
	return f
}

// stop ends the flusher. Layers that wait for it are flushed by the next process, if that is of the same boot.
func (f *flusher) stop() {
	f.once.Do(func() { close(f.quit) })
	f.done.Wait()
}

// after asks for the layer to be made durable, soon.
func (f *flusher) after(layerDir string) {
	f.mu.Lock()
	f.waiting = append(f.waiting, layerDir)
	f.mu.Unlock()
	select {
	case f.wake <- struct{}{}:
	default: // it knows
	}
}

func (f *flusher) run() {
	for {
		select {
		case <-f.quit:
			return
		case <-f.wake:
		}
		select {
		case <-f.quit:
			return
		case <-time.After(flushDelay):
		}
		f.flush()
	}
}

func (f *flusher) flush() {
	f.mu.Lock()
	layers := f.waiting
	f.waiting = nil
	f.mu.Unlock()
	err := f.sync()
	for _, l := range layers {
		if err == nil {
			err = markDurable(l)
		}
	}
	if err != nil {
		f.log.Warn("unpacked layers are not known to be on the disk; they are fetched again after a reboot", "err", err)
	}
}

func (f *flusher) sync() error {
	d, err := os.Open(f.dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return unix.Syncfs(int(d.Fd()))
}

// markDurable replaces the layer's description. It may itself be lost with the power: then the layer is fetched again.
func markDurable(layerDir string) error {
	path := filepath.Join(layerDir, "layer.json")
	var m layerMeta
	err := readJSON(path, &m)
	if os.IsNotExist(err) {
		return nil // removed meanwhile
	}
	if err != nil {
		return err
	}
	m.Durable = true
	return replaceJSON(layerDir, path, m)
}

// flushUnsafe hands over the layers of this boot that an earlier process left unmarked.
func (s *Store) flushUnsafe() {
	layers, err := os.ReadDir(s.layersDir())
	if err != nil {
		s.log.Warn("layers could not be listed", "err", err)
	}
	for _, l := range layers {
		if m, err := s.readLayer(l.Name()); err == nil && !m.Durable {
			s.flush.after(s.layerDir(l.Name()))
		}
	}
}
