package kubernetes

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"time"

	core "k8s.io/api/core/v1"
	kerrors "k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"

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
	if t.log == nil || t.pod == "" { // it ended before it was known where it runs
		return
	}
	if t.shipping {
		t.hasNews()
		return
	}
	t.shipping = true
	f, index := t.facts, a.indexOf(t)
	following, cut := context.WithCancel(a.e.ctx)
	t.cut = cut
	a.beside.Go(func() {
		defer cut()
		if a.e.shipAll(following, t, f, func() bool { return a.isPast(index) }) {
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

// How long a log may take that a node does not end: to be followed once its task has ended, and to be read then. A node that is cut off
// would otherwise keep the task from being STOPPED.
const (
	lastWords = 10 * time.Second
	lastRead  = time.Minute
)

// shipAll reports whether the log is as complete as it can be; false: the engine was closed before. Following ends some time after the
// task has.
func (e *Engine) shipAll(following context.Context, t *task, f facts, past func() bool) bool {
	failures, pauses := 0, e.pauses()
	for e.ctx.Err() == nil {
		last := false
		select {
		case <-t.ended: // what is asked for from now on is all that there is
			last = true
		default:
		}
		ctx, cancel := following, context.CancelFunc(func() {})
		if last {
			ctx, cancel = context.WithTimeout(e.ctx, lastRead)
		}
		lines, err := e.shipSome(ctx, t, f, past(), !last)
		cancel()
		if lines > 0 {
			failures, pauses = 0, e.pauses()
		}
		if last && (err == nil || isGone(err)) {
			return true
		}
		if err != nil {
			failures++
		}
		if last && failures >= mostAttempts {
			e.cfg.Logger.Warn("the end of a task's log may be missing", "task", t.id, "error", err)
			return true
		}
		t.await1(e.ctx, pauses.Step())
	}
	return false
}

// endSoon is how long a pod may take to say that its container has ended, once its streams have: the kubelet of a busy node looks at its
// containers every ten seconds or so.
const endSoon = 20 * time.Second

// mostPause is between two questions for a log that a node does not have: with thousands of those the API server has else to do.
const mostPause = 30 * time.Minute

// pauses get longer from one stream to the next, for as long as none brings a line. A task that ends ends one, as do news of its pod: a
// node that was away says how its pods are once it is back.
func (e *Engine) pauses() wait.Backoff {
	return wait.Backoff{Duration: e.cfg.Timings.Retry, Factor: 4, Jitter: 0.2, Steps: math.MaxInt32, Cap: mostPause}
}

// hasNews lets the log be asked for that could not be had.
func (t *task) hasNews() {
	select {
	case t.news <- struct{}{}:
	default:
	}
}

// await1 waits until the task has ended or there are news of it, for a while.
func (t *task) await1(ctx context.Context, most time.Duration) {
	timer := time.NewTimer(most)
	defer timer.Stop()
	select {
	case <-t.news:
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

// shipSome brings what is not in the log yet, and says how many lines that were. Where it follows, it goes on until the container has
// ended.
func (e *Engine) shipSome(ctx context.Context, t *task, f facts, past, follow bool) (lines int, err error) {
	from, err := e.shippedOf(t)
	if err != nil {
		return 0, err
	}
	o := &core.PodLogOptions{Container: object.Container, Timestamps: true, Follow: follow && !past, Previous: past}
	if !from.at.IsZero() {
		since := meta.NewTime(from.at.Add(-time.Second)) // it has whole seconds only
		o.SinceTime = &since
	}
	stream, err := e.streams.Core.Pods(f.namespace).GetLogs(f.pod, o).Stream(ctx)
	if err != nil {
		return 0, fmt.Errorf("read log of a pod: %w", err)
	}
	defer stream.Close() //nolint:errcheck // it was only read
	return e.copyLines(t, f, stream, from)
}

// copyLines writes lines behind the mark.
func (e *Engine) copyLines(t *task, f facts, stream io.Reader, from mark) (lines int, err error) {
	r := bufio.NewReader(stream) // there is one for each task that runs, so it is small
	for {
		line, err := r.ReadString('\n')
		at, text, ok := parseLine(line)
		if f.console == object.ConsoleTerminal {
			text = strings.TrimSuffix(text, "\r")
		}
		if ok && from.misses(at, text) && (f.console == "" || !object.SaysLatch(t.id, text)) {
			e.write(t, at, engine.SourceApp, text)
			lines++
		}
		if errors.Is(err, io.EOF) {
			return lines, nil
		}
		if err != nil {
			return lines, fmt.Errorf("read log of a pod: %w", err)
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
