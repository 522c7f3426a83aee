//go:build linux

package embedded_test

import (
	"fmt"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/setopsco/setops/internal/engine/host"
)

func TestWhatAContainerWritesIsInItsLogWhenItHasEnded(t *testing.T) {
	h := newHouse(t)
	c := h.run(h.spec("print=hello", "warn=careful", "print=", "exit=7"))
	checkExit(t, h.wait(c), host.Exit{Code: 7})
	lines := strings.Split(h.log(c), "\n")
	if len(lines) != 3 {
		t.Fatalf("log is %q", lines)
	}
	for _, want := range []string{"app hello", "app careful", "app "} {
		if !strings.Contains(h.log(c)+"\n", want+"\n") {
			t.Errorf("log %q lacks %q", lines, want)
		}
	}
}

func TestNoLineOfAFloodIsLostOrReordered(t *testing.T) {
	h := newHouse(t)
	c := h.run(h.spec("flood=20000"))
	checkExit(t, h.wait(c), host.Exit{})
	lines := strings.Split(h.log(c), "\n")
	if len(lines) != 20000 {
		t.Fatalf("%d lines, want 20000", len(lines))
	}
	for i, line := range lines {
		if line != fmt.Sprint("app line ", i) {
			t.Fatalf("line %d is %q", i, line)
		}
	}
}

func TestLongLinesAreSplitAndLastLinesNeedNoEnd(t *testing.T) {
	h := newHouse(t)
	c := h.run(h.spec("long=40000", "cat=/etc/hostname", "cat=/unended"))
	checkExit(t, h.wait(c), host.Exit{})
	lines := strings.Split(h.log(c), "\n")
	var lengths []int
	for _, l := range lines[:3] {
		lengths = append(lengths, len(strings.TrimPrefix(l, "app ")))
	}
	if fmt.Sprint(lengths) != fmt.Sprint([]int{16384, 16384, 40000 - 2*16384}) {
		t.Errorf("a line of 40000 bytes became lines of %v", lengths)
	}
	if got := lines[len(lines)-1]; got != "app no end" {
		t.Errorf("the last line is %q", got)
	}
}

func TestADeathBySignalIsTold(t *testing.T) {
	h := newHouse(t)
	c := h.run(h.spec("print=up", "forever"))
	h.awaitLog(c, "app up")
	must(t, h.Signal(ctx(t), c.ID, syscall.SIGKILL))
	checkExit(t, h.wait(c), host.Exit{Code: 137, Signal: syscall.SIGKILL})
	must(t, h.Signal(ctx(t), c.ID, syscall.SIGTERM)) // one that has ended is no error
}

func TestAContainerThatIsAskedMayEndInItsOwnWay(t *testing.T) {
	h := newHouse(t)
	c := h.run(h.spec("term=3"))
	h.awaitLog(c, "app waiting")
	must(t, h.Signal(ctx(t), c.ID, syscall.SIGTERM))
	checkExit(t, h.wait(c), host.Exit{Code: 3})
	if !strings.HasSuffix(h.log(c), "app asked to end") {
		t.Errorf("log is %q", h.log(c))
	}
}

func TestRunningOutOfMemoryIsRecognised(t *testing.T) {
	h := newHouse(t)
	c := h.run(h.spec("eat=200"))
	checkExit(t, h.wait(c), host.Exit{Code: 137, Signal: syscall.SIGKILL, OOMKilled: true})
	fits := h.spec("eat=32")
	fits.LogName = "fits"
	checkExit(t, h.wait(h.run(fits)), host.Exit{})
	if got := h.log(fits); got != "app ate 32" {
		t.Errorf("log is %q", got)
	}
}

func TestTenContainersStartAtOnce(t *testing.T) {
	h := newHouse(t)
	var starting sync.WaitGroup
	var mu sync.Mutex
	ips := map[string]bool{}
	for i := range 10 {
		starting.Go(func() {
			c := h.spec(fmt.Sprint("print=", i), fmt.Sprint("exit=", i))
			c.LogName = fmt.Sprint("task", i)
			ip, err := h.Create(ctx(t), c)
			if err == nil {
				err = h.Start(ctx(t), c.ID)
			}
			exit, waited := h.Wait(ctx(t), c.ID)
			if err != nil || waited != nil || exit.Code != i || h.log(c) != fmt.Sprint("app ", i) {
				t.Errorf("container %d: %v, %v, exit %+v, log %q", i, err, waited, exit, h.log(c))
			}
			mu.Lock()
			defer mu.Unlock()
			ips[ip] = true
		})
	}
	starting.Wait()
	if len(ips) != 10 {
		t.Errorf("10 containers have the addresses %v", ips)
	}
}

func TestCreateAndStartMayBeRepeated(t *testing.T) {
	h := newHouse(t)
	c := h.spec("print=once", "term=0")
	first, err := h.Create(ctx(t), c)
	must(t, err)
	second, err := h.Create(ctx(t), c)
	must(t, err)
	if first != second {
		t.Errorf("addresses %s and %s", first, second)
	}
	must(t, h.Start(ctx(t), c.ID))
	must(t, h.Start(ctx(t), c.ID))
	h.awaitLog(c, "app waiting")
	must(t, h.Signal(ctx(t), c.ID, syscall.SIGTERM))
	h.wait(c)
	must(t, h.Start(ctx(t), c.ID))
	if strings.Count(h.log(c), "once") != 1 {
		t.Errorf("log is %q", h.log(c))
	}
}

// checkExit compares all but the time, which must be there.
func checkExit(t *testing.T, got, want host.Exit) {
	t.Helper()
	if got.At.IsZero() {
		t.Error("the time of the exit is missing")
	}
	got.At = want.At
	if got != want {
		t.Errorf("exit is %+v, want %+v", got, want)
	}
}
