package router_test

import (
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/setopsco/setops/internal/router"
)

// Frames of HTTP/2 and their flags, as RFC 9113 has them.
const (
	frameData, frameHeaders, frameReset, frameSettings, framePing = 0, 1, 3, 4, 6
	frameGoAway, frameContinuation                                = 7, 9
	flagEnd, flagEndHeaders                                       = 1, 4
)

// h2Conn speaks HTTP/2 as badly as a test likes.
type h2Conn struct {
	*tls.Conn
	t *testing.T
}

func (f *front) dialH2(t *testing.T) *h2Conn {
	t.Helper()
	c := &h2Conn{f.dialTLS(t, testHost, "h2"), t}
	if c.ConnectionState().NegotiatedProtocol != "h2" {
		t.Fatal("no HTTP/2 is spoken")
	}
	_, _ = io.WriteString(c, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
	_ = c.write(frameSettings, 0, 0, "")
	return c
}

func (c *h2Conn) write(kind, flags byte, stream uint32, payload string) error {
	head := binary.BigEndian.AppendUint32(nil, uint32(len(payload))<<8|uint32(kind))
	head = binary.BigEndian.AppendUint32(append(head, flags), stream)
	_, err := c.Write(append(head, payload...))
	return err
}

// read returns the next frame.
func (c *h2Conn) read() (kind byte, stream uint32, payload []byte, err error) {
	var head [9]byte
	if _, err := io.ReadFull(c, head[:]); err != nil {
		return 0, 0, nil, err
	}
	payload = make([]byte, binary.BigEndian.Uint32(head[:4])>>8)
	_, err = io.ReadFull(c, payload)
	return head[3], binary.BigEndian.Uint32(head[5:]), payload, err
}

// end reads until a stream was answered, reset, or the connection ends.
func (c *h2Conn) end(stream uint32) string {
	for {
		kind, on, payload, err := c.read()
		switch {
		case err != nil:
			return "connection lost"
		case kind == frameGoAway:
			return "connection refused"
		case kind == frameReset && on == stream:
			return "reset"
		case kind == frameHeaders && on == stream:
			return status(payload)
		}
	}
}

// status knows how the usual ones are compressed, and the others as far as net/http spells them.
func status(block []byte) string {
	known := map[byte]string{0x88: "200", 0x8c: "400", 0x8d: "404"}
	if s := known[block[0]]; s != "" {
		return s
	}
	return fmt.Sprintf("other status %x", block[:min(len(block), 8)])
}

// fields spells out a header without any compression.
func fields(pairs ...string) string {
	var block strings.Builder
	for i := 0; i < len(pairs); i += 2 {
		block.WriteByte(0)
		for _, text := range pairs[i : i+2] {
			block.WriteString(hpackLength(len(text)) + text)
		}
	}
	return block.String()
}

func hpackLength(n int) string {
	if n < 127 {
		return string([]byte{byte(n)})
	}
	length := []byte{127}
	for n -= 127; n >= 128; n >>= 7 {
		length = append(length, byte(n)|128)
	}
	return string(append(length, byte(n)))
}

func request(pairs ...string) string {
	return fields(append([]string{":method", "POST", ":scheme", "https", ":path", "/", ":authority", testHost}, pairs...)...)
}

// HTTP/2 has no lines, so that what it carries could become lines on the way to the app.
func TestNothingIsSmuggledByHTTP2(t *testing.T) {
	const lines = "x\r\nTransfer-Encoding: chunked\r\n\r\n" + hidden
	tests := map[string]struct {
		block  string
		body   string
		answer string // "" for anything but 200
	}{
		"nothing special":         {request(), "hello", "200"},
		"the right length":        {request("content-length", "5"), "hello", "200"},
		"a length too small":      {request("content-length", "3"), "hello", ""},
		"a length too large":      {request("content-length", "50"), "hello", ""},
		"two lengths":             {request("content-length", "5", "content-length", "6"), "hello", "200"}, // the body has the first, and the app is told no other
		"no length":               {request("content-length", "x"), "hello", ""},
		"chunked":                 {request("transfer-encoding", "chunked"), "0\r\n\r\n" + hidden, ""},
		"connection":              {request("connection", "keep-alive"), "", ""},
		"capitals":                {request("X-Capital", "a"), "", ""},
		"lines in a value":        {request("x", lines), "", ""},
		"lines in a name":         {request(lines, "x"), "", ""},
		"NUL in a value":          {request("x", "a\x00b"), "", ""},
		"a colon in a name":       {request("x: y", "z"), "", ""},
		"a space in a name":       {request("x y", "z"), "", ""},
		"an empty name":           {request("", "z"), "", ""},
		"an unknown pseudo field": {request(":x", "z"), "", ""},
		"a second path":           {request(":path", "/hidden"), "", ""},
		"lines in a method":       {fields(":method", "GET / HTTP/1.1\r\nX: ", ":scheme", "https", ":path", "/", ":authority", testHost), "", ""},
		"a space in a method":     {fields(":method", "GET /hidden", ":scheme", "https", ":path", "/", ":authority", testHost), "", ""},
		"no method":               {fields(":method", "", ":scheme", "https", ":path", "/", ":authority", testHost), "", ""},
		"lines in a path":         {fields(":method", "GET", ":scheme", "https", ":path", "/ HTTP/1.1\r\nX: y", ":authority", testHost), "", ""},
		"a path that is none":     {fields(":method", "GET", ":scheme", "https", ":path", "hidden", ":authority", testHost), "", ""},
		"a path that is a URL":    {fields(":method", "GET", ":scheme", "https", ":path", "http://evil/", ":authority", testHost), "", ""},
		"lines in a host":         {fields(":method", "GET", ":scheme", "https", ":path", "/", ":authority", testHost+"\r\nX: y"), "", ""},
		"an upgrade":              {request("upgrade", "h2c"), "", ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newTLSFront(t, router.Config{}, true)
			app := newRecorder(t, "a")
			f.Set("stage", route(testHost, app.Upstream))
			c := f.dialH2(t)
			_ = c.write(frameHeaders, flagEndHeaders, 1, test.block)
			_ = c.write(frameData, flagEnd, 1, test.body)
			if answer := c.end(1); (answer == "200") != (test.answer == "200") {
				t.Errorf("answered: %s", answer)
			}
			if sent := app.take(); sent != "" && ambiguities(sent) != nil || strings.Contains(sent, "GET /hidden") {
				t.Errorf("the app was sent %q:\n%s", ambiguities(sent), sent)
			}
			if _, body := f.do(t, f.tlsRequest(t, testHost, "/", nil)); body != "/ " {
				t.Errorf("the next client got %q", body)
			}
		})
	}
}

