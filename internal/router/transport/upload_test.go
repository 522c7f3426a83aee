package transport_test

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/setopsco/setops/internal/router/transport"
)

// echoes is a task that answers with the body that it was sent, and with its trailers as headers.
func echoes(t testing.TB) *task {
	return newTask(t, func(w *wire) bool {
		body, err := io.ReadAll(w.req.Body)
		if err != nil {
			return false
		}
		res := http.Response{
			StatusCode: http.StatusOK, ProtoMajor: 1, ProtoMinor: 1, Header: w.req.Trailer,
			ContentLength: int64(len(body)), Body: io.NopCloser(strings.NewReader(string(body))),
		}
		return res.Write(w.Conn) == nil
	})
}

// closer is a body that knows whether it was closed.
type closer struct {
	io.Reader
	closed atomic.Bool
}

func (c *closer) Close() error {
	c.closed.Store(true)
	return nil
}

func TestBodiesArriveWholeAndTheConnectionIsKept(t *testing.T) {
	tr := newTransport(t, transport.Config{})
	up := echoes(t)
	for _, size := range []int{0, 1, 100, 5000, 1 << 20} {
		for _, chunked := range []bool{false, true} {
			for _, method := range []string{"POST", "GET", "DELETE"} {
				text := strings.Repeat("x", size)
				body := &closer{Reader: strings.NewReader(text)}
				req := up.request(t, method, body)
				req.ContentLength = int64(size)
				if chunked {
					req.ContentLength = -1
				}
				if _, got := send(t, tr, req); got != text {
					t.Errorf("%s of %d bytes, chunked: %t: %d bytes came back", method, size, chunked, len(got))
				}
				eventually(t, "the body is closed", body.closed.Load)
			}
		}
	}
	if n := up.conns.Load(); n != 1 {
		t.Errorf("%d connections were made", n)
	}
}

func TestTrailersOfARequestAreSent(t *testing.T) {
	tr := newTransport(t, transport.Config{})
	up := echoes(t)
	req := up.request(t, "POST", nil)
	req.Trailer = http.Header{"Sum": nil}
	req.Body, req.ContentLength = io.NopCloser(&ending{"body", func() { req.Trailer.Set("Sum", "42") }}), -1
	if res, body := send(t, tr, req); body != "body" || res.Header.Get("Sum") != "42" {
		t.Errorf("got %q and %v", body, res.Header)
	}
}

// ending does something at the end of a text.
type ending struct {
	text string
	do   func()
}

func (e *ending) Read(p []byte) (int, error) {
	if e.text == "" {
		e.do()
		return 0, io.EOF
	}
	n := copy(p, e.text)
	e.text = e.text[n:]
	return n, nil
}

func TestAnAnswerMayComeBeforeTheBodyIsRead(t *testing.T) {
	for _, then := range []string{"keeps the connection", "closes it"} {
		t.Run("the task "+then, func(t *testing.T) {
			tr := newTransport(t, transport.Config{})
			up := newTask(t, func(w *wire) bool {
				w.say("HTTP/1.1 413 Request Entity Too Large\r\nContent-Length: 3\r\n\r\nbig")
				return then == "keeps the connection"
			})
			body, client := io.Pipe() // never ends by itself
			res, text := send(t, tr, up.request(t, "POST", body))
			if res.StatusCode != http.StatusRequestEntityTooLarge || text != "big" {
				t.Errorf("got %s %q", res.Status, text)
			}
			_ = client.Close()
			noGoroutinesOfOurs(t)
			up.ask(t, tr, "GET")
			if n := up.conns.Load(); n != 2 {
				t.Errorf("%d connections were made", n)
			}
		})
	}
}

func TestAnAnswerIsReadThoughTheTaskStoppedToReadTheBody(t *testing.T) {
	tr := newTransport(t, transport.Config{})
	for range 20 {
		up := newTask(t, func(w *wire) bool {
			w.say("HTTP/1.1 413 Request Entity Too Large\r\nContent-Length: 3\r\n\r\nbig")
			return false
		})
		res, err := tr.RoundTrip(up.request(t, "POST", io.LimitReader(rand.NewChaCha8([32]byte{}), 8<<20)))
		switch { // a reset may overtake the answer, which nobody can help
		case err != nil && transport.Unsent(err):
			t.Errorf("got %v", err)
		case err == nil && res.StatusCode != http.StatusRequestEntityTooLarge:
			t.Errorf("got %s", res.Status)
		case err == nil:
			_ = res.Body.Close()
		}
	}
	noGoroutinesOfOurs(t)
}

func TestABodyThatBreaksOffIsAnErrorAndEndsTheRequest(t *testing.T) {
	tr := newTransport(t, transport.Config{})
	result := make(chan error, 1)
	up := newTask(t, func(w *wire) bool {
		_, err := io.ReadAll(w.req.Body)
		result <- err
		return false
	})
	broken := errors.New("the client broke off")
	body := &closer{Reader: io.MultiReader(strings.NewReader("half"), &failing{broken})}
	if _, err := tr.RoundTrip(up.request(t, "POST", body)); !errors.Is(err, broken) || transport.Unsent(err) {
		t.Errorf("got %v", err)
	}
	if err := <-result; !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("the task was told that the body is whole: %v", err)
	}
	eventually(t, "the body is closed", body.closed.Load)
}

