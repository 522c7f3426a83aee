package logfile

import (
	"slices"
	"sync"
	"time"
)

// pollInterval is how often a directory is looked at where the system does not report changes.
const pollInterval = 200 * time.Millisecond

// watcher says which files of a directory have changed.
type watcher struct {
	wake chan struct{} // something is there to take

	mu      sync.Mutex
	files   map[string]struct{}
	unknown bool // any file may have changed
	gone    bool // the directory was removed

	stop func()
	done sync.WaitGroup
}

// watch begins to watch; where the system cannot, it polls.
func watch(dir string) *watcher {
	w := &watcher{wake: make(chan struct{}, 1), files: map[string]struct{}{}}
	if err := w.notify(dir); err != nil {
		w.poll()
	}
	return w
}

// close stops the watching and waits for its goroutine.
func (w *watcher) close() {
	w.stop()
	w.done.Wait()
}

// take gives the files that changed since it was called last, oldest segment first; nil means any. Gone says that the
// directory was removed.
func (w *watcher) take() (files []string, gone bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	defer clear(w.files)
	if w.unknown {
		w.unknown = false
		return nil, w.gone
	}
	files = make([]string, 0, len(w.files))
	for f := range w.files {
		files = append(files, f)
	}
	slices.SortFunc(files, compareSegments)
	return files, w.gone
}

func (w *watcher) report(file string) {
	w.mu.Lock()
	w.files[file] = struct{}{}
	w.mu.Unlock()
	w.ring()
}

func (w *watcher) reportUnknown(gone bool) {
	w.mu.Lock()
	w.unknown, w.gone = true, w.gone || gone
	w.mu.Unlock()
	w.ring()
}

func (w *watcher) ring() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

func (w *watcher) poll() {
	stop := make(chan struct{})
	w.stop = func() { close(stop) }
	w.done.Go(func() {
		tick := time.NewTicker(pollInterval)
		defer tick.Stop()
		for {
			select {
			case <-stop:
				return
			case <-tick.C:
				w.reportUnknown(false)
			}
		}
	})
}
