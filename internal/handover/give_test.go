package handover_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/setopsco/setops/internal/handover"
)

// core counts what happens to it.
type core struct {
	settling, open bool
	settle         func(ctx context.Context)
	stop           func()
	startError     error
	stops          int
}

func (c *core) Settle(ctx context.Context) {
	c.settling = true
	if c.settle != nil {
		c.settle(ctx)
	}
}

func (c *core) Unsettle() { c.settling = false }

func (c *core) Stop() error {
	c.open = false
	c.stops++
	if c.stop != nil {
		c.stop()
	}
	return nil
}

func (c *core) Start(context.Context) error {
	if c.startError != nil {
		return c.startError
	}
	c.open, c.settling = true, false
	return nil
}

// old is a process that serves and is to be replaced.
type old struct {
	sockets handover.Sockets
	core    core
	server  *handover.Server
	l       net.Listener
	address string
}

func newOld(t *testing.T) *old {
	t.Helper()
	o := &old{core: core{open: true}}
	o.l = o.listen(t, "web")
	o.address = o.l.Addr().String()
	o.server = handover.NewServer(&http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, os.Getpid())
	})})
	ended := make(chan error, 1)
	go func() { ended <- o.server.Serve(o.l) }()
	t.Cleanup(func() {
		o.server.Close() //nolint:errcheck // the test is over
		<-ended
	})
	return o
}

func (o *old) listen(t *testing.T, key string) net.Listener {
	t.Helper()
	l, err := o.sockets.Listen(key, listen)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func listen() (net.Listener, error) { return net.Listen("tcp", "127.0.0.1:0") }

// limits are for what does not hang.
var limits = handover.Limits{Prepare: time.Minute, Open: time.Minute}

func (o *old) giver(t *testing.T, r, keys string, l handover.Limits) *handover.Giver {
	t.Helper()
	own, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return &handover.Giver{
		Program: handover.Program{Path: own, Env: append(os.Environ(), role+"="+r, "HANDOVER_TEST_KEYS="+keys)},
		Sockets: &o.sockets, Core: &o.core, Limits: l, Logger: slog.New(slog.NewTextHandler(t.Output(), nil)),
	}
}

// get asks on a connection of its own.
func get(address, path string) (string, error) {
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: time.Minute}
	answer, err := client.Get("http://" + address + path)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close() //nolint:errcheck // it is read
	text, err := io.ReadAll(answer.Body)
	return string(text), err
}

func mustGet(t *testing.T, address, path string) string {
	t.Helper()
	text, err := get(address, path)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestTheNewProcessTakesOverWithoutLosingARequest(t *testing.T) {
	o := newOld(t)
	stop := make(chan struct{})
	var asked atomic.Int64
	var clients sync.WaitGroup
	for range 4 {
		clients.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if _, err := get(o.address, "/pid"); err != nil {
					t.Error(err)
					return
				}
				asked.Add(1)
			}
		})
	}
	heir, err := o.giver(t, "serves", "web", limits).Give(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if o.core.open || o.core.stops != 1 {
		t.Errorf("the core: %+v", o.core)
	}
	if err := o.l.Close(); err != nil {
		t.Error(err)
	}
	o.sockets.CloseUnclaimed()
	if pid := mustGet(t, o.address, "/pid"); pid != strconv.Itoa(heir.PID) {
		t.Errorf("process %s answers, the new one is %d", pid, heir.PID)
	}
	close(stop)
	clients.Wait()
	t.Logf("%d requests", asked.Load())

	// The new process learns that this one has ended, and not before.
	soon, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	request, err := http.NewRequestWithContext(soon, http.MethodGet, "http://"+o.address+"/wait", nil)
	if err != nil {
		t.Fatal(err)
	}
	if answer, err := http.DefaultClient.Do(request); err == nil {
		answer.Body.Close() //nolint:errcheck // there should be none
		t.Error("the old process is gone before its end")
	}
	if err := heir.Close(); err != nil {
		t.Error(err)
	}
	if text := mustGet(t, o.address, "/wait"); text != "<nil>" {
		t.Error(text)
	}
	mustGet(t, o.address, "/end")
}

