package router_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/setopsco/setops/internal/router"
)

// recorder is an upstream that keeps every byte it is sent, and answers each request with its target and its body.
type recorder struct {
	router.Upstream
	mu    sync.Mutex
	bytes strings.Builder
}

func newRecorder(t *testing.T, id string) *recorder {
	r := &recorder{}
	r.Upstream = tcpApp(t, id, r.serve)
	return r
}

func (r *recorder) serve(conn *net.TCPConn) {
	reader := bufio.NewReader(io.TeeReader(conn, r))
	for {
		req, err := http.ReadRequest(reader)
		if err != nil {
			return
		}
		body, err := io.ReadAll(req.Body)
		if err != nil {
			return
		}
		answer := req.RequestURI + " " + string(body)
		if req.Method == http.MethodHead {
			answer = ""
		}
		if _, err := fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(answer), answer); err != nil {
			return
		}
	}
}

// Write implements io.Writer, for what was read.
func (r *recorder) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.bytes.Write(p)
}

// take returns what was sent since the last time.
func (r *recorder) take() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	defer r.bytes.Reset()
	return r.bytes.String()
}

var fieldLine = regexp.MustCompile("^[!#$%&'*+.^_`|~0-9A-Za-z-]+: [^\x00-\x08\x0a-\x1f\x7f]*$")

// ambiguities are what two readers could understand in two ways. It reads heads only as far as their first empty line.
func ambiguities(sent string) (found []string) {
	head, _, _ := strings.Cut(sent, "\r\n\r\n")
	lines := strings.Split(head, "\r\n")
	counts := map[string]int{}
	for _, line := range lines[1:] {
		if !fieldLine.MatchString(line) {
			found = append(found, fmt.Sprintf("line %q", line))
		}
		name, _, _ := strings.Cut(line, ":")
		counts[strings.ToLower(strings.ReplaceAll(name, "_", "-"))]++
	}
	for _, name := range []string{"host", "content-length", "transfer-encoding", "x-forwarded-for", "x-request-id"} {
		if counts[name] > 1 {
			found = append(found, fmt.Sprintf("%d times %s", counts[name], name))
		}
	}
	if counts["host"] != 1 {
		found = append(found, "no host")
	}
	if counts["content-length"] > 0 && counts["transfer-encoding"] > 0 {
		found = append(found, "two lengths")
	}
	if strings.Count(lines[0], " ") != 2 || !strings.HasSuffix(lines[0], " HTTP/1.1") {
		found = append(found, fmt.Sprintf("request line %q", lines[0]))
	}
	return found
}

// exchange writes text as it is and reads answers until the connection ends or says no more for a while. It says
// nothing more itself, but for a text without an end, which it ends.
func (f *front) exchange(t *testing.T, text string, endless bool) (codes []int, bodies []string) {
	t.Helper()
	conn, err := net.Dial("tcp", f.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	_, _ = io.WriteString(conn, text)
	if endless {
		_ = conn.(*net.TCPConn).CloseWrite()
	}
	reader := bufio.NewReader(conn)
	for {
		res, err := http.ReadResponse(reader, nil)
		if err != nil {
			return codes, bodies
		}
		body, err := io.ReadAll(res.Body)
		if err != nil {
			return codes, bodies
		}
		codes, bodies = append(codes, res.StatusCode), append(bodies, string(body))
		_ = conn.SetReadDeadline(time.Now().Add(silence))
	}
}

// silence is how long nothing comes from one who has said all.
const silence = 100 * time.Millisecond
