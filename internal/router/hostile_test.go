package router_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/setopsco/setops/internal/router"
)

// headerTimeout is NewServer's; what is cut off by it is so within the grace, which is much less than all that is sent takes.
const headerTimeout, grace = 10 * time.Second, 30 * time.Second

func TestSlowHeadersAndHandshakesAreCutOff(t *testing.T) {
	t.Parallel()
	plain := newFront(t, router.Config{})
	encrypted := newTLSFront(t, router.Config{}, false)
	app := newRecorder(t, "a")
	plain.Set("stage", route(testHost, app.Upstream))
	begun := time.Now()
	var slow sync.WaitGroup
	for i := range 100 {
		f := plain
		text := "GET / HTTP/1.1\r\nHost: " + testHost + "\r\n" + strings.Repeat("X: a slow header\r\n", 100)
		if i%2 == 0 {
			f, text = encrypted, "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"+strings.Repeat("\x00", 500)
		}
		slow.Go(func() { sendSlowly(t, f.addr, text) })
	}
	slow.Wait()
	if took := time.Since(begun); took < headerTimeout-time.Second || took > headerTimeout+grace {
		t.Errorf("it took %s until all were cut off", took)
	}
	if sent := app.take(); sent != "" {
		t.Errorf("the app was sent %q", sent)
	}
}

// sendSlowly sends a byte at a time until the other end has had enough.
func sendSlowly(t *testing.T, addr, text string) {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Error(err)
		return
	}
	defer func() { _ = conn.Close() }()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	ended := make(chan struct{})
	go func() { // ends with the connection
		defer close(ended)
		_ = conn.SetReadDeadline(time.Now().Add(headerTimeout + grace))
		_, _ = io.Copy(io.Discard, conn)
	}()
	for i := range text {
		select {
		case <-ended:
			return
		case <-tick.C:
			if _, err := io.WriteString(conn, text[i:i+1]); err != nil {
				return
			}
		}
	}
	t.Error("everything was sent")
}

func TestHugeHeadersAreRefused(t *testing.T) {
	f := newFront(t, router.Config{})
	app := newRecorder(t, "a")
	f.Set("stage", route(testHost, app.Upstream))
	host := "Host: " + testHost + "\r\n"
	for name, request := range map[string]string{
		"one field":   "GET / HTTP/1.1\r\n" + host + "X: " + strings.Repeat("x", 100<<10) + "\r\n\r\n",
		"many fields": "GET / HTTP/1.1\r\n" + host + strings.Repeat("X: x\r\n", 20_000) + "\r\n",
		"target":      "GET /" + strings.Repeat("x", 100<<10) + " HTTP/1.1\r\n" + host + "\r\n",
		"method":      strings.Repeat("X", 100<<10) + " / HTTP/1.1\r\n" + host + "\r\n",
	} {
		if code := f.raw(t, request); code != http.StatusRequestHeaderFieldsTooLarge {
			t.Errorf("%s: answered %d", name, code)
		}
	}
	if sent := app.take(); sent != "" {
		t.Errorf("the app was sent %d bytes", len(sent))
	}
	if code := f.raw(t, "GET / HTTP/1.1\r\n"+host+"X: "+strings.Repeat("x", 60<<10)+"\r\n\r\n"); code != http.StatusOK {
		t.Errorf("a header within the limit was answered %d", code)
	}
}

func TestUnknownHostsLeaveNothingBehind(t *testing.T) {
	r := router.New(router.Config{Secure: func(string) bool { return true }})
	defer r.Close()
	r.Set("stage", router.Routes{HTTP: route("*."+testHost, named(t, "a"))})
	ask := func(n int) {
		req := httptest.NewRequest(http.MethodGet, "/", nil)
		for i := range n {
			req.Host = fmt.Sprintf("host-%d.of.nobody.example.com", i)
			w := httptest.NewRecorder()
			if r.ServeHTTP(w, req); w.Code != http.StatusNotFound || w.Header().Get("Location") != "" {
				t.Fatalf("%s answered %d", req.Host, w.Code)
			}
		}
	}
	ask(1000)
	before := heap()
	ask(100_000)
	if grown := int64(heap()) - int64(before); grown > 256<<10 {
		t.Errorf("100,000 unknown hosts took %d bytes", grown)
	}
}

func heap() uint64 {
	runtime.GC()
	runtime.GC() // what a pool holds goes with the second
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}

func TestTheConnectionOfAnUnknownHostStaysUsable(t *testing.T) {
	f := newFront(t, router.Config{})
	f.Set("stage", route(testHost, named(t, "a")))
	conn := newKeptConn(t, f.addr)
	for i := range 100 {
		if res, _, err := conn.do(f.request(t, fmt.Sprint("x", i), "/", strings.NewReader("body"))); err != nil || res.StatusCode != 404 {
			t.Fatal(res, err)
		}
		if _, body, err := conn.do(f.request(t, testHost, "/", nil)); err != nil || body != "a" {
			t.Fatal(body, err)
		}
	}
}

func TestARedirectCannotBeMadeToLeadElsewhere(t *testing.T) {
	f := newFront(t, router.Config{Secure: func(string) bool { return true }})
	f.Set("stage", append(route(testHost, named(t, "a")), route("*.example.com", named(t, "b"))...))
	for _, request := range []string{
		"GET * HTTP/1.1\r\nHost: " + testHost,
		"GET http:evil.com HTTP/1.1\r\nHost: " + testHost,
		"GET /\r\nLocation:evil HTTP/1.1\r\nHost: " + testHost,
		"GET / HTTP/1.1\r\nHost: evil.com%2f.example.com",
		"GET / HTTP/1.1\r\nHost: " + testHost + ":80@evil.com",
		"GET //evil.com HTTP/1.1\r\nHost: " + testHost + ":99999999",
		"GET http://user@" + testHost + "/ HTTP/1.1\r\nHost: evil.com",
		"GET / HTTP/1.1\r\nHost: " + testHost + "\r\nX-Forwarded-Host: evil.com\r\nForwarded: host=evil.com",
	} {
		answer := f.send(t, request+"\r\n\r\n")
		res, err := http.ReadResponse(bufio.NewReader(strings.NewReader(answer)), nil)
		if err != nil {
			t.Fatalf("%q answered %q", request, answer)
		}
		location := res.Header.Get("Location")
		if location == "" && res.StatusCode >= 400 {
			continue
		}
		if !strings.HasPrefix(location, "https://"+testHost+"/") {
			t.Errorf("%q was sent on to %q", request, location)
		}
	}
}
