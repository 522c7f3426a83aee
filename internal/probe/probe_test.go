package probe_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/setopsco/setops/internal/probe"
)

func TestAcceptedAnswerPasses(t *testing.T) {
	var seen *http.Request
	addr := serve(t, func(w http.ResponseWriter, req *http.Request) {
		seen = req
		w.WriteHeader(http.StatusNoContent)
	})
	check := probe.HTTP{Host: "web.test.localhost", Path: "/up?deep=1", Status: status(t, "204")}
	if err := check.Probe(t.Context(), addr); err != nil {
		t.Fatal(err)
	}
	if seen.Method != http.MethodGet || seen.RequestURI != "/up?deep=1" || seen.Host != "web.test.localhost" {
		t.Errorf("asked %s %s of %s", seen.Method, seen.RequestURI, seen.Host)
	}
	if agent := seen.UserAgent(); agent != "SetOps-Health-Check/1" {
		t.Errorf("user agent is %q", agent)
	}
}

func TestRefusedStatusIsNamedWithTheBodysFirstLine(t *testing.T) {
	addr := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusNotFound)
		_, _ = w.Write([]byte("\r\n\x1b[31mno such\x00 page\r\nsecond line\n"))
	})
	err := probe.HTTP{Path: "/up", Status: status(t, "200-399")}.Probe(t.Context(), addr)
	want := "GET /up on " + addr + ` answered 404 Not Found ("[31mno such page"), accepted are 200-399`
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
	f := failure(t, err, probe.KindStatus)
	if f.Status != http.StatusNotFound {
		t.Errorf("status is %d", f.Status)
	}
}

func TestLongBodyIsCutAtACharacter(t *testing.T) {
	addr := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusTeapot)
		_, _ = w.Write([]byte("x" + strings.Repeat("é", 5000)))
	})
	err := probe.HTTP{Status: status(t, "200")}.Probe(t.Context(), addr)
	if body := failure(t, err, probe.KindStatus).Body; body != "x"+strings.Repeat("é", 99) {
		t.Errorf("body of %d bytes is %q", len(body), body)
	}
}

func TestRedirectIsAnAnswerAndNotFollowed(t *testing.T) {
	addr := serve(t, func(w http.ResponseWriter, req *http.Request) {
		if req.URL.Path != "/" {
			t.Errorf("the redirect was followed to %s", req.URL)
		}
		http.Redirect(w, req, "/elsewhere", http.StatusFound)
	})
	if err := (probe.HTTP{Status: status(t, "302")}).Probe(t.Context(), addr); err != nil {
		t.Error(err)
	}
	failure(t, probe.HTTP{Status: status(t, "200")}.Probe(t.Context(), addr), probe.KindStatus)
}

func TestEveryProbeMakesANewConnection(t *testing.T) {
	peers := map[string]bool{}
	addr := serve(t, func(_ http.ResponseWriter, req *http.Request) { peers[req.RemoteAddr] = true })
	for range 3 {
		if err := (probe.HTTP{Status: status(t, "200")}).Probe(t.Context(), addr); err != nil {
			t.Fatal(err)
		}
	}
	if len(peers) != 3 {
		t.Errorf("3 probes used %d connections", len(peers))
	}
}

func TestRefusedConnectionNamesThePort(t *testing.T) {
	const addr = "127.0.0.1:1" // a port that was free might be another test's by now
	const want = "connection to " + addr + " refused: nothing listens on port 1"
	for _, check := range []probe.Check{probe.TCP{}, probe.HTTP{Status: status(t, "200")}} {
		err := check.Probe(t.Context(), addr)
		if err == nil || err.Error() != want {
			t.Errorf("got  %v\nwant %s", err, want)
		}
		failure(t, err, probe.KindConnect)
	}
}

func TestOpenPortPassesTCP(t *testing.T) {
	if err := (probe.TCP{}).Probe(t.Context(), listen(t).Addr().String()); err != nil {
		t.Error(err)
	}
}

func TestSilentServerTimesOut(t *testing.T) {
	addr := listen(t).Addr().String() // connections wait in the backlog: made, but never answered
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	err := probe.HTTP{Path: "/up", Status: status(t, "200")}.Probe(ctx, addr)
	// What is left of the time when the probe begins: less than was given, where the machine is busy.
	f := failure(t, err, probe.KindTimeout)
	if f.Within > 100*time.Millisecond || f.Request != "GET /up" || f.Addr != addr {
		t.Errorf("got %+v", f)
	}
}

func TestWhatTimedOutSaysWhatTimeItHad(t *testing.T) {
	for want, f := range map[string]probe.Failure{
		"GET /up on db:80 got no answer within 5s":    {Request: "GET /up", Within: 4999 * time.Millisecond},
		"GET /up on db:80 got no answer within 100ms": {Request: "GET /up", Within: 93 * time.Millisecond},
		"GET /up on db:80 got no answer in time":      {Request: "GET /up"},
		"no connection to db:80 within 1.3s":          {Within: 1290 * time.Millisecond},
	} {
		f.Kind, f.Addr = probe.KindTimeout, "db:80"
		if f.Error() != want {
			t.Errorf("got  %s\nwant %s", &f, want)
		}
	}
}

func TestCancelledProbeBlamesNobody(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err := probe.HTTP{Status: status(t, "200")}.Probe(ctx, listen(t).Addr().String())
	var f *probe.Failure
	if !errors.Is(err, context.Canceled) || errors.As(err, &f) {
		t.Errorf("got %v", err)
	}
}

func TestAnswersThatAreNotHTTP(t *testing.T) {
	tests := map[string]string{
		"SSH-2.0-OpenSSH_9.2\r\n": "got no valid HTTP answer",
		"":                        "got no answer: the connection was closed",
	}
	for banner, sentence := range tests {
		err := probe.HTTP{Status: status(t, "200")}.Probe(t.Context(), greet(t, banner))
		failure(t, err, probe.KindProtocol)
		if !strings.Contains(err.Error(), sentence) {
			t.Errorf("after %q: %v", banner, err)
		}
	}
}

// greet answers each connection with a banner as soon as something was asked, and closes it.
func greet(t *testing.T, banner string) string {
	listener := listen(t)
	go func() { // ends when the test closes the listener
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			_, _ = conn.Read(make([]byte, 1024))
			_, _ = conn.Write([]byte(banner))
			_ = conn.Close()
		}
	}()
	return listener.Addr().String()
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	return listener
}

func serve(t *testing.T, handler http.HandlerFunc) string {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server.Listener.Addr().String()
}

func status(t *testing.T, text string) probe.Status {
	t.Helper()
	s, err := probe.ParseStatus(text)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func failure(t *testing.T, err error, kind probe.Kind) *probe.Failure {
	t.Helper()
	var f *probe.Failure
	if !errors.As(err, &f) || f.Kind != kind {
		t.Fatalf("want a failure of kind %s, got %v", kind, err)
	}
	return f
}
