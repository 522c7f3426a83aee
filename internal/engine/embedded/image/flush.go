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
	dir   string
	log   *slog.Logger
	fresh chan string
	quit  chan struct{}
	done  sync.WaitGroup
}

func startFlusher(dir string, log *slog.Logger) *flusher {
	f := &flusher{dir: dir, log: log, fresh: make(chan string, 16), quit: make(chan struct{})}
	f.done.Go(f.run)
	return f
}

// stop ends the flusher. Layers that wait for it are flushed by the next process, if it is of the same boot.
func (f *flusher) stop() {
	close(f.quit)
	f.done.Wait()
}

// after asks for the layer to be made durable, soon.
func (f *flusher) after(layerDir string) {
	select {
	case f.fresh <- layerDir:
	case <-f.quit:
	}
}

func (f *flusher) run() {
	var waiting []string
	var due <-chan time.Time
	for {
		select {
		case <-f.quit:
			return
		case l := <-f.fresh:
			waiting = append(waiting, l)
			if due == nil {
				due = time.After(flushDelay)
			}
		case <-due:
			f.flush(waiting)
			waiting, due = nil, nil
		}
	}
}

func (f *flusher) flush(layers []string) {
	d, err := os.Open(f.dir)
	if err == nil {
		err = unix.Syncfs(int(d.Fd()))
		d.Close()
	}
	for _, l := range layers {
		if err == nil {
			err = markDurable(l)
		}
	}
	if err != nil {
		f.log.Warn("unpacked layers are not known to be on the disk; they are fetched again after a reboot", "err", err)
	}
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
	layers, _ := os.ReadDir(s.layersDir())
	for _, l := range layers {
		if m, err := s.readLayer(l.Name()); err == nil && !m.Durable {
			s.flush.after(s.layerDir(l.Name()))
		}
	}
}
