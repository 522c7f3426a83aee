package router_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/setopsco/setops/internal/router"
)

// These are the special cases of a proxy, one by one, as they are on the wire.

// ask writes text as it is, which must end with its connection, and returns all that comes back.
func (f *front) ask(t *testing.T, text string) string {
	t.Helper()
	conn := newKeptConn(t, f.addr)
	if _, err := io.WriteString(conn, text); err != nil {
		t.Fatal(err)
	}
	all, err := io.ReadAll(conn.reader)
	if err != nil {
		t.Errorf("after %q: %v", all, err)
	}
	return string(all)
}

const last = "Host: " + testHost + "\r\nConnection: close\r\n"

// sentOn returns what the app is sent for a request without its first line and its Host.
func sentOn(t *testing.T, request string) string {
	t.Helper()
	f := newFront(t, router.Config{})
	app := newRecorder(t, "a")
	f.Set("stage", route(testHost, app.Upstream))
	if answer := f.ask(t, request); !strings.HasPrefix(answer, "HTTP/1.1 200 ") {
		t.Errorf("answered %q", answer)
	}
	return app.take()
}

func TestHeadersOfOneConnectionDoNotReachTheApp(t *testing.T) {
	sent := sentOn(t, "GET / HTTP/1.1\r\nHost: "+testHost+"\r\nConnection: close, X-Listed ,x-other\r\nConnection: X-Third\r\n"+
		"X-Listed: secret\r\nX-Other: secret\r\nX-Third: secret\r\nKeep-Alive: secret\r\nProxy-Connection: secret\r\n"+
		"Proxy-Authenticate: secret\r\nProxy-Authorization: secret\r\nTe: gzip\r\nUpgrade: secret\r\nX-Mine: kept\r\n\r\n")
	for _, gone := range []string{"secret", "Connection:", "Te:", "Upgrade:"} {
		if strings.Contains(sent, gone) {
			t.Errorf("with %q the app was sent %q", gone, sent)
		}
	}
	if !strings.Contains(sent, "\r\nX-Mine: kept\r\n") {
		t.Errorf("the app was sent %q", sent)
	}
}

func TestTheAppLearnsThatTrailersAreWelcome(t *testing.T) {
	if sent := sentOn(t, "GET / HTTP/1.1\r\n"+last+"Te: gzip;q=1, Trailers\r\n\r\n"); !strings.Contains(sent, "\r\nTe: trailers\r\n") {
		t.Errorf("the app was sent %q", sent)
	}
}

func TestNothingIsSaidThatTheClientHasNotSaid(t *testing.T) {
	sent := sentOn(t, "GET / HTTP/1.1\r\n"+last+"\r\n")
	for _, own := range []string{"User-Agent", "Accept", "Content-Length", "Transfer-Encoding"} {
		if strings.Contains(sent, own) {
			t.Errorf("with %s the app was sent %q", own, sent)
		}
	}
}

func TestAnEmptyBodyIsSaidToBeEmpty(t *testing.T) {
	sent := sentOn(t, "POST / HTTP/1.1\r\n"+last+"Content-Length: 0\r\n\r\n")
	if !strings.Contains(sent, "\r\nContent-Length: 0\r\n") || strings.Contains(sent, "Transfer-Encoding") {
		t.Errorf("the app was sent %q", sent)
	}
}

func TestTrailersOfRequestsReachTheApp(t *testing.T) {
	sent := sentOn(t, "POST / HTTP/1.1\r\n"+last+"Transfer-Encoding: chunked\r\nTrailer: Sum, X-Forwarded-For, Keep-Alive\r\n\r\n"+
		"4\r\nbody\r\n0\r\nSum: 42\r\nX-Forwarded-For: forged\r\nKeep-Alive: forged\r\nUnannounced: forged\r\n\r\n")
	if !strings.Contains(sent, "\r\nTrailer: Sum\r\n") || !strings.HasSuffix(sent, "4\r\nbody\r\n0\r\nSum: 42\r\n\r\n") {
		t.Errorf("the app was sent %q", sent)
	}
	if strings.Contains(sent, "forged") {
		t.Errorf("the app was sent %q", sent)
	}
}