// It is the client's fault, not the app's.
func TestAMethodThatIsNoneIsABadRequest(t *testing.T) {
	f := newTLSFront(t, router.Config{}, true)
	f.Set("stage", route(testHost, named(t, "a")))
	for method, want := range map[string]string{"GET /hidden": "400", "GE(T": "400", "GET,": "400", "PROPFIND": "200", "M-SEARCH": "200"} {
		c := f.dialH2(t)
		_ = c.write(frameHeaders, flagEndHeaders|flagEnd, 1,
			fields(":method", method, ":scheme", "https", ":path", "/", ":authority", testHost))
		if answer := c.end(1); answer != want {
			t.Errorf("%q: %s", method, answer)
		}
	}
}

func TestAHostBesideTheAuthorityDoesNotCount(t *testing.T) {
	f := newTLSFront(t, router.Config{}, true)
	app := newRecorder(t, "a")
	f.Set("stage", append(route(testHost, app.Upstream), route("other.localhost", named(t, "other"))...))
	c := f.dialH2(t)
	_ = c.write(frameHeaders, flagEndHeaders|flagEnd, 1, request("host", "other.localhost"))
	answer := c.end(1)
	if sent := app.take(); answer == "200" && !strings.Contains(sent, "\r\nHost: "+testHost+"\r\n") || strings.Contains(sent, "other.localhost") {
		t.Errorf("answered %s, the app was sent %q", answer, sent)
	}
}

