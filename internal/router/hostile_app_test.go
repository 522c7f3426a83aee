package router_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/setopsco/setops/internal/router"
)

// scripted is an upstream that answers each request with a text as it is, and then does what the test says.
func scripted(t *testing.T, id, answer string, after func(*net.TCPConn)) router.Upstream {
	return tcpApp(t, id, func(conn *net.TCPConn) {
		reader := bufio.NewReader(conn)
		for {
			req, err := http.ReadRequest(reader)
			if err != nil {
				return
			}
			_, _ = io.Copy(io.Discard, req.Body)
			_, _ = io.WriteString(conn, answer)
			if after != nil {
				after(conn)
				return
			}
		}
	})
}

// hangUpAfter ends the connection after an answer.
func hangUpAfter(*net.TCPConn) {}

func TestBrokenAnswersAreABadGatewayOrAreCut(t *testing.T) {
	const ok = "HTTP/1.1 200 OK\r\n"
	tests := map[string]struct {
		answer string
		code   int
		cut    bool
	}{
		"nothing":                  {"", 502, false},
		"half a status line":       {"HTTP/1.1 20", 502, false},
		"half a header":            {ok + "Content-Ty", 502, false},
		"garbage":                  {"\x00\xff\x16\x03garbage\r\n\r\n", 502, false},
		"HTTP/2":                   {"HTTP/2.0 200 OK\r\n\r\n", 502, false},
		"HTTP/0.9":                 {"<html>hello</html>", 502, false},
		"no number":                {"HTTP/1.1 abc OK\r\n\r\n", 502, false},
		"a number too small":       {"HTTP/1.1 099 OK\r\n\r\n", 502, false},
		"a huge header":            {ok + "X: " + strings.Repeat("x", 300<<10) + "\r\n\r\n", 502, false},
		"many fields":              {ok + strings.Repeat("X: x\r\n", 60_000) + "\r\n", 502, false},
		"a header without end":     {ok + strings.Repeat("x", 1<<20), 502, false},
		"two lengths":              {ok + "Content-Length: 1\r\nContent-Length: 2\r\n\r\nab", 502, false},
		"no length":                {ok + "Content-Length: x\r\n\r\nab", 502, false},
		"a negative length":        {ok + "Content-Length: -1\r\n\r\nab", 502, false},
		"a coding that nobody has": {ok + "Transfer-Encoding: gzip\r\n\r\nab", 502, false},
		"space before the colon":   {ok + "Content-Length : 2\r\n\r\nab", 200, false},
		"only preliminaries":       {"HTTP/1.1 103 Early Hints\r\n\r\n", 502, false},
		"too short":                {ok + "Content-Length: 100\r\n\r\nab", 200, true},
		"a chunk that is none":     {ok + "Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\nxyz\r\n", 200, true},
		"chunks without end":       {ok + "Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n", 200, true},
		"to the end":               {ok + "\r\nab", 200, false},
		"HTTP/1.0":                 {"HTTP/1.0 200 OK\r\n\r\nab", 200, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			f := newFront(t, router.Config{})
			f.Set("stage", route(testHost, scripted(t, "a", test.answer, hangUpAfter)))
			code, body, err := read(f.client.Do(f.request(t, testHost, "/", nil)))
			if (err != nil) != test.cut || !test.cut && (code != test.code || code == 200 && body != "ab") {
				t.Errorf("answered %d %.100q, %v", code, body, err)
			}
			eventually(t, "nothing is in flight", func() bool { return f.InFlight("a") == 0 })
		})
	}
}

// read gives an answer with its whole body.
func read(res *http.Response, err error) (code int, body string, _ error) {
	if err != nil {
		return 0, "", err
	}
	defer func() { _ = res.Body.Close() }()
	all, err := io.ReadAll(res.Body)
	return res.StatusCode, string(all), err
}