func TestTrailersOfRequestsOverHTTP2ReachTheApp(t *testing.T) {
	f := newTLSFront(t, router.Config{}, true)
	app := newRecorder(t, "a")
	f.Set("stage", route(testHost, app.Upstream))
	req := f.tlsRequest(t, testHost, "/", strings.NewReader("body"))
	req.Trailer = http.Header{"Sum": {"42"}}
	if res, _ := f.do(t, req); res.StatusCode != http.StatusOK {
		t.Error(res.Status)
	}
	if sent := app.take(); !strings.HasSuffix(sent, "body\r\n0\r\nSum: 42\r\n\r\n") {
		t.Errorf("the app was sent %q", sent)
	}
}

func TestWhatATrustedProxySaysIsNotForItsClientToRemove(t *testing.T) {
	f := newFront(t, trusting("127.0.0.0/8"))
	requests := seen(t, f)
	req := f.request(t, testHost, "/", nil)
	req.Header.Set("Connection", "X-Forwarded-For")
	req.Header.Set("X-Forwarded-For", "203.0.113.9")
	f.do(t, req)
	if got := (<-requests).Header.Get("X-Forwarded-For"); got != "203.0.113.9, 127.0.0.1" {
		t.Errorf("X-Forwarded-For is %q", got)
	}
}

// received is what a client gets of an answer that an app writes.
func received(t *testing.T, answer string) string {
	t.Helper()
	f := newFront(t, router.Config{})
	f.Set("stage", route(testHost, scripted(t, "a", answer, nil)))
	return f.ask(t, "GET / HTTP/1.1\r\n"+last+"\r\n")
}

func TestHeadersOfOneConnectionDoNotReachTheClient(t *testing.T) {
	got := received(t, "HTTP/1.1 200 OK\r\nConnection: X-Listed, keep-alive\r\nX-Listed: secret\r\nKeep-Alive: secret\r\n"+
		"Proxy-Authenticate: secret\r\nUpgrade: secret\r\nX-Mine: one\r\nX-Mine: two\r\nContent-Length: 2\r\n\r\nok")
	if strings.Contains(got, "secret") || strings.Contains(got, "keep-alive") {
		t.Errorf("the client got %q", got)
	}
	if !strings.Contains(got, "\r\nX-Mine: one\r\nX-Mine: two\r\n") || !strings.HasSuffix(got, "\r\n\r\nok") {
		t.Errorf("the client got %q", got)
	}
}

func TestNoTypeIsGuessed(t *testing.T) {
	if got := received(t, "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<html>"); strings.Contains(got, "Content-Type") {
		t.Errorf("the client got %q", got)
	}
}

