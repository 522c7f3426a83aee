package router_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/setopsco/setops/internal/router"
)

// fatal is a request that may hit an app at a weak point.
type fatal struct {
	method, body string
	header       http.Header
}

// fatals are all kinds that http.Transport tells apart when it decides whether to send again on its own.
func fatals() []fatal {
	key := http.Header{"Idempotency-Key": {"1"}}
	oldKey := http.Header{"X-Idempotency-Key": {"1"}}
	return []fatal{
		{method: "GET"},
		{method: "HEAD"},
		{method: "OPTIONS"},
		{method: "TRACE"},
		{method: "DELETE"},
		{method: "DELETE", header: key},
		{method: "BREW", header: key},
		{method: "GET", header: http.Header{"Expect": {"100-continue"}}},
		{method: "POST"},
		{method: "POST", header: key},
		{method: "PUT", header: oldKey},
		{method: "PATCH", header: key},
		{method: "POST", body: "body"},
		{method: "POST", body: "body", header: key},
		{method: "POST", body: "body", header: http.Header{"Expect": {"100-continue"}}},
	}
}

func (k fatal) String() string { return fmt.Sprintf("%s %v %q", k.method, k.header, k.body) }

// fragile is the tasks of one app, which has a bug at /die.
type fragile struct {
	upstreams []router.Upstream
	received  atomic.Int64 // times that /die was
	warmed    sync.WaitGroup
}

// newFragile starts n tasks. end is what /die does to the one that receives it.
func newFragile(t *testing.T, n int, end func(*httptest.Server, http.ResponseWriter)) *fragile {
	app := &fragile{}
	for i := range n {
		var server *httptest.Server
		server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
			switch req.URL.Path {
			case "/die":
				app.received.Add(1)
				end(server, w)
			case "/warm":
				app.warmed.Done()
				app.warmed.Wait()
			}
		}))
		server.Start()
		t.Cleanup(server.Close)
		app.upstreams = append(app.upstreams, router.Upstream{ID: fmt.Sprint(i), Addr: server.Listener.Addr().String()})
	}
	return app
}

// exit ends a task as its crash does: listener and connections are gone. The fatal request's goes last, so that
// whoever has its answer knows that the others are closed.
func exit(server *httptest.Server, w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	_ = server.Config.Close()
	if err == nil {
		_ = conn.Close()
	}
}

// hangUp only ends the connection, so that the task could receive the request again.
func hangUp(_ *httptest.Server, w http.ResponseWriter) {
	if conn, _, err := http.NewResponseController(w).Hijack(); err == nil {
		_ = conn.Close()
	}
}

// warm leaves some idle connections to each task: all requests are in flight at once, and so spread evenly.
func (app *fragile) warm(t *testing.T, f *front) {
	t.Helper()
	const each = 3
	n := each * len(app.upstreams)
	app.warmed.Add(n)
	var answers []<-chan error
	for range n {
		answers = append(answers, f.inBackground(f.request(t, testHost, "/warm", nil)))
	}
	for _, answer := range answers {
		if err := <-answer; err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "nothing is in flight", func() bool {
		busy := 0
		for _, up := range app.upstreams {
			busy += f.InFlight(up.ID)
		}
		return busy == 0
	})
}

// strike sends a fatal request, whose answer must be that there is none.
func (f *front) strike(t *testing.T, kind fatal) {
	t.Helper()
	var body io.Reader
	if kind.body != "" {
		body = strings.NewReader(kind.body)
	}
	req := f.request(t, testHost, "/die", body)
	req.Method = kind.method
	for name, values := range kind.header {
		req.Header[name] = values
	}
	if res, _ := f.do(t, req); res.StatusCode != http.StatusBadGateway {
		t.Errorf("answered %s", res.Status)
	}
}

func TestARequestThatKillsItsTaskKillsNoOther(t *testing.T) {
	for _, tasks := range []int{2, 16} {
		for _, kind := range fatals() {
			t.Run(fmt.Sprintf("%d/%s", tasks, kind), func(t *testing.T) {
				f := newFront(t, router.Config{})
				app := newFragile(t, tasks, exit)
				f.Set("stage", route(testHost, app.upstreams...))
				app.warm(t, f)
				f.strike(t, kind)
				if n := app.received.Load(); n != 1 {
					t.Errorf("the app received the request %d times", n)
				}
				for range 2 * tasks {
					if code, _ := f.get(t, testHost); code != http.StatusOK {
						t.Errorf("answered %d by the tasks that live on", code)
					}
				}
			})
		}
	}
}

func TestARequestThatEndsItsConnectionIsNotSentOnAnother(t *testing.T) {
	for _, kind := range fatals() {
		t.Run(kind.String(), func(t *testing.T) {
			f := newFront(t, router.Config{})
			app := newFragile(t, 2, hangUp)
			f.Set("stage", route(testHost, app.upstreams...))
			app.warm(t, f)
			f.strike(t, kind)
			if n := app.received.Load(); n != 1 {
				t.Errorf("the app received the request %d times", n)
			}
		})
	}
}

func TestARequestWithoutABodyAnnouncesNone(t *testing.T) {
	f := newFront(t, router.Config{})
	up, heads := listenRaw(t)
	f.Set("stage", route(testHost, up))
	for method, announced := range map[string]bool{
		"GET": false, "HEAD": false, "OPTIONS": false, "TRACE": false, "DELETE": false, "BREW": false,
		"POST": true, "PUT": true, "PATCH": true,
	} {
		req := f.request(t, testHost, "/", nil)
		req.Method = method
		f.do(t, req)
		head := strings.ToLower(<-heads)
		if strings.Contains(head, "transfer-encoding") || strings.Contains(head, "content-length: 0\r\n") != announced {
			t.Errorf("%s was sent as %q", method, head)
		}
	}
}

// listenRaw is an upstream that gives the bytes of each request's head and answers without a body.
func listenRaw(t *testing.T) (up router.Upstream, heads <-chan string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	received := make(chan string, 1)
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			serving.Go(func() { answerRaw(conn, received) })
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		serving.Wait()
	})
	return router.Upstream{ID: "raw", Addr: listener.Addr().String()}, received
}

// answerRaw reads one head to its empty line. What follows, it would take for a body and leave it unread.
func answerRaw(conn net.Conn, received chan<- string) {
	defer func() { _ = conn.Close() }()
	reader := bufio.NewReader(conn)
	var head strings.Builder
	for {
		line, err := reader.ReadString('\n')
		if err != nil {
			return
		}
		head.WriteString(line)
		if line == "\r\n" {
			break
		}
	}
	received <- head.String()
	_, _ = io.WriteString(conn, "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
}