func TestSocketsThatCameWhileTheNewProcessPreparedArePassedOnToo(t *testing.T) {
	o := newOld(t)
	var late net.Listener
	o.listen(t, "gone").Close() //nolint:errcheck // it is asked for below
	o.core.settle = func(context.Context) { late = o.listen(t, "late") }
	o.core.stop = func() { late.Close() } //nolint:errcheck // as cores do
	heir, err := o.giver(t, "serves", "web,late", limits).Give(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	o.l.Close()        //nolint:errcheck // it is passed on
	defer heir.Close() //nolint:errcheck // as it ends
	for _, address := range []string{o.address, late.Addr().String()} {
		if pid := mustGet(t, address, "/pid"); pid != strconv.Itoa(heir.PID) {
			t.Errorf("process %s answers, the new one is %d", pid, heir.PID)
		}
	}
	mustGet(t, o.address, "/end")
}

func TestAnythingThatGoesWrongLeavesTheOldProcessAsItWas(t *testing.T) {
	impatient := handover.Limits{Prepare: 200 * time.Millisecond, Open: 200 * time.Millisecond, End: 50 * time.Millisecond}
	for r, test := range map[string]struct {
		limits handover.Limits
		why    string
		stops  int
	}{
		"exits at once":             {limits, "is not prepared: it ended: exit status 3", 0},
		"is stubborn":               {impatient, "is not prepared: it was not within 200ms", 0},
		"refuses its configuration": {limits, "is not prepared: it ended: exit status 5", 0},
		"hangs while it prepares":   {impatient, "is not prepared: it was not within 200ms", 0},
		"dies while work settles":   {limits, "did not wait: it ended: exit status 7", 0},
		"dies while it opens":       {limits, "did not get ready: it ended: exit status 9", 1},
		"hangs while it opens":      {handover.Limits{Open: 200 * time.Millisecond}, "did not get ready: it was not within 200ms", 1},
	} {
		t.Run(r, func(t *testing.T) {
			o := newOld(t)
			if r == "dies while work settles" {
				o.core.settle = func(ctx context.Context) { <-ctx.Done() }
			}
			_, err := o.giver(t, r, "", test.limits).Give(t.Context())
			if err == nil || !strings.Contains(err.Error(), "the new process "+test.why) {
				t.Errorf("got %v", err)
			}
			if !o.core.open || o.core.settling || o.core.stops != test.stops {
				t.Errorf("the core: %+v", o.core)
			}
			if pid := mustGet(t, o.address, "/pid"); pid != strconv.Itoa(os.Getpid()) {
				t.Errorf("process %s answers", pid)
			}
			// Sockets close again with their listeners.
			if err := o.l.Close(); err != nil {
				t.Error(err)
			}
			if _, err := net.Dial("tcp", o.address); !errors.Is(err, syscall.ECONNREFUSED) {
				t.Errorf("after closing: %v", err)
			}
		})
	}
}

func TestAProgramThatIsNotThereChangesNothing(t *testing.T) {
	o := newOld(t)
	g := o.giver(t, "", "", limits)
	g.Program.Path = "/nowhere/setopsd"
	if _, err := g.Give(t.Context()); !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), "start new process") {
		t.Errorf("got %v", err)
	}
	if !o.core.open || o.core.settling {
		t.Errorf("the core: %+v", o.core)
	}
}

func TestACoreThatDoesNotOpenAgainIsSaid(t *testing.T) {
	o := newOld(t)
	o.core.startError = errors.New("the disk is gone")
	_, err := o.giver(t, "dies while it opens", "", limits).Give(t.Context())
	var lost *handover.LostError
	if !errors.As(err, &lost) || !strings.Contains(err.Error(), "exit status 9") || !strings.Contains(err.Error(), "the disk is gone") {
		t.Errorf("got %v", err)
	}
}

func TestAStopEndsTheNewProcessToo(t *testing.T) {
	for r, stops := range map[string]int{"hangs while it prepares": 0, "hangs while it opens": 1} {
		o := newOld(t)
		ctx, cancel := context.WithCancelCause(t.Context())
		o.core.stop = func() { cancel(errors.New("somebody stops it")) }
		if stops == 0 {
			cancel(errors.New("somebody stops it"))
		}
		_, err := o.giver(t, r, "", handover.Limits{}).Give(ctx)
		if err == nil || !strings.Contains(err.Error(), "somebody stops it") || o.core.stops != stops || o.core.open != (stops == 0) {
			t.Errorf("%s: %v, %+v", r, err, o.core)
		}
	}
}

func TestAStopOfTheNewProcessIsOneOfTheServer(t *testing.T) {
	o := newOld(t)
	_, err := o.giver(t, "is stopped while it opens", "", limits).Give(t.Context())
	if !errors.Is(err, handover.ErrStopped) || o.core.stops != 1 || o.core.open {
		t.Errorf("%v, %+v", err, o.core)
	}
}

func TestWorkIsWaitedForUntilTheLimit(t *testing.T) {
	o := newOld(t)
	o.core.settle = func(ctx context.Context) { <-ctx.Done() }
	short := limits
	short.Settle = 50 * time.Millisecond
	heir, err := o.giver(t, "serves", "web", short).Give(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	o.l.Close() //nolint:errcheck // it is passed on
	if err := heir.Close(); err != nil {
		t.Error(err)
	}
	mustGet(t, o.address, "/end")
}
