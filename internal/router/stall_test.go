package router_test

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/setopsco/setops/internal/router"
)

// stall leaves room for a busy machine between the pieces of a slow upload.
const stall, piece = 400 * time.Millisecond, 25 * time.Millisecond

func impatient() router.Config { return router.Config{StallTimeout: stall} }

// fronts are the three ways by which clients come.
func fronts(t *testing.T, config router.Config) map[string]*front {
	return map[string]*front{
		"plain":  newFront(t, config),
		"TLS":    newTLSFront(t, config, false),
		"HTTP/2": newTLSFront(t, config, true),
	}
}

func (f *front) requestByAnyWay(t *testing.T, body io.Reader) *http.Request {
	t.Helper()
	if f.tls != nil {
		return f.tlsRequest(t, testHost, "/", body)
	}
	return f.request(t, testHost, "/", body)
}

func TestAnUploadThatStandsStillIsCutOff(t *testing.T) {
	for way, f := range fronts(t, impatient()) {
		t.Run(way, func(t *testing.T) {
			up, _ := backend(t, "a", echo(1))
			f.Set("stage", route(testHost, up))
			body, client := io.Pipe()
			defer func() { _ = client.Close() }()
			go func() { _, _ = io.WriteString(client, "a beginning") }() // ends when the body is closed
			res, err := f.client.Do(f.requestByAnyWay(t, body))
			if err != nil {
				t.Fatal(err)
			}
			_ = res.Body.Close()
			if res.StatusCode != http.StatusRequestTimeout {
				t.Errorf("answered %s", res.Status)
			}
			eventually(t, "nothing is in flight", func() bool { return f.InFlight("a") == 0 })
		})
	}
}

// trickle gives a byte now and then, for longer than may pass without any.
func trickle(bytes int) io.Reader {
	reader, writer := io.Pipe()
	go func() { // ends with the last byte, or when nobody reads any more
		tick := time.NewTicker(piece)
		defer tick.Stop()
		for range bytes {
			<-tick.C
			if _, err := io.WriteString(writer, "x"); err != nil {
				return
			}
		}
		_ = writer.Close()
	}()
	return reader
}

func TestASlowUploadThatMovesIsNotCutOff(t *testing.T) {
	for way, f := range fronts(t, impatient()) {
		t.Run(way, func(t *testing.T) {
			up, _ := backend(t, "a", echo(1))
			f.Set("stage", route(testHost, up))
			if res, body := f.do(t, f.requestByAnyWay(t, trickle(24))); body != strings.Repeat("x", 24) {
				t.Errorf("answered %s %q", res.Status, body)
			}
		})
	}
}

func TestAnAnswerThatIsNotTakenIsCutOff(t *testing.T) {
	for way, f := range fronts(t, impatient()) {
		t.Run(way, func(t *testing.T) {
			up, _ := backend(t, "a", func(w http.ResponseWriter, _ *http.Request) {
				for {
					if _, err := w.Write(make([]byte, 64<<10)); err != nil {
						return
					}
				}
			})
			f.Set("stage", route(testHost, up))
			res, err := f.client.Do(f.requestByAnyWay(t, nil))
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = res.Body.Close() }()
			eventually(t, "nothing is in flight", func() bool { return f.InFlight("a") == 0 })
		})
	}
}

func TestAnAppMayBeSilentForAsLongAsItLikes(t *testing.T) {
	for way, f := range fronts(t, impatient()) {
		t.Run(way, func(t *testing.T) {
			up, _ := backend(t, "a", func(w http.ResponseWriter, req *http.Request) {
				_, _ = io.Copy(io.Discard, req.Body)
				for range 2 {
					time.Sleep(stall + stall/2) // this is the silence
					_, _ = fmt.Fprintln(w, "event")
					_ = http.NewResponseController(w).Flush()
				}
			})
			f.Set("stage", route(testHost, up))
			res, body := f.do(t, f.requestByAnyWay(t, strings.NewReader("question")))
			if strings.Count(body, "event") != 2 {
				t.Errorf("answered %s %q", res.Status, body)
			}
		})
	}
}

func TestUpgradedConnectionsMayBeSilent(t *testing.T) {
	f := newFront(t, impatient())
	f.Set("stage", route(testHost, echoProtocol(t, "a")))
	conn, reader, _ := f.upgrade(t, testHost, "echo")
	time.Sleep(2 * stall) // this is the silence
	f.echo(t, conn, bufio.NewReader(reader), "hello")
}

func TestAConnectionIsUsableAfterASlowUpload(t *testing.T) {
	f := newFront(t, impatient())
	up, _ := backend(t, "a", echo(1))
	f.Set("stage", route(testHost, up))
	conn := newKeptConn(t, f.addr)
	for range 3 {
		if res, body, err := conn.do(f.request(t, testHost, "/", trickle(8))); err != nil || body != "xxxxxxxx" {
			t.Fatalf("answered %v %q, %v", res, body, err)
		}
	}
}
