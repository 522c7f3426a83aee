package enginetest

import (
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/setops"
)

// serveFront answers with who was asked, and at which address.
func serveFront(stageID string, f engine.Front, l net.Listener) {
	if f.Protocol == setops.HTTP {
		server := &http.Server{ReadHeaderTimeout: patience, Handler: http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
			at := q.Context().Value(http.LocalAddrContextKey).(net.Addr)
			fmt.Fprintf(w, "http %s of %s at %s", q.Host, stageID, ip(at))
		})}
		server.Serve(l) //nolint:errcheck // it ends with its listener
		server.Close()  //nolint:errcheck // what is in flight may be cut
		return
	}
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		fmt.Fprintf(conn, "tcp %s of %s at %s", f.App, stageID, ip(conn.LocalAddr()))
		conn.Close() //nolint:errcheck // all is said
	}
}

// ip leaves out the port: it may be another one than was asked for.
func ip(a net.Addr) string {
	host, _, _ := net.SplitHostPort(a.String())
	return host
}

const databasePort = 5432

// fronts are those of an http app and two tcp apps that have the same port.
func fronts(s setops.StageRef) []engine.Front {
	host := func(app string) string { return app + "." + s.Name + "." + s.Project + ".localhost.internal" }
	return []engine.Front{
		{Host: host("web"), App: "web", Protocol: setops.HTTP, Port: 80},
		{Host: host("db"), App: "db", Protocol: setops.TCP, Port: databasePort},
		{Host: host("queue"), App: "queue", Protocol: setops.TCP, Port: databasePort},
	}
}

func (w *world) setFronts(t *testing.T, s setops.StageRef, f []engine.Front) {
	t.Helper()
	ctx, cancel := soon()
	defer cancel()
	if err := w.Engine.(engine.Fronts).SetFronts(ctx, s.ID, f); err != nil {
		t.Fatal(err)
	}
}

// say runs a one-off task of a stage and gives what it wrote.
func (w *world) say(t *testing.T, s setops.StageRef, words ...string) (lines []string, code int) {
	t.Helper()
	o := w.oneOff(words...)
	o.Stage = s
	ended := w.runOneOff(t, o)
	q := logOf(ended.ID)
	q.StageID, q.App = s.ID, o.App
	err := w.ReadLogs(t.Context(), q, func(l engine.LogLine) bool {
		if l.Source == "app" {
			lines = append(lines, l.Text)
		}
		return true
	})
	if err != nil {
		t.Fatal(err)
	}
	return lines, *ended.ExitCode
}

// answered holds that a task of the stage reaches all of its apps by their names. It gives their addresses.
func (w *world) answered(t *testing.T, s setops.StageRef) (addresses []string) {
	t.Helper()
	f := fronts(s)
	web := strings.ToUpper(f[0].Host)
	lines, _ := w.say(t, s, "get", "http://"+web+"/", "hear", address(f[1]), "hear", address(f[2]))
	want := []string{"200 http " + web + " of " + s.ID, "tcp db of " + s.ID, "tcp queue of " + s.ID}
	for _, l := range lines {
		said, at, _ := strings.Cut(l, " at ")
		if len(want) == 0 || said != want[0] {
			break
		}
		addresses, want = append(addresses, at), want[1:]
	}
	if len(want) > 0 {
		t.Fatalf("got %q, where %q is missing", lines, want)
	}
	return addresses
}

func address(f engine.Front) string { return fmt.Sprintf("%s:%d", f.Host, f.Port) }

func privateNamesAnswer(t *testing.T, w *world) {
	w.setFronts(t, w.stage, fronts(w.stage))
	w.answered(t, w.stage)
	w.setFronts(t, w.stage, fronts(w.stage)) // idempotent
	w.answered(t, w.stage)
}

func privateNamesAreOfAStage(t *testing.T, w *world) {
	other := newStage()
	w.ensureStage(t, other)
	t.Cleanup(func() { w.removeStage(t, other.ID) })
	w.setFronts(t, w.stage, fronts(w.stage))
	w.setFronts(t, other, fronts(other))
	addresses := w.answered(t, w.stage)
	w.answered(t, other)
	for i, f := range fronts(w.stage) {
		if lines, code := w.say(t, other, "dial", address(f)); code != 1 || !contains(lines, "no such host") {
			t.Errorf("%s: code %d, %q", f.Host, code, lines)
		}
		if !w.h.Isolates {
			continue
		}
		if _, code := w.say(t, other, "dial", fmt.Sprintf("%s:%d", addresses[i], f.Port)); code != 1 {
			t.Errorf("a task of another stage reaches %s at %s", f.Host, addresses[i])
		}
	}
}

func privateNamesGo(t *testing.T, w *world) {
	all := fronts(w.stage)
	w.setFronts(t, w.stage, all)
	w.answered(t, w.stage)
	w.setFronts(t, w.stage, all[1:2])
	for i, want := range []int{1, 0, 1} {
		if lines, code := w.say(t, w.stage, "dial", address(all[i])); code != want {
			t.Errorf("%s: code %d, %q", all[i].Host, code, lines)
		}
	}
}

func privateNamesSurvive(t *testing.T, w *world) {
	w.setFronts(t, w.stage, fronts(w.stage))
	before := w.answered(t, w.stage)
	w.reopen(t, func() {})
	w.setFronts(t, w.stage, fronts(w.stage))
	if after := w.answered(t, w.stage); w.h.Isolates && !slices.Equal(after, before) {
		t.Errorf("the addresses were %v and are %v", before, after)
	}
}