func TestRequestsThatAreResetAtOnceDoNotFloodTheApp(t *testing.T) {
	f := newTLSFront(t, router.Config{}, true)
	var now, most atomic.Int64
	up, _ := backend(t, "a", func(w http.ResponseWriter, req *http.Request) {
		if req.Method == http.MethodGet {
			return
		}
		n := now.Add(1)
		defer now.Add(-1)
		for seen := most.Load(); n > seen && !most.CompareAndSwap(seen, n); seen = most.Load() {
		}
		<-req.Context().Done()
	})
	f.Set("stage", route(testHost, up))
	c := f.dialH2(t)
	block := request()
	for i := range uint32(20_000) {
		if c.write(frameHeaders, flagEndHeaders|flagEnd, 2*i+1, block) != nil ||
			c.write(frameReset, 0, 2*i+1, "\x00\x00\x00\x08") != nil {
			break // the server has had enough
		}
	}
	_ = c.Close()
	eventually(t, "nothing is in flight", func() bool { return f.InFlight("a") == 0 && now.Load() == 0 })
	if n := most.Load(); n > 250 {
		t.Errorf("%d requests were at the app at once", n)
	}
	if res, _ := f.do(t, f.tlsRequest(t, testHost, "/", nil)); res.StatusCode != http.StatusOK {
		t.Errorf("the next client was answered %s", res.Status)
	}
}

func TestAHeaderWithoutEndIsRefused(t *testing.T) {
	f := newTLSFront(t, router.Config{}, true)
	c := f.dialH2(t)
	before := heap()
	_ = c.write(frameHeaders, 0, 1, request())
	field := fields("x", strings.Repeat("x", 8<<10))
	refused := false
	for range 50_000 {
		if c.write(frameContinuation, 0, 1, field) != nil {
			refused = true
			break
		}
	}
	if !refused {
		t.Error("400 MB of header were taken")
	}
	if grown := int64(heap()) - int64(before); grown > 4<<20 {
		t.Errorf("it took %d bytes", grown)
	}
}

func TestAHeaderThatIsTooLargeForHTTP2IsRefused(t *testing.T) {
	f := newTLSFront(t, router.Config{}, true)
	f.Set("stage", route(testHost, named(t, "a")))
	req := f.tlsRequest(t, testHost, "/", nil)
	req.Header.Set("X", strings.Repeat("x", 200<<10))
	if res, err := f.client.Do(req); err == nil {
		_ = res.Body.Close()
		if res.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
			t.Errorf("answered %s", res.Status)
		}
	}
}

func TestPingsThatNobodyReadsTheAnswersOfEndTheConnection(t *testing.T) {
	f := newTLSFront(t, router.Config{}, true)
	c := f.dialH2(t)
	before := heap()
	var err error
	for range 2_000_000 {
		if err = c.write(framePing, 0, 0, "12345678"); err != nil {
			break
		}
	}
	if err == nil {
		t.Error("two million pings were taken")
	}
	if grown := int64(heap()) - int64(before); grown > 16<<20 {
		t.Errorf("it took %d bytes", grown)
	}
}

func TestManyStreamsThatTakeNothingHoldLittleMemory(t *testing.T) {
	f := newTLSFront(t, router.Config{}, true)
	chunk := make([]byte, 64<<10)
	up, _ := backend(t, "a", func(w http.ResponseWriter, _ *http.Request) {
		for {
			if _, err := w.Write(chunk); err != nil {
				return
			}
		}
	})
	f.Set("stage", route(testHost, up))
	c := f.dialH2(t)
	before := heap()
	block := request()
	for i := range uint32(250) {
		if err := c.write(frameHeaders, flagEndHeaders|flagEnd, 2*i+1, block); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "all are at the app", func() bool { return f.InFlight("a") == 250 })
	runtime.Gosched()
	// The app runs in this process too, so that a stream is two connections' buffers and a few goroutines.
	if grown := (int64(heap()) - int64(before)) / 250; grown > 256<<10 {
		t.Errorf("a stream takes %d bytes", grown)
	}
	if err := c.Close(); err != nil && !errors.Is(err, io.EOF) {
		t.Log(err)
	}
	eventually(t, "nothing is in flight", func() bool { return f.InFlight("a") == 0 })
}