type failing struct{ err error }

func (f *failing) Read([]byte) (int, error) { return 0, f.err }

// held is a request whose body waits for leave.
func (up *task) held(t *testing.T) (*http.Request, *atomic.Bool) {
	read := &atomic.Bool{}
	req := up.request(t, "POST", io.NopCloser(&ending{"", func() { read.Store(true) }}))
	req.Header.Set("Expect", "100-continue")
	return req, read
}

func TestABodyIsHeldBackUntilTheTaskWantsIt(t *testing.T) {
	tr := newTransport(t, transport.Config{ContinueTimeout: time.Hour})
	var read *atomic.Bool
	up := newTask(t, func(w *wire) bool {
		if read.Load() {
			t.Error("the body was read before it was wanted")
		}
		w.say("HTTP/1.1 100 Continue\r\n\r\n")
		_, _ = io.Copy(io.Discard, w.req.Body)
		w.say(fine)
		return true
	})
	for range 2 {
		req, flag := up.held(t)
		read = flag
		if _, body := send(t, tr, req); body != "fine" || !read.Load() {
			t.Errorf("got %q, body read: %t", body, read.Load())
		}
	}
	if n := up.conns.Load(); n != 1 {
		t.Errorf("%d connections were made", n)
	}
}

func TestABodyThatIsNotWantedIsNotRead(t *testing.T) {
	tr := newTransport(t, transport.Config{ContinueTimeout: time.Hour})
	slow := make(chan struct{})
	up := newTask(t, func(w *wire) bool {
		w.say("HTTP/1.1 417 Expectation Failed\r\nContent-Length: 8\r\n\r\nhalf")
		<-slow
		w.say("half")
		return false
	})
	req, read := up.held(t)
	res, err := tr.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	noGoroutinesOfOurs(t)
	close(slow)
	if body, err := io.ReadAll(res.Body); string(body) != "halfhalf" || err != nil || read.Load() {
		t.Errorf("got %q, %v, body read: %t", body, err, read.Load())
	}
}

func TestABodyIsSentToATaskThatSaysNothing(t *testing.T) {
	tr := newTransport(t, transport.Config{ContinueTimeout: time.Millisecond})
	up := says(t, fine)
	req, read := up.held(t)
	if _, body := send(t, tr, req); body != "fine" || !read.Load() {
		t.Errorf("got %q, body read: %t", body, read.Load())
	}
}

func TestPreliminaryAnswersArePassedOn(t *testing.T) {
	tr := newTransport(t, transport.Config{MaxHeaderBytes: 4 << 10})
	const many = 1000 // more than the limit has room for, had they to share it
	up := says(t, strings.Repeat("HTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\n", many)+fine)
	var got int
	trace := &httptrace.ClientTrace{Got1xxResponse: func(code int, header textproto.MIMEHeader) error {
		if code == http.StatusEarlyHints && header.Get("Link") == "<a>" {
			got++
		}
		return nil
	}}
	req := up.request(t, "GET", nil)
	req = req.WithContext(httptrace.WithClientTrace(req.Context(), trace))
	if res, body := send(t, tr, req); res.StatusCode != 200 || body != "fine" || got != many {
		t.Errorf("got %s %q after %d preliminary answers", res.Status, body, got)
	}
}

func TestCancelledUploadsEnd(t *testing.T) {
	tr := newTransport(t, transport.Config{})
	up := newTask(t, func(w *wire) bool {
		<-w.stop // reads nothing
		return false
	})
	ctx, cancel := context.WithCancel(t.Context())
	body := &ending{strings.Repeat("x", 64<<20), func() {}}
	stuck := time.AfterFunc(50*time.Millisecond, cancel)
	defer stuck.Stop()
	if _, err := tr.RoundTrip(up.request(t, "POST", io.NopCloser(body)).WithContext(ctx)); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	noGoroutinesOfOurs(t)
}

func TestASmallBodyInMemoryLeavesWithItsHeader(t *testing.T) {
	tr := newTransport(t, transport.Config{})
	up := echoes(t)
	for _, size := range []int{1, 3000, 16 << 10, 17 << 10} {
		text := strings.Repeat("x", size)
		body := &closer{Reader: strings.NewReader(text)}
		req := up.request(t, "POST", body)
		req.ContentLength = int64(size)
		req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(text)), nil }
		if _, got := send(t, tr, req); got != text {
			t.Errorf("of %d bytes came back %d", size, len(got))
		}
		eventually(t, "the body is closed", body.closed.Load)
	}
	if n := up.conns.Load(); n != 1 {
		t.Errorf("%d connections were made", n)
	}
}
