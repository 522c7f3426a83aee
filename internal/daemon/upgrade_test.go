package daemon_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// serving starts a server with the fake engine, by a symbolic link that can lead elsewhere later.
func serving(t *testing.T, variables ...string) (s *server, program string) {
	t.Helper()
	s = newServer(t)
	own, err := os.Executable()
	s.must(err)
	program = filepath.Join(t.TempDir(), "setopsd")
	s.must(os.Symlink(own, program))
	s.start(program, append(variables, "DAEMON_TEST_ROLE=serves")...)
	return s, program
}

// dying is a program that takes over and dies then.
func dying(t *testing.T) []byte { return playing(t, "dies") }

// playing is a program that plays one of the roles.
func playing(t *testing.T, role string) []byte {
	t.Helper()
	own, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Appendf(nil, "#!/bin/sh\nDAEMON_TEST_ROLE='%s' exec %s \"$@\"\n", role, own)
}

// askAll asks API and router until the function that it returns is called.
func (s *server) askAll() (stop func()) {
	ctx, cancel := context.WithCancel(s.t.Context())
	var clients sync.WaitGroup
	clients.Go(func() { s.ask(ctx, s.api, "/v1/nothing") })
	clients.Go(func() { s.ask(ctx, s.router, "/") })
	return func() {
		cancel()
		clients.Wait()
	}
}

// ask sends requests for something that is not there, which http.Transport does not send twice.
func (s *server) ask(ctx context.Context, address, path string) {
	own := http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 4}, Timeout: patience}
	defer own.CloseIdleConnections()
	for ; ctx.Err() == nil; time.Sleep(5 * time.Millisecond) {
		request, err := http.NewRequest(http.MethodPost, "http://"+address+path, io.MultiReader(strings.NewReader("{}")))
		if err != nil {
			s.t.Error(err)
			return
		}
		answer, err := own.Do(request)
		if err != nil {
			s.t.Errorf("%s: %v", address, err)
			continue
		}
		if answer.StatusCode != http.StatusNotFound {
			s.t.Errorf("%s: %s", address, answer.Status)
		}
		_, err = io.Copy(io.Discard, answer.Body)
		if err != nil {
			s.t.Errorf("%s: %v", address, err)
		}
		answer.Body.Close() //nolint:errcheck // it is read
	}
}

func TestTheServerIsHandedOverAtEachHangup(t *testing.T) {
	heard, notify := systemd(t)
	s, _ := serving(t, "NOTIFY_SOCKET="+notify)
	wants(t, heard, "READY=1")
	stop := s.askAll()
	for range 3 {
		s.upgrade()
		wants(t, heard, "RELOADING=1")
		wants(t, heard, fmt.Sprintf("MAINPID=%d\nREADY=1", s.pid()))
	}
	stop()
	s.stop()
	wants(t, heard, "STOPPING=1")
}

// systemd listens to what the server says of itself.
func systemd(t *testing.T) (*net.UnixConn, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "notify")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() }) //nolint:errcheck // the test is over
	return conn, path
}

func wants(t *testing.T, heard *net.UnixConn, state string) {
	t.Helper()
	text := make([]byte, 1000)
	if err := heard.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	n, err := heard.Read(text)
	if err != nil || string(text[:n]) != state {
		t.Errorf("%q, %v, not %q", text[:n], err, state)
	}
}

func TestWhatGoesWrongInAnUpgradeChangesNothing(t *testing.T) {
	heard, notify := systemd(t)
	s, program := serving(t, "NOTIFY_SOCKET="+notify)
	wants(t, heard, "READY=1")
	pid := s.pid()
	stop := s.askAll()
	good, err := os.Readlink(program)
	s.must(err)
	for content, why := range map[string]string{
		"":                    "start new process",
		"#!/bin/sh\nexit 7\n": "is not prepared: it ended: exit status 7",
		string(dying(t)):      "did not get ready: it ended: exit status 3",
		"#!/bin/sh\nexec sh -c 'kill -KILL $$'\n": "is not prepared: it ended: signal: killed",
	} {
		s.must(os.Remove(program))
		if content != "" {
			s.must(os.WriteFile(program, []byte(content), 0o755))
		} else {
			s.must(os.Symlink("nowhere", program))
		}
		s.hangUp()
		s.awaitLog("no new process has taken over; this one goes on", why)
		wants(t, heard, "RELOADING=1")
		wants(t, heard, "READY=1")
		if s.pid() != pid {
			t.Errorf("%s: process %d serves, not %d", why, s.pid(), pid)
		}
	}
	s.must(os.Remove(program))
	s.must(os.Symlink(good, program))
	s.upgrade()
	stop()
	s.stop()
}

func TestAStopWhileAnotherProcessOpensEndsBoth(t *testing.T) {
	s, program := serving(t)
	s.must(os.Remove(program))
	s.must(os.WriteFile(program, []byte("#!/bin/sh\nexec sleep 60\n"), 0o755))
	s.hangUp()
	s.awaitLog("handing over to a new process")
	s.hangUp()
	s.awaitLog("is being handed over already; the signal is ignored")
	s.stop()
}

// Whoever asks the file lock whom to stop may find a process that is not ready yet.
func TestAStopOfAProcessThatStillOpensEndsTheServer(t *testing.T) {
	s, program := serving(t)
	s.must(os.Remove(program))
	s.must(os.WriteFile(program, playing(t, "is stopped"), 0o755))
	s.hangUp()
	s.awaitEnd()
	if log := s.logged(); strings.Contains(log, "this one goes on") {
		t.Error(log)
	}
}
