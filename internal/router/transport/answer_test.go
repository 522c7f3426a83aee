package transport_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/setopsco/setops/internal/router/transport"
)

func TestConnectionsAreKeptExactlyWhereAnAnswerHasAKnownEnd(t *testing.T) {
	tests := []struct {
		name, method, answer string
		body                 string
		kept                 bool
	}{
		{"length", "GET", fine, "fine", true},
		{"length of nothing", "GET", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "", true},
		{"chunked", "GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nfine\r\n0\r\n\r\n", "fine", true},
		{"nothing for HEAD", "HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n", "", true},
		{"nothing for HEAD of chunks", "HEAD", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "", true},
		{"204", "GET", "HTTP/1.1 204 No Content\r\n\r\n", "", true},
		{"304 with the length it would have", "GET", "HTTP/1.1 304 Not Modified\r\nContent-Length: 4\r\n\r\n", "", true},
		{"HTTP/1.0 that keeps", "GET", "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 4\r\n\r\nfine", "fine", true},
		{"HTTP/1.0", "GET", "HTTP/1.0 200 OK\r\nContent-Length: 4\r\n\r\nfine", "fine", false},
		{"asked to close", "GET", "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 4\r\n\r\nfine", "fine", false},
		{"more than the length", "GET", fine + "more", "fine", false},
		{"more than nothing", "HEAD", fine, "", false},
		{"another answer", "GET", fine + fine, "fine", false},
		{"more than the last chunk", "GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n\r\n", "", false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			tr := newTransport(t, transport.Config{})
			up := says(t, test.answer)
			for range 2 {
				if _, body := up.ask(t, tr, test.method); body != test.body {
					t.Errorf("got %q", body)
				}
			}
			if kept := up.conns.Load() == 1; kept != test.kept {
				t.Errorf("%d connections were made", up.conns.Load())
			}
		})
	}
}

func TestAnAnswerWithoutALengthEndsWithItsConnection(t *testing.T) {
	tr := newTransport(t, transport.Config{})
	up := newTask(t, func(w *wire) bool {
		w.say("HTTP/1.1 200 OK\r\n\r\nuntil the end")
		return false
	})
	for range 2 {
		if _, body := up.ask(t, tr, "GET"); body != "until the end" {
			t.Errorf("got %q", body)
		}
	}
}

func TestTrailersComeWithTheEndOfTheBody(t *testing.T) {
	tr := newTransport(t, transport.Config{})
	up := says(t, "HTTP/1.1 200 OK\r\nTrailer: Sum\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nfine\r\n0\r\nSum: 42\r\n\r\n")
	for range 2 {
		if res, body := up.ask(t, tr, "GET"); body != "fine" || res.Trailer.Get("Sum") != "42" {
			t.Errorf("got %q with trailer %v", body, res.Trailer)
		}
	}
	if n := up.conns.Load(); n != 1 {
		t.Errorf("%d connections were made", n)
	}
}

func TestGarbageIsAnErrorAndEndsItsConnection(t *testing.T) {
	garbage := map[string]string{
		"nothing":              "",
		"another protocol":     "SSH-2.0-OpenSSH\r\n",
		"another version":      "HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n",
		"a status too low":     "HTTP/1.1 042 x\r\n\r\n",
		"a status too high":    "HTTP/1.1 2000 x\r\n\r\n",
		"no status":            "HTTP/1.1 abc x\r\n\r\n",
		"two lengths":          "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx",
		"a negative length":    "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
		"an unknown coding":    "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
		"a line that is none":  "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
		"half a header":        "HTTP/1.1 200 OK\r\nContent-Le",
		"a huge header":        "HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", 1<<20) + "\r\n\r\n",
		"huge preliminaries":   strings.Repeat("HTTP/1.1 103 Early Hints\r\nX: "+strings.Repeat("x", 1000)+"\r\n\r\n", 1000),
		"an end in the middle": "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf",
		"chunks that are none": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
		"half a chunk":         "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10\r\nhalf",
	}
	for name, answer := range garbage {
		t.Run(name, func(t *testing.T) {
			tr := newTransport(t, transport.Config{MaxHeaderBytes: 64 << 10})
			up := newTask(t, func(w *wire) bool {
				w.say(answer)
				return false
			})
			for range 2 {
				res, err := tr.RoundTrip(up.request(t, "GET", nil))
				if err == nil {
					_, err = io.Copy(io.Discard, res.Body)
				}
				if err == nil || errors.Is(err, io.EOF) || transport.Unsent(err) {
					t.Errorf("got %v", err)
				}
			}
			if n := up.requests.Load(); n != 2 {
				t.Errorf("the task received %d requests", n)
			}
		})
	}
}

func TestAnAnswerThatIsNotReadToItsEndCostsTheConnection(t *testing.T) {
	tr := newTransport(t, transport.Config{})
	ended := make(chan struct{}, 2)
	up := newTask(t, func(w *wire) bool {
		w.say("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\nx")
		_, _ = w.Read(make([]byte, 1)) // returns when the connection ends
		ended <- struct{}{}
		return false
	})
	res, err := tr.RoundTrip(up.request(t, "GET", nil))
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	<-ended
	if _, err := res.Body.Read(make([]byte, 1)); err == nil || errors.Is(err, io.EOF) {
		t.Errorf("read after Close: %v", err)
	}
}

