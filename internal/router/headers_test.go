package router_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/setopsco/setops/internal/router"
)

// seen is a backend that hands over the requests it got.
func seen(t *testing.T, f *front) <-chan *http.Request {
	requests := make(chan *http.Request, 1)
	up, _ := backend(t, "a", func(_ http.ResponseWriter, req *http.Request) { requests <- req })
	f.Set("stage", route(testHost, up))
	return requests
}

func TestTheAppLearnsWhoAsksAndForWhat(t *testing.T) {
	f := newFront(t, router.Config{})
	requests := seen(t, f)
	f.do(t, f.request(t, "Web.test.shop.localhost:8080", "/a%2Fb//c?x=1;y=%zz", nil))
	got := <-requests
	want := map[string]string{
		"X-Forwarded-For":   "127.0.0.1",
		"X-Forwarded-Host":  "Web.test.shop.localhost:8080",
		"X-Forwarded-Proto": "http",
	}
	for name, value := range want {
		if values := got.Header.Values(name); len(values) != 1 || values[0] != value {
			t.Errorf("%s is %q, want %q", name, values, value)
		}
	}
	if got.Host != "Web.test.shop.localhost:8080" {
		t.Errorf("host is %q", got.Host)
	}
	if got.RequestURI != "/a%2Fb//c?x=1;y=%zz" {
		t.Errorf("target is %q", got.RequestURI)
	}
}

func TestForgedHeadersAreDropped(t *testing.T) {
	f := newFront(t, router.Config{})
	requests := seen(t, f)
	req := f.request(t, testHost, "/", nil)
	forged := []string{
		"Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-Port", "X-Forwarded-Ssl",
		"X-Real-Ip", "X-Request-Id", "Proxy", "X_forwarded_for", "X_forwarded-Proto", "X_real_ip", "X-Request_id",
	}
	for _, name := range forged {
		req.Header[name] = []string{"forged"}
	}
	req.Header.Set("X-Custom_header", "kept")
	req.Header.Set("Connection", "X-Forwarded-For, X-Request-Id")
	f.do(t, req)
	got := <-requests
	for name, values := range got.Header {
		if strings.Contains(strings.Join(values, " "), "forged") {
			t.Errorf("%s is %q", name, values)
		}
	}
	if got.Header.Get("X-Custom_header") != "kept" {
		t.Error("a header of the app's own was dropped")
	}
	if got.Header.Get("X-Forwarded-For") != "127.0.0.1" {
		t.Errorf("X-Forwarded-For is %q", got.Header.Values("X-Forwarded-For"))
	}
}

func TestEveryRequestHasItsOwnID(t *testing.T) {
	f := newFront(t, router.Config{})
	requests := seen(t, f)
	known := map[string]bool{}
	for range 100 {
		f.do(t, f.request(t, testHost, "/", nil))
		id := (<-requests).Header.Get("X-Request-Id")
		if !regexp.MustCompile(`^[0-9a-f]{32}$`).MatchString(id) || known[id] {
			t.Fatalf("request id is %q", id)
		}
		known[id] = true
	}
}

// raw sends text as it is and returns the status of the answer.
func (f *front) raw(t *testing.T, text string) int {
	t.Helper()
	conn, err := net.Dial("tcp", f.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if err := conn.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(conn, text); err != nil {
		t.Fatal(err)
	}
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatalf("no answer to %q: %v", text, err)
	}
	_ = res.Body.Close()
	return res.StatusCode
}

func TestHostileRequestsGetTheRightStatus(t *testing.T) {
	f := newFront(t, router.Config{})
	up, _ := backend(t, "a", echo(1))
	f.Set("stage", route(testHost, up))
	tests := []struct {
		request string
		code    int
	}{
		{"GET http://" + testHost + "/ HTTP/1.1\r\nHost: other.localhost\r\n\r\n", 200}, // the target wins, as RFC 9112 says
		{"GET http://other.localhost/ HTTP/1.1\r\nHost: " + testHost + "\r\n\r\n", 404},
		{"GET http:opaque HTTP/1.1\r\nHost: " + testHost + "\r\n\r\n", 400},
		{"GET / HTTP/1.1\r\n\r\n", 400},
		{"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400},
		{"GET / HTTP/1.0\r\n\r\n", 404},
		{"CONNECT " + testHost + ":80 HTTP/1.1\r\nHost: " + testHost + "\r\n\r\n", 405},
		{"POST / HTTP/1.1\r\nHost: " + testHost + "\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx", 400},
		{"POST / HTTP/1.1\r\nHost: " + testHost + "\r\nTransfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n", 501},
		{"POST / HTTP/1.1\r\nHost: " + testHost + "\r\nTransfer-Encoding: chunked\r\n\r\nno chunk\r\n", 400},
		{"GET / HTTP/1.1\r\nHost: " + testHost + "\r\nBad Name: x\r\n\r\n", 400},
		{fmt.Sprintf("GET / HTTP/1.1\r\nHost: %s\r\nX: %s\r\n\r\n", testHost, strings.Repeat("x", 80<<10)), 431},
	}
	for _, test := range tests {
		if code := f.raw(t, test.request); code != test.code {
			t.Errorf("%.100q answered %d, want %d", test.request, code, test.code)
		}
	}
	eventually(t, "nothing is in flight", func() bool { return f.InFlight("a") == 0 })
}

func TestAnAppThatSendsGarbageIsABadGateway(t *testing.T) {
	f := newFront(t, router.Config{})
	garbage := []string{
		"SSH-2.0-OpenSSH\r\n", "", "HTTP/1.1 999999 x\r\n\r\n",
		"HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", 1<<20) + "\r\n\r\n",
	}
	for i, answer := range garbage {
		up, _ := backend(t, fmt.Sprint(i), func(w http.ResponseWriter, _ *http.Request) {
			conn, _, err := http.NewResponseController(w).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			_, _ = io.WriteString(conn, answer)
			_ = conn.Close()
		})
		f.Set("stage", route(testHost, up))
		if code, _ := f.get(t, testHost); code != http.StatusBadGateway {
			t.Errorf("after %.40q: answered %d", answer, code)
		}
	}
}
