package router_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"net"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/setopsco/setops/internal/router"
)

// canned is a task that knows one answer. It allocates nothing for a request, and takes all that comes for one.
func canned(b *testing.B, answer string) router.Upstream {
	b.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			serving.Go(func() { // ends when the router closes the connection
				defer func() { _ = conn.Close() }()
				request, answer := make([]byte, 4<<10), []byte(answer)
				for {
					if _, err := conn.Read(request); err != nil {
						return
					}
					if _, err := conn.Write(answer); err != nil {
						return
					}
				}
			})
		}
	})
	b.Cleanup(func() {
		_ = listener.Close()
		serving.Wait()
	})
	return router.Upstream{ID: listener.Addr().String(), Addr: listener.Addr().String()}
}

// Client and task allocate nothing, so that what is measured is the router's, and net/http's below it.
func BenchmarkForward(b *testing.B) {
	const head = "HTTP/1.1 200 OK\r\nDate: Mon, 23 Nov 2026 23:00:00 GMT\r\nContent-Type: text/plain\r\n"
	chunked := strings.Repeat("64\r\n"+strings.Repeat("x", 100)+"\r\n", 2) + "0\r\n\r\n"
	for _, kind := range []struct{ name, request, answer string }{
		{"GET", "GET /some/path?a=b HTTP/1.1\r\n%s\r\n", head + "Content-Length: 200\r\n\r\n" + strings.Repeat("x", 200)},
		{"GET-chunked", "GET /some/path?a=b HTTP/1.1\r\n%s\r\n", head + "Transfer-Encoding: chunked\r\n\r\n" + chunked},
		{"POST", "POST /some/path HTTP/1.1\r\n%sContent-Length: 12\r\n\r\na small body", head + "Content-Length: 200\r\n\r\n" + strings.Repeat("x", 200)},
	} {
		b.Run(kind.name, func(b *testing.B) {
			r := router.New(router.Config{})
			server := httptest.NewUnstartedServer(nil)
			server.Config = router.NewServer(r, slog.New(slog.DiscardHandler))
			server.Start()
			r.Set("stage", router.Routes{HTTP: []router.Route{{Host: testHost, Upstreams: []router.Upstream{canned(b, kind.answer)}}}})
			b.Cleanup(func() {
				server.Close()
				r.Close()
			})
			headers := "Host: " + testHost + "\r\nUser-Agent: bench\r\nAccept: */*\r\n"
			ask := []byte(fmt.Sprintf(kind.request, headers))
			b.ReportAllocs()
			b.SetParallelism(16)
			b.RunParallel(func(pb *testing.PB) { repeat(b, pb, server.Listener.Addr().String(), ask) })
		})
	}
}

// repeat sends the same request again and again. The end of an answer is seen by its last bytes.
func repeat(b *testing.B, pb *testing.PB, addr string, request []byte) {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		b.Error(err)
		return
	}
	defer func() { _ = conn.Close() }()
	answer := make([]byte, 8<<10)
	for pb.Next() {
		if _, err := conn.Write(request); err != nil {
			b.Error(err)
			return
		}
		n := 0
		for !bytes.HasSuffix(answer[:n], []byte("xx")) && !bytes.HasSuffix(answer[:n], []byte("\r\n0\r\n\r\n")) {
			m, err := conn.Read(answer[n:])
			if n += m; err != nil {
				b.Errorf("after %q: %v", answer[:n], err)
				return
			}
		}
		if !bytes.HasPrefix(answer, []byte("HTTP/1.1 200 ")) {
			b.Errorf("answered %q", answer[:n])
			return
		}
	}
}
