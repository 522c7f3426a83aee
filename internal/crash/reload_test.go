//go:build linux

package crash

import (
	"errors"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestAServerKilledInAReloadLeavesOneThatServes(t *testing.T) {
	t.Parallel()
	t.Run("embedded", func(t *testing.T) {
		t.Parallel()
		needEmbedded(t)
		killInReloads(t, "embedded", 3**random)
	})
	onCluster(t, func(t *testing.T, engine string) { killInReloads(t, engine, 3) })
}

func killInReloads(t *testing.T, engine string, times int) {
	h := newHouse(t, engine, nil)
	length := h.reload()
	r := rand.New(rand.NewPCG(*seed, 1))
	for i := range times {
		began := time.Now()
		pause := time.Duration(r.Int64N(int64(length)))
		victim := []string{"the old process", "the new process", "both"}[i%3]
		h.hangUp(func(old int, found func() []int) {
			time.Sleep(pause) // any moment will do
			switch victim {
			case "the old process":
				_ = syscall.Kill(old, syscall.SIGKILL)
			case "the new process":
				h.await("there is a new process", func() error { return killAll(found()) })
			default:
				h.kill()
			}
		})
		restarted := h.recover()
		h.serves(h.live)
		h.settle()
		t.Logf("%s killed after %s, started again: %t; %s", victim, pause, restarted, time.Since(began).Round(time.Millisecond))
	}
	h.reload()
	h.stageVersion()
	h.commit()
	h.serves(h.live)
	h.settle()
	h.destroy()
}

// hangUp asks the server to start another process. Found gives the new one, once it is there.
func (h *house) hangUp(then func(old int, found func() []int)) {
	h.t.Helper()
	before, old := h.processes(), h.pid()
	select {
	case <-h.life.ready: // of an earlier process
	default:
	}
	must(h.t, syscall.Kill(old, syscall.SIGHUP))
	then(old, func() []int {
		return slices.DeleteFunc(h.processes(), func(pid int) bool { return slices.Contains(before, pid) })
	})
}

func killAll(pids []int) error {
	if len(pids) == 0 {
		return errors.New("there is none")
	}
	for _, pid := range pids {
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
			return err
		}
	}
	return nil
}

// pid is the process that serves, as an operator finds it.
func (h *house) pid() int {
	h.t.Helper()
	text, err := os.ReadFile(h.data("lock"))
	must(h.t, err)
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	must(h.t, err)
	return pid
}

// reload reloads the server and says how long that took, until the new process was ready.
func (h *house) reload() time.Duration {
	h.t.Helper()
	began := time.Now()
	h.hangUp(func(int, func() []int) { h.awaitReady() })
	h.serves(h.live)
	return time.Since(began)
}

// recover waits until the server serves, and starts it where no process of it is left.
func (h *house) recover() (restarted bool) {
	h.t.Helper()
	h.await("the server serves", func() error {
		if !h.isAlive() {
			h.awaitEnd()
			h.start()
			restarted = true
		}
		if !slices.Contains(h.processes(), h.pid()) {
			return errors.New("who had the data directory is dead")
		}
		h.connect() // not to a process that is about to end
		if _, err := h.client.Apps(h.t.Context(), stageRef); err != nil {
			return err
		}
		_, err := h.versions()
		return err
	})
	return restarted
}