// What an app sends beyond its answer must be nobody's answer.
func TestSurplusIsNotTheNextAnswer(t *testing.T) {
	const poison = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison"
	tests := map[string]struct{ method, answer string }{
		"after a length":         {"GET", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok" + poison},
		"after chunks":           {"GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n" + poison},
		"a body of HEAD":         {"HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n" + poison},
		"a body of 204":          {"GET", "HTTP/1.1 204 No Content\r\n\r\n" + poison},
		"a body of 304":          {"GET", "HTTP/1.1 304 Not Modified\r\n\r\n" + poison},
		"a length and chunks":    {"GET", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n" + poison},
		"a broken piece of text": {"GET", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok\r\n\r\n"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			f := newFront(t, router.Config{})
			f.Set("stage", route(testHost, scripted(t, "a", test.answer, nil)))
			for i := range 5 {
				req := f.request(t, testHost, "/", nil)
				req.Method = test.method
				if res, body := f.do(t, req); res.StatusCode >= 400 || body != "ok" && body != "" {
					t.Errorf("request %d was answered %s %q", i, res.Status, body)
				}
			}
		})
	}
}

func TestWhatAnIdleConnectionSaysUnaskedIsNotAnAnswer(t *testing.T) {
	f := newFront(t, router.Config{})
	said := make(chan struct{}, 10)
	f.Set("stage", route(testHost, tcpApp(t, "a", func(conn *net.TCPConn) {
		if _, err := http.ReadRequest(bufio.NewReader(conn)); err != nil {
			return
		}
		_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
		for f.InFlight("a") != 0 { // until the router takes the connection for idle
			if _, err := conn.Write(nil); err != nil {
				return
			}
		}
		_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison")
		said <- struct{}{}
		_, _ = io.Copy(io.Discard, conn)
	})))
	for range 5 {
		if code, body := f.get(t, testHost); code != http.StatusOK || body != "ok" {
			t.Errorf("answered %d %q", code, body)
		}
		<-said
	}
}

func TestAnAppThatNeverAnswersIsWaitedForAsLongAsItsClientDoes(t *testing.T) {
	f := newFront(t, router.Config{})
	for _, beginning := range []string{"", "HTTP/1.1 200 OK\r\nContent-"} {
		asked := make(chan struct{})
		up := scripted(t, "a", beginning, func(conn *net.TCPConn) {
			close(asked)
			_, _ = io.Copy(io.Discard, conn)
		})
		f.Set("stage", route(testHost, up))
		ctx, leave := context.WithCancel(t.Context())
		answered := f.inBackground(f.request(t, testHost, "/", nil).WithContext(ctx))
		<-asked
		if n := f.InFlight("a"); n != 1 {
			t.Errorf("%d are in flight", n)
		}
		leave()
		if err := <-answered; !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
		eventually(t, "nothing is in flight", func() bool { return f.InFlight("a") == 0 })
	}
}

func TestAnAnswerCannotSplitItself(t *testing.T) {
	f := newFront(t, router.Config{})
	f.Set("stage", route(testHost, scripted(t, "a",
		"HTTP/1.1 200 OK\r\nX-Folded: a\r\n b: c\r\nX-CR: a\rSet-Cookie: evil\r\nContent-Length: 2\r\n\r\nok", nil)))
	conn := newKeptConn(t, f.addr)
	res, body, err := conn.do(f.request(t, testHost, "/", nil))
	if err != nil || res.Header.Get("Set-Cookie") != "" || res.Header.Get("B") != "" {
		t.Errorf("answered %+v %q, %v", res, body, err)
	}
}

func TestABodyIsSentOnlyWhenTheAppWantsIt(t *testing.T) {
	f := newFront(t, router.Config{})
	var read atomic.Bool
	up, _ := backend(t, "a", func(w http.ResponseWriter, req *http.Request) {
		if req.URL.Path == "/refused" {
			w.WriteHeader(http.StatusExpectationFailed)
			return
		}
		body, _ := io.ReadAll(req.Body)
		read.Store(true)
		_, _ = w.Write(body)
	})
	f.Set("stage", route(testHost, up))

	refused := newKeptConn(t, f.addr)
	head := "POST /%s HTTP/1.1\r\nHost: " + testHost + "\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n"
	_, _ = fmt.Fprintf(refused, head, "refused")
	if res, err := http.ReadResponse(refused.reader, nil); err != nil || res.StatusCode != http.StatusExpectationFailed {
		t.Errorf("answered %v, %v", res, err)
	}

	wanted := newKeptConn(t, f.addr)
	_, _ = fmt.Fprintf(wanted, head, "wanted")
	if res, err := http.ReadResponse(wanted.reader, nil); err != nil || res.StatusCode != http.StatusContinue {
		t.Fatalf("answered %v, %v", res, err)
	}
	if read.Load() {
		t.Error("the app has a body that was not sent")
	}
	_, _ = io.WriteString(wanted, "hello")
	res, err := http.ReadResponse(wanted.reader, nil)
	if err != nil {
		t.Fatal(err)
	}
	if body, err := io.ReadAll(res.Body); err != nil || string(body) != "hello" {
		t.Errorf("answered %s %q, %v", res.Status, body, err)
	}
}
