package traffic

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// apps answers for both apps: what version, and what goes wrong.
type apps struct {
	version func(host string) int
	cut     bool // every 50th answer is shorter than it says
	answers atomic.Int64

	requests, streams, sockets atomic.Int64

	enough func() // is called once all kinds of traffic have come
}

// count hears of a request, before it is answered.
func (a *apps) count(path string) {
	switch path {
	case "/slow":
		a.streams.Add(1)
	case "/socket":
		a.sockets.Add(1)
	default:
		a.requests.Add(1)
	}
	if a.requests.Load() >= 60 && a.streams.Load() > 0 && a.sockets.Load() > 0 {
		a.enough()
	}
}

func (a *apps) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.count(r.URL.Path)
	version := a.version(r.Host)
	w.Header().Set("X-Version", fmt.Sprint(version))
	if a.answers.Add(1)%50 == 0 && a.cut {
		w.Header().Set("Content-Length", "1000")
		return
	}
	switch {
	case r.URL.Path == "/slow":
		for range 3 {
			fmt.Fprintln(w, version)
		}
		fmt.Fprintln(w, "end")
	case r.URL.Path == "/socket":
		conn, err := websocket.Accept(w, r, nil)
		if err != nil {
			return
		}
		defer conn.CloseNow()
		for {
			kind, text, err := conn.Read(context.Background())
			if err != nil || conn.Write(context.Background(), kind, fmt.Appendf(nil, "%d %s", version, text)) != nil {
				return
			}
		}
	case r.Method == http.MethodPost:
		body, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%d %x\n", version, sha256.Sum256(body))
	default:
		fmt.Fprintln(w, version)
	}
}

func report(t *testing.T, a *apps) Report {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	a.enough = cancel
	server := httptest.NewServer(a)
	defer server.Close()
	return Run(ctx, Config{
		Router: strings.TrimPrefix(server.URL, "http://"), Hosts: []string{"one", "two"}, Rate: 400, Clients: 4, Streams: 1, Sockets: 1,
	})
}

func TestGoodAnswersAreNoFaults(t *testing.T) {
	r := report(t, &apps{version: func(string) int { return 7 }})
	if r.FaultCount > 0 || r.Newest != 7 || r.Requests < 60 || r.Streams < 1 || r.Sockets < 1 || r.P50 <= 0 || r.Most < r.P99 {
		t.Errorf("got %+v", r)
	}
}

func TestAnAnswerThatIsCutIsAFault(t *testing.T) {
	if r := report(t, &apps{version: func(string) int { return 7 }, cut: true}); r.FaultCount == 0 {
		t.Errorf("got %+v", r)
	}
}

func TestAnAppThatStaysBehindTheOtherIsAFault(t *testing.T) {
	r := report(t, &apps{version: func(host string) int { return len(host) - len(strings.TrimPrefix(host, "o")) }})
	if r.FaultCount == 0 || !strings.Contains(r.Faults[0], "version 0 answers, after an answer of version 1 had come") {
		t.Errorf("got %+v", r)
	}
}
