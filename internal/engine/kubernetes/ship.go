package kubernetes

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	core "k8s.io/api/core/v1"
	kerrors "k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/engine/kubernetes/object"
	"github.com/setopsco/setops/internal/engine/logfile"
)

// mark is how far a task's log was shipped: the time of the last line, and how many lines have that time. The cluster gives
// each line its time, so a mark says exactly what is missing.
type mark struct {
	at time.Time
	n  int
}

// mostAlike is how many lines of one time are told apart.
const mostAlike = 1000

// shippedOf reads it from what is in the log.
func (e *Engine) shippedOf(t *task) (m mark, err error) {
	q := logfile.Query{Name: t.id, Limit: mostAlike, Keep: func(l logfile.Line) bool { return l.Source == engine.SourceApp }}
	err = logfile.Read(e.ctx, t.dir, q, func(l logfile.Line) bool {
		if !l.Time.Equal(m.at) {
			m = mark{at: l.Time}
		}
		m.n++
		return true
	})
	return m, err
}

// ship begins to bring what a task writes into its log.
func (a *attendant) ship(t *task) {
	if t.shipping || t.log == nil {
		return
	}
	t.shipping = true
	f, index := t.facts, a.indexOf(t)
	a.beside.Go(func() {
		if a.e.shipAll(t, f, func() bool { return a.isPast(index) }) {
			close(t.shipped)
		}
	})
}

func (a *attendant) indexOf(t *task) int {
	for i, one := range a.tasks {
		if one == t {
			return i
		}
	}
	return 0
}

// isPast reports whether the pod's container was started again since that run.
func (a *attendant) isPast(index int) bool {
	pod, _ := a.take()
	if pod == nil {
		return false // it was gone before anybody looked
	}
	s := containerOf(pod)
	return s != nil && int(s.RestartCount) > index
}

// mostAttempts is how often the log of a task that has ended is asked for.
const mostAttempts = 5

// shipAll reports whether the log is as complete as it can be; false: the engine was closed before.
func (e *Engine) shipAll(t *task, f facts, past func() bool) bool {
	failures := 0
	for e.ctx.Err() == nil {
		last := false
		select {
		case <-t.ended: // what is asked for from now on is all that there is
			last = true
		default:
		}
		err := e.shipSome(t, f, past(), !last)
		switch {
		case err == nil && last, last && isGone(err):
			return true
		case err == nil:
			t.await1(e.ctx, endSoon)
			continue
		}
		if failures++; last && failures >= mostAttempts {
			e.cfg.Logger.Warn("the end of a task's log may be missing", "task", t.id, "error", err)
			return true
		}
		t.await1(e.ctx, e.cfg.Timings.Retry)
	}
	return false
}

// endSoon is how long a pod may take to say that its container has ended, once its log has.
const endSoon = 2 * time.Second

// await1 waits until the task has ended, for a while.
func (t *task) await1(ctx context.Context, most time.Duration) {
	timer := time.NewTimer(most)
	defer timer.Stop()
	select {
	case <-t.ended:
		select { // a log that cannot be had is not asked for without a pause
		case <-ctx.Done():
		case <-time.After(50 * time.Millisecond):
		}
	case <-timer.C:
	case <-ctx.Done():
	}
}

// await waits until the log of a task that has ended is complete. It reports false when ctx ended before.
func (t *task) await(ctx context.Context) bool {
	if !t.shipping {
		return ctx.Err() == nil
	}
	select {
	case <-t.shipped:
		return true
	case <-ctx.Done():
		return false
	}
}

func isGone(err error) bool { return kerrors.IsNotFound(err) || kerrors.IsBadRequest(err) }

// shipSome brings what is not in the log yet. Where it follows, it goes on until the container has ended.
func (e *Engine) shipSome(t *task, f facts, past, follow bool) error {
	from, err := e.shippedOf(t)
	if err != nil {
		return err
	}
	o := &core.PodLogOptions{Container: object.Container, Timestamps: true, Follow: follow && !past, Previous: past}
	if !from.at.IsZero() {
		since := meta.NewTime(from.at.Add(-time.Second)) // it has whole seconds only
		o.SinceTime = &since
	}
	stream, err := e.api.Core.Pods(f.namespace).GetLogs(f.pod, o).Stream(e.ctx)
	if err != nil {
		return fmt.Errorf("read log of a pod: %w", err)
	}
	defer stream.Close() //nolint:errcheck // it was only read
	return e.copyLines(t, f, stream, from)
}

// copyLines writes lines behind the mark.
func (e *Engine) copyLines(t *task, f facts, stream io.Reader, from mark) error {
	r := bufio.NewReaderSize(stream, 64<<10)
	for {
		line, err := r.ReadString('\n')
		at, text, ok := parseLine(line)
		if f.console == object.ConsoleTerminal {
			text = strings.TrimSuffix(text, "\r")
		}
		if ok && from.misses(at, text) && (f.console == "" || !object.SaysLatch(t.id, text)) {
			e.write(t, at, engine.SourceApp, text)
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read log of a pod: %w", err)
		}
	}
}

// misses reports whether a line comes behind the mark.
func (m *mark) misses(at time.Time, text string) bool {
	if at.After(m.at) {
		return true
	}
	if at.Equal(m.at) && m.n > 0 {
		m.n -= 1 + max(len(text)-1, 0)/logfile.MaxText // a long one was cut
		return false
	}
	return at.Equal(m.at)
}

// parseLine reads a line with the time that the cluster gave it.
func parseLine(line string) (at time.Time, text string, ok bool) {
	line = strings.TrimSuffix(line, "\n")
	stamp, text, _ := strings.Cut(line, " ")
	at, err := time.Parse(time.RFC3339Nano, stamp)
	return at, text, err == nil
}
