package router_test

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
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

// slow is a client whose uploads give a byte now and then.
type slow struct {
	uploads sync.WaitGroup
	bodies  []*io.PipeReader
	late    atomic.Bool // the machine stood still for so long that it was the client that did
}

func (s *slow) upload(bytes int) io.Reader {
	reader, writer := io.Pipe()
	s.bodies = append(s.bodies, reader)
	s.uploads.Go(func() { // ends with the last byte, or when nobody reads any more
		tick := time.NewTicker(piece)
		defer tick.Stop()
		for range bytes {
			begun := time.Now()
			<-tick.C
			if time.Since(begun) > stall/2 {
				s.late.Store(true)
			}
			if _, err := io.WriteString(writer, "x"); err != nil {
				return
			}
		}
		_ = writer.Close()
	})
	return reader
}

// slowly has a client upload, and another one where that one was late.
func slowly(t *testing.T, try func(*slow) error) {
	t.Helper()
	for again := true; again; {
		s := &slow{}
		err := try(s)
		for _, body := range s.bodies {
			_ = body.Close()
		}
		s.uploads.Wait()
		if again = err != nil && s.late.Load(); err != nil && !again {
			t.Error(err)
		}
	}
}

func TestASlowUploadThatMovesIsNotCutOff(t *testing.T) {
	for way, f := range fronts(t, impatient()) {
		t.Run(way, func(t *testing.T) {
			up, _ := backend(t, "a", echo(1))
			f.Set("stage", route(testHost, up))
			slowly(t, func(s *slow) error {
				code, body, err := read(f.client.Do(f.requestByAnyWay(t, s.upload(24)))) // takes longer than may pass without any byte
				if body != strings.Repeat("x", 24) {
					return fmt.Errorf("answered %d %q, %w", code, body, err)
				}
				return nil
			})
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
	slowly(t, func(s *slow) error {
		conn := newKeptConn(t, f.addr)
		for range 3 {
			if res, body, err := conn.do(f.request(t, testHost, "/", s.upload(8))); err != nil || body != "xxxxxxxx" {
				return fmt.Errorf("answered %v %q, %w", res, body, err)
			}
		}
		return nil
	})
}