func TestCloseInterruptsARead(t *testing.T) {
	tr := newTransport(t, transport.Config{})
	up := newTask(t, func(w *wire) bool {
		w.say("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\nx")
		<-w.stop
		return false
	})
	res, err := tr.RoundTrip(up.request(t, "GET", nil))
	if err != nil {
		t.Fatal(err)
	}
	begun, ended := make(chan struct{}), make(chan error, 1)
	go func() {
		_, _ = res.Body.Read(make([]byte, 1))
		close(begun)
		_, err := res.Body.Read(make([]byte, 1))
		ended <- err
	}()
	<-begun
	_ = res.Body.Close()
	if err := <-ended; err == nil || errors.Is(err, io.EOF) {
		t.Errorf("got %v", err)
	}
}

func TestASmallRestIsDrainedOnClose(t *testing.T) {
	tr := newTransport(t, transport.Config{})
	up := says(t, fine)
	for range 3 {
		res, err := tr.RoundTrip(up.request(t, "GET", nil))
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		_ = res.Body.Close()
	}
	if n := up.conns.Load(); n != 1 {
		t.Errorf("%d connections were made", n)
	}
}

// An old body must not touch what the connection does for somebody else.
func TestABodyThatHasEndedIsWithoutEffect(t *testing.T) {
	tr := newTransport(t, transport.Config{})
	up := says(t, fine)
	old, _ := up.ask(t, tr, "GET")
	res, err := tr.RoundTrip(up.request(t, "GET", nil))
	if err != nil {
		t.Fatal(err)
	}
	_ = old.Body.Close()
	if n, err := old.Body.Read(make([]byte, 10)); n != 0 || err != io.EOF {
		t.Errorf("the old body gave %d bytes, %v", n, err)
	}
	if body, err := io.ReadAll(res.Body); string(body) != "fine" || err != nil {
		t.Errorf("the new one gave %q, %v", body, err)
	}
	if n := up.conns.Load(); n != 1 {
		t.Errorf("%d connections were made", n)
	}
}

func TestCancelledRequestsEndAtOnceWithTheirCause(t *testing.T) {
	cause := errors.New("the client has left")
	for _, said := range []string{"", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"} {
		t.Run(fmt.Sprintf("after %q", said), func(t *testing.T) {
			tr := newTransport(t, transport.Config{})
			ctx, cancel := context.WithCancelCause(t.Context())
			ended := make(chan struct{})
			up := newTask(t, func(w *wire) bool {
				w.say(said)
				cancel(cause)
				_, _ = w.Read(make([]byte, 1))
				close(ended)
				return false
			})
			res, err := tr.RoundTrip(up.request(t, "GET", nil).WithContext(ctx))
			if err == nil {
				_, err = io.Copy(io.Discard, res.Body)
			}
			if !errors.Is(err, cause) {
				t.Errorf("got %v", err)
			}
			<-ended
		})
	}
}

func TestARequestWhoseContextHasEndedIsNotSent(t *testing.T) {
	tr := newTransport(t, transport.Config{})
	up := says(t, fine)
	up.ask(t, tr, "GET") // leaves an idle connection
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for range 20 {
		if _, err := tr.RoundTrip(up.request(t, "GET", nil).WithContext(ctx)); !errors.Is(err, context.Canceled) {
			t.Fatalf("got %v", err)
		}
	}
	if n := up.requests.Load(); n != 1 {
		t.Errorf("the task received %d requests", n)
	}
}

func TestOnlyWhatWasNotSentIsSaidToBe(t *testing.T) {
	tr := newTransport(t, transport.Config{})
	gone := newTask(t, func(*wire) bool { return false })
	if _, err := tr.RoundTrip(gone.request(t, "GET", nil)); err == nil || transport.Unsent(err) {
		t.Errorf("a task that hung up: %v", err)
	}
	req := gone.request(t, "GET", nil)
	req.URL.Host = "127.0.0.1:1"
	_, err := tr.RoundTrip(req)
	var dial *transport.DialError
	if !errors.As(err, &dial) || !transport.Unsent(err) || dial.Addr != "127.0.0.1:1" {
		t.Errorf("nobody there: %v", err)
	}
}

func TestRequestsThatCannotBeWrittenAreRefused(t *testing.T) {
	tr := newTransport(t, transport.Config{})
	up := says(t, fine)
	change := []func(*http.Request){
		func(r *http.Request) { r.Method = "GET / HTTP/1.1\r\nX: " },
		func(r *http.Request) { r.Method = "CONNECT" },
		func(r *http.Request) { r.URL.Scheme = "https" },
		func(r *http.Request) { r.URL.Host = "" },
		func(r *http.Request) { r.URL.Opaque = "//x/\r\nX: y" },
		func(r *http.Request) { r.ContentLength = 5 },
	}
	for i, spoil := range change {
		req := up.request(t, "GET", nil)
		spoil(req)
		if _, err := tr.RoundTrip(req); err == nil {
			t.Errorf("request %d was sent", i)
		}
	}
	if n := up.requests.Load(); n != 0 {
		t.Errorf("the task received %d requests", n)
	}
}
