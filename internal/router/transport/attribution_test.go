package transport_test

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/setopsco/setops/internal/router/transport"
)

// answers are what a task may say to a first request, from correct to hostile. ID stands for the request's.
var answers = []string{
	"HTTP/1.1 200 OK\r\nX-Id: ID\r\nContent-Length: 2\r\n\r\nID",
	"HTTP/1.1 200 OK\r\nX-Id: ID\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nID\r\n0\r\n\r\n",
	"HTTP/1.1 200 OK\r\nX-Id: ID\r\nTransfer-Encoding: chunked\r\nTrailer: T\r\n\r\n0\r\nT: ID\r\n\r\n",
	"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
	"HTTP/1.1 204 No Content\r\nX-Id: ID\r\n\r\n",
	"HTTP/1.1 304 Not Modified\r\nContent-Length: 100\r\n\r\n",
	"HTTP/1.1 100 Continue\r\n\r\n",
	"HTTP/1.1 103 Early Hints\r\nX-Id: ID\r\n\r\n",
	"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n",
	"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nID",
	"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nID",
	"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nID\r\n0\r\n\r\n",
	"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nID",
	"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;x=y\r\nID\r\n0\r\n",
	"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n",
	"\r\n", "0\r\n\r\n", "ID", "\x00",
}

func FuzzAnAnswerIsNeverThatOfAnotherRequest(f *testing.F) {
	for _, answer := range answers {
		f.Add("GET", "", answer)
		f.Add("HEAD", "", answer+answers[0])
		f.Add("POST", "body", answer+answer)
	}
	f.Fuzz(func(t *testing.T, method, body, answer string) {
		if len(answer) > 2000 { // comes in one piece: what comes later may come after the next request, for any client
			t.Skip()
		}
		attribute(t, method, body, answer)
	})
}

func TestRandomAnswersAreNeverThoseOfAnotherRequest(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 500 {
		var answer strings.Builder
		for range 1 + random.IntN(3) {
			piece := []byte(answers[random.IntN(len(answers))])
			if random.IntN(2) == 0 {
				piece[random.IntN(len(piece))] = "\r\n :0129xID\x00\xff"[random.IntN(13)]
			}
			answer.Write(piece)
		}
		method := []string{"GET", "HEAD", "POST"}[random.IntN(3)]
		attribute(t, method, []string{"", "body"}[random.IntN(2)], answer.String())
	}
}

// attribute sends a request that gets a strange answer, then several that get their own.
func attribute(t *testing.T, method, body, answer string) {
	tr := transport.New(transport.Config{})
	defer tr.CloseIdleConnections()
	up := newTask(t, func(w *wire) bool {
		_, _ = io.Copy(io.Discard, w.req.Body)
		id := w.req.Header.Get("X-Id")
		if id == "00" {
			w.say(strings.ReplaceAll(answer, "ID", id))
		} else {
			w.say(strings.ReplaceAll(answers[0], "ID", id))
		}
		return true
	})
	defer up.close()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond) // an answer may have no end
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, "http://"+up.addr+"/", strings.NewReader(body))
	if err != nil {
		return
	}
	req.Header.Set("X-Id", "00")
	if res, err := tr.RoundTrip(req); err == nil {
		if res.StatusCode != http.StatusSwitchingProtocols {
			_, _ = io.Copy(io.Discard, res.Body)
		}
		_ = res.Body.Close()
	}
	for i := 1; i < 4; i++ {
		req, id := up.request(t, "GET", nil), fmt.Sprintf("%02d", i)
		req.Header.Set("X-Id", id)
		if res, got := send(t, tr, req); res.Header.Get("X-Id") != id || got != id {
			t.Errorf("request %s was answered by %v %q after %q to %s", id, res.Header, got, answer, method)
		}
	}
}
