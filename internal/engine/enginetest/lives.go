package enginetest

import (
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/setops"
)

// answers reports whether the task serves. That something accepts at its address is not enough: on some networks a
// gateway accepts in the name of all.
func answers(task setops.Task) bool {
	client := http.Client{Timeout: time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Get("http://" + task.Address + "/")
	if err != nil {
		return false
	}
	defer response.Body.Close() //nolint:errcheck // it was only read
	body, err := io.ReadAll(response.Body)
	return err == nil && strings.Contains(string(body), "hello")
}

func endedTasksAreReplaced(t *testing.T, w *world) {
	g := w.serving()
	first := w.deploy(t, g)[0]
	get0(first, "/exit/4")
	ended := w.wait(t, first.ID)
	if ended.ExitCode == nil || *ended.ExitCode != 4 || !strings.Contains(ended.Reason, "code 4") ||
		ended.StoppedAt.Before(ended.StartedAt) {
		t.Errorf("got %+v", ended)
	}
	eventually(t, "another task runs", func() bool { return len(w.running(t, g.ID)) == 1 })
	second := w.running(t, g.ID)[0]
	if second.ID == first.ID {
		t.Error("it is the same task")
	}
	if lines := w.lines(t, logOf(second.ID), "system"); !contains(lines, "restarting in ") ||
		!contains(lines, "exited with code 4") {
		t.Errorf("the back-off is not explained: %q", lines)
	}
}

// get0 asks a task that does not live to answer.
func get0(task setops.Task, path string) {
	conn, err := net.DialTimeout("tcp", task.Address, time.Second)
	if err != nil {
		return
	}
	defer conn.Close()                                                     //nolint:errcheck // see above
	conn.Write([]byte("GET " + path + " HTTP/1.1\r\nHost: suite\r\n\r\n")) //nolint:errcheck // see above
	conn.SetReadDeadline(time.Now().Add(time.Second))                      //nolint:errcheck // see above
	conn.Read(make([]byte, 1))                                             //nolint:errcheck // see above
}

func unhealthyTasksAreReplaced(t *testing.T, w *world) {
	g := w.serving()
	g.HealthCheck = check("lack", "ill")
	first := w.deploy(t, g)[0]
	get(t, first, "/touch/ill")
	ended := w.wait(t, first.ID)
	if !strings.Contains(ended.Reason, "container health check failed") || ended.Health != setops.Unhealthy {
		t.Errorf("got %+v", ended)
	}
	if w.h.RestartsInPlace {
		eventually(t, "another task runs", func() bool { return len(w.running(t, g.ID)) == 1 })
	}
	running := w.running(t, g.ID)
	if len(running) != 1 || running[0].ID == first.ID {
		t.Fatalf("got %+v", running)
	}
	second := w.lines(t, logOf(running[0].ID), "system")
	if !contains(second, "Task status is RUNNING") {
		t.Errorf("got %q", second)
	}
	if w.h.RestartsInPlace {
		return
	}
	if began := w.timeOf(t, running[0].ID, "Task status is RUNNING"); began.After(w.timeOf(t, first.ID, "Task status is DEACTIVATING")) {
		t.Error("the ill task was stopped before another could take its place")
	}
}

// timeOf gives the time of the first line of a task with that text in it.
func (w *world) timeOf(t *testing.T, id, part string) (at time.Time) {
	t.Helper()
	q := logOf(id)
	q.StageID, q.App = w.stage.ID, "web"
	err := w.ReadLogs(t.Context(), q, func(l engine.LogLine) bool {
		at = l.Time
		return !strings.Contains(l.Text, part)
	})
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func stoppingDrains(t *testing.T, w *world) {
	g := w.serving()
	g.Container.Command = []string{"term", "5", "serve"}
	first := w.deploy(t, g)[0]
	hold := make(chan struct{})
	w.drainer.holdUntilClosed(hold)
	if err := w.Stop(t.Context(), first.ID); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the task is drained", func() bool { return w.drainer.asked(first.ID) })
	if now := w.task(t, first.ID); now.Status != setops.Deactivating || now.Desired != setops.Stopped {
		t.Errorf("got %+v", now)
	} else if status, _ := get(t, now, "/"); status != http.StatusOK { // however long it takes on a busy machine
		t.Errorf("it answers %d", status)
	}
	close(hold)
	ended := w.wait(t, first.ID)
	if ended.ExitCode == nil || *ended.ExitCode != 5 {
		t.Errorf("got %+v", ended)
	}
	want := []string{
		"PROVISIONING, desired status is RUNNING", "PENDING, desired status is RUNNING",
		"ACTIVATING, desired status is RUNNING", "RUNNING, desired status is RUNNING",
		"DEACTIVATING, desired status is STOPPED", "STOPPING, desired status is STOPPED",
		"DEPROVISIONING, desired status is STOPPED", "STOPPED, desired status is STOPPED due to '" + ended.Reason + "'",
	}
	for i := range want {
		want[i] = "Task status is " + want[i]
	}
	if got := w.lines(t, logOf(first.ID), "system"); !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
	eventually(t, "it is replaced", func() bool { return len(w.running(t, g.ID)) == 1 })
}

func deafTasksAreKilled(t *testing.T, w *world) {
	g := w.generation("ignore-term", "serve")
	g.NetworkCheck = &setops.NetworkCheck{Protocol: setops.TCP}
	g.StopTimeout = time.Second
	task := w.deploy(t, g)[0]
	w.remove(t, g.ID)
	ended := w.task(t, task.ID)
	if ended.ExitCode == nil || *ended.ExitCode != engine.ExitOfSignal(syscall.SIGKILL) || ended.OOMKilled {
		t.Errorf("got %+v", ended)
	}
	if lines := w.lines(t, logOf(task.ID), "system"); !contains(lines, "killed: it did not end within") {
		t.Errorf("got %q", lines)
	}
}

func memoryIsLimited(t *testing.T, w *world) {
	ended := w.runOneOff(t, w.oneOff("allocate", "400", "exit", "0"))
	if !ended.OOMKilled || ended.ExitCode == nil || *ended.ExitCode != engine.ExitOfSignal(syscall.SIGKILL) ||
		ended.Reason != "killed: out of memory (limit 128 MB)" {
		t.Errorf("got %+v, code %v", ended, ended.ExitCode)
	}
	if ended := w.runOneOff(t, w.oneOff("allocate", "40", "exit", "0")); ended.OOMKilled || *ended.ExitCode != 0 {
		t.Errorf("got %+v", ended)
	}
}

func unknownTasks(t *testing.T, w *world) {
	if err := w.Stop(t.Context(), newID()); !setops.IsCode(err, setops.TaskDoesNotExist) {
		t.Errorf("got %v", err)
	}
	if _, err := w.Wait(t.Context(), newID()); !setops.IsCode(err, setops.TaskDoesNotExist) {
		t.Errorf("got %v", err)
	}
}