func TestAShortAnswerOfUnknownLengthIsSentInOnePiece(t *testing.T) {
	got := received(t, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n")
	if !strings.Contains(got, "\r\nContent-Length: 2\r\n") || !strings.HasSuffix(got, "\r\n\r\nok") {
		t.Errorf("the client got %q", got)
	}
}

func TestTrailersOfAnswersArriveAnnouncedOrNot(t *testing.T) {
	for name, answer := range map[string]string{
		"announced":   "Trailer: Sum\r\n\r\n2\r\nok\r\n0\r\nSum: 42\r\n\r\n",
		"unannounced": "\r\n2\r\nok\r\n0\r\nSum: 42\r\n\r\n",
		"one of two":  "Trailer: Other\r\n\r\n2\r\nok\r\n0\r\nOther: 41\r\nSum: 42\r\n\r\n",
	} {
		got := received(t, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"+answer)
		if !strings.Contains(got, "2\r\nok\r\n0\r\n") || !strings.Contains(got, "\r\nSum: 42\r\n") {
			t.Errorf("%s: the client got %q", name, got)
		}
	}
}

func TestAnswersWithoutABodyKeepTheirHeader(t *testing.T) {
	for method, answer := range map[string]string{
		"HEAD":   "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\nEtag: x\r\n\r\n",
		"GET":    "HTTP/1.1 304 Not Modified\r\nEtag: x\r\n\r\n",
		"DELETE": "HTTP/1.1 204 No Content\r\nEtag: x\r\n\r\n",
	} {
		f := newFront(t, router.Config{})
		f.Set("stage", route(testHost, scripted(t, "a", answer, nil)))
		got := f.ask(t, method+" / HTTP/1.1\r\n"+last+"\r\n")
		first, _, _ := strings.Cut(answer, "\r\n")
		if !strings.HasPrefix(got, first) || !strings.HasSuffix(got, "\r\n\r\n") || !strings.Contains(got, "\r\nEtag: x\r\n") {
			t.Errorf("%s: the client got %q", method, got)
		}
		if method == "HEAD" && !strings.Contains(got, "\r\nContent-Length: 1000\r\n") {
			t.Errorf("%s: the client got %q", method, got)
		}
	}
}

func TestHintsArriveBeforeTheAnswer(t *testing.T) {
	const hint = "HTTP/1.1 103 Early Hints\r\nLink: </style.css>\r\nConnection: X-Listed\r\nX-Listed: secret\r\n\r\n"
	answer := hint + hint + "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
	got := received(t, answer)
	hints, rest, _ := strings.Cut(got, "HTTP/1.1 200 OK")
	if hints != strings.Repeat("HTTP/1.1 103 Early Hints\r\nLink: </style.css>\r\n\r\n", 2) || strings.Contains(rest, "Link") {
		t.Errorf("the client got %q", got)
	}

	f := newFront(t, router.Config{})
	f.Set("stage", route(testHost, scripted(t, "a", answer, nil)))
	if got := f.ask(t, "GET / HTTP/1.0\r\nHost: "+testHost+"\r\n\r\n"); !strings.HasPrefix(got, "HTTP/1.0 200 ") {
		t.Errorf("a client of HTTP/1.0 got %q", got)
	}
}

func TestAHeaderArrivesBeforeTheFirstEvent(t *testing.T) {
	f := newFront(t, router.Config{})
	release := make(chan struct{})
	for name, length := range map[string]string{"of unknown length": "", "of a known length": "Content-Length: 9\r\n"} {
		f.Set("stage", route(testHost, scripted(t, name, "HTTP/1.1 200 OK\r\nContent-Type: Text/Event-Stream; charset=utf-8\r\n"+length+"\r\n",
			func(conn *net.TCPConn) {
				<-release
				_, _ = io.WriteString(conn, "data: x\n\n")
			})))
		conn := newKeptConn(t, f.addr)
		if _, err := io.WriteString(conn, "GET / HTTP/1.1\r\n"+last+"\r\n"); err != nil {
			t.Fatal(err)
		}
		_ = conn.SetReadDeadline(time.Now().Add(10 * time.Second))
		res, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatalf("%s: no header: %v", name, err)
		}
		release <- struct{}{}
		if body, err := io.ReadAll(res.Body); string(body) != "data: x\n\n" || err != nil {
			t.Errorf("%s: got %q, %v", name, body, err)
		}
	}
}

func TestAnAnswerThatIsCutIsNotTakenForWhole(t *testing.T) {
	for _, answer := range []string{
		"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\na beginning",
		"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\na beginning",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\na b\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n64\r\na beginning",
	} {
		f := newFront(t, router.Config{})
		f.Set("stage", route(testHost, scripted(t, "a", answer, hangUpAfter)))
		res, err := f.client.Do(f.request(t, testHost, "/", nil))
		if err == nil {
			_, err = io.ReadAll(res.Body)
			_ = res.Body.Close()
		}
		if err == nil {
			t.Errorf("%q was taken for whole", answer)
		}
		eventually(t, "nothing is in flight", func() bool { return f.InFlight("a") == 0 })
	}
}

func TestAClientThatWaitsForItsBodyToBeWantedIsToldOnce(t *testing.T) {
	f := newFront(t, router.Config{})
	f.Set("stage", route(testHost, tcpApp(t, "a", func(conn *net.TCPConn) {
		req, err := http.ReadRequest(bufio.NewReader(conn))
		if err != nil {
			t.Error(err)
			return
		}
		_, _ = io.WriteString(conn, "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n")
		_, _ = io.Copy(io.Discard, req.Body)
		_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok")
	})))
	for range 20 {
		conn := newKeptConn(t, f.addr)
		_, _ = io.WriteString(conn, "POST / HTTP/1.1\r\n"+last+"Expect: 100-continue\r\nContent-Length: 4\r\n\r\n")
		const wanted = "HTTP/1.1 100 Continue\r\n\r\n"
		first := make([]byte, len(wanted))
		if _, err := io.ReadFull(conn.reader, first); err != nil || string(first) != wanted {
			t.Fatalf("got %q, %v", first, err)
		}
		_, _ = io.WriteString(conn, "body")
		if rest, err := io.ReadAll(conn.reader); !strings.HasPrefix(string(rest), "HTTP/1.1 200 ") || err != nil {
			t.Errorf("got %q, %v", rest, err)
		}
	}
}
