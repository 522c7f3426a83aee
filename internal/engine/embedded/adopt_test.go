//go:build linux

package embedded_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/setopsco/setops/internal/engine/embedded/wire"
	"github.com/setopsco/setops/internal/engine/host"
)

func TestANewServerAdoptsContainersWithoutAGapInTheirLogs(t *testing.T) {
	h := newHouse(t)
	c := h.spec("tick=2ms")
	ip, err := h.Create(ctx(t), c)
	must(t, err)
	must(t, h.Start(ctx(t), c.ID))
	h.awaitLog(c, "app tick 5")
	h.reopen()

	found := h.found(c)
	if !found.Running || found.IP != ip || found.Labels["generation"] != "7" || time.Since(found.StartedAt) > patience {
		t.Errorf("found %+v, want it running at %s", found, ip)
	}
	h.awaitLog(c, "app tick 50")
	code, output, err := h.Exec(ctx(t), c.ID, []string{"/app", "print=still here"})
	if err != nil || code != 0 || string(output) != "still here\n" {
		t.Errorf("Exec gave %d, %q, %v", code, output, err)
	}
	must(t, h.Signal(ctx(t), c.ID, syscall.SIGKILL))
	checkExit(t, h.wait(c), host.Exit{Code: 137, Signal: syscall.SIGKILL})
	for i, line := range strings.Split(h.log(c), "\n")[:50] {
		if want := "app tick " + itoa(i); line != want {
			t.Fatalf("line %d is %q", i, line)
		}
	}
}

func TestTheExitOfAContainerThatEndedWithoutAServerIsKnown(t *testing.T) {
	h := newHouse(t)
	c := h.run(h.spec("term=9"))
	h.awaitLog(c, "app waiting")
	h.close()
	_ = syscall.Kill(atoi(t, h.processes(c)[0]), syscall.SIGTERM)
	h.await(func() bool { return !h.shim(c).Alive() }, "the shim stays")
	h.open()
	if found := h.found(c); found.Running {
		t.Errorf("found %+v", found)
	}
	checkExit(t, h.wait(c), host.Exit{Code: 9})
}

func TestAContainerDiesWithItsShimAndIsLost(t *testing.T) {
	h := newHouse(t)
	c := h.run(h.spec("print=up", "forever"))
	h.awaitLog(c, "app up")
	other := h.spec("forever")
	other.LogName = "other"
	h.run(other)
	waiting := make(chan host.Exit)
	go func() {
		exit, err := h.Wait(context.Background(), c.ID)
		if err != nil {
			t.Error(err)
		}
		waiting <- exit
	}()
	must(t, syscall.Kill(h.shim(c).PID, syscall.SIGKILL))
	checkExit(t, <-waiting, host.Exit{Lost: true})
	if left := h.processes(c); len(left) != 0 {
		t.Errorf("processes %v go on unseen", left)
	}
	must(t, syscall.Kill(h.shim(other).PID, syscall.SIGKILL)) // and nobody waits
	h.await(func() bool { return len(h.processes(other)) == 0 }, "the container outlives its shim")
	if found := h.found(c); found.Running {
		t.Errorf("found %+v", found)
	}
	must(t, h.Signal(ctx(t), c.ID, syscall.SIGTERM))
	must(t, h.Remove(ctx(t), c.ID))
	if left := h.traces(c); len(left) != 0 {
		t.Errorf("left: %q", left)
	}
}

func TestAContainerThatAnEarlierServerNeverStartedIsLost(t *testing.T) {
	h := newHouse(t)
	c := h.spec("forever")
	_, err := h.Create(ctx(t), c)
	must(t, err)
	h.reopen()
	if found := h.found(c); found.Running || !found.StartedAt.IsZero() {
		t.Errorf("found %+v", found)
	}
	checkExit(t, h.wait(c), host.Exit{Lost: true})
}

func TestAProcessIDThatIsUsedAgainIsNoShim(t *testing.T) {
	h := newHouse(t)
	c := h.run(h.spec("exit=0"))
	h.wait(c)
	h.await(func() bool { return !h.shim(c).Alive() }, "the shim stays") // it answers before it writes the exit down
	dir := filepath.Join(h.cfg.Dir, "tasks", c.ID)
	self, err := wire.Self()
	must(t, err)
	for name, p := range map[string]wire.Process{
		"another start":  {PID: self.PID, StartTicks: self.StartTicks + 1, BootID: self.BootID},
		"another boot":   {PID: self.PID, StartTicks: self.StartTicks, BootID: "before"},
		"nothing at all": {},
	} {
		must(t, wire.WriteJSON(filepath.Join(dir, wire.RecordFile), wire.Record{Shim: p, StartedAt: time.Now()}, false))
		must(t, removeIfThere(filepath.Join(dir, wire.ExitFile)))
		if exit := h.wait(c); !exit.Lost {
			t.Errorf("%s: exit is %+v", name, exit)
		}
	}
	must(t, h.Remove(ctx(t), c.ID)) // which would end the tests if it took this process for the shim
}

// The lines are those of version 1, as servers and shims of that version write them: they must be understood for ever.
func TestTheShimSpeaksVersionOne(t *testing.T) {
	h := newHouse(t)
	c := h.spec("term=4")
	_, err := h.Create(ctx(t), c)
	must(t, err)
	for _, say := range []struct{ request, response string }{
		{`{"v":1,"op":"start"}`, `{"v":1}`},
		{`{"v":1,"op":"exec","argv":["/app","print=x","exit=2"]}`, `{"v":1,"code":2,"output":"eAo="}`},
		{`{"v":2,"op":"start"}`, `{"v":1,"error":"the shim speaks version 1 of its protocol, not 2"}`},
		{`{"v":1,"op":"dance"}`, `{"v":1,"error":"the shim knows no operation \"dance\""}`},
		{`{"v":1,"op":"signal","signal":15}`, `{"v":1}`},
	} {
		if strings.Contains(say.request, "signal") {
			h.awaitLog(c, "app waiting")
		}
		if got := h.say(c, say.request); got != say.response {
			t.Errorf("%s gave %s, want %s", say.request, got, say.response)
		}
	}
	h.await(func() bool { return !h.shim(c).Alive() }, "the shim stays")
	var exit map[string]any
	b, err := os.ReadFile(filepath.Join(h.cfg.Dir, "tasks", c.ID, "exit.json"))
	must(t, err)
	must(t, json.Unmarshal(b, &exit))
	if exit["v"] != 1.0 || exit["code"] != 4.0 || exit["at"] == nil {
		t.Errorf("exit.json is %s", b)
	}
}

// say sends a line to the shim and gives its answer.
func (h *house) say(c host.Spec, line string) string {
	h.t.Helper()
	h.t.(*testing.T).Chdir(filepath.Join(h.cfg.Dir, "tasks", c.ID))
	conn, err := net.Dial("unix", "shim.sock")
	must(h.t, err)
	defer conn.Close()
	_, err = conn.Write([]byte(line + "\n"))
	must(h.t, err)
	answer, err := bufio.NewReader(conn).ReadString('\n')
	must(h.t, err)
	return strings.TrimSpace(answer)
}

func (h *house) found(c host.Spec) host.Found {
	h.t.Helper()
	all, err := h.List(ctx(h.t))
	must(h.t, err)
	for _, f := range all {
		if f.ID == c.ID {
			return f
		}
	}
	h.t.Fatalf("container %s is not in %+v", c.ID, all)
	return host.Found{}
}

func removeIfThere(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
