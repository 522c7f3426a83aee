package router_test

import (
	"bufio"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"math/rand/v2"
	"net/http"
	"testing"

	"github.com/setopsco/setops/internal/router"
)

func TestEventsArriveOneByOne(t *testing.T) {
	for _, kind := range []string{"text/event-stream", "text/plain"} {
		f := newFront(t, router.Config{})
		next := make(chan struct{})
		up, _ := backend(t, "a", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", kind)
			for i := range 3 {
				_, _ = fmt.Fprintf(w, "data: %d\n", i)
				_ = http.NewResponseController(w).Flush()
				<-next // nothing more is sent before the client has read this
			}
		})
		f.Set("stage", route(testHost, up))
		res, err := f.client.Do(f.request(t, testHost, "/", nil))
		if err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(res.Body)
		for i := range 3 {
			if !lines.Scan() || lines.Text() != fmt.Sprintf("data: %d", i) {
				t.Fatalf("%s: event %d is %q, %v", kind, i, lines.Text(), lines.Err())
			}
			next <- struct{}{}
		}
		_ = res.Body.Close()
	}
}

// noise is reproducible bytes.
func noise(size int64) io.Reader {
	return io.LimitReader(rand.NewChaCha8([32]byte{1}), size)
}

func TestLargeBodiesPassUnchangedBothWaysAtOnce(t *testing.T) {
	const size = 64 << 20
	f := newFront(t, router.Config{})
	up, _ := backend(t, "a", func(w http.ResponseWriter, req *http.Request) {
		if err := http.NewResponseController(w).EnableFullDuplex(); err != nil {
			t.Error(err)
		}
		_, _ = io.Copy(w, req.Body)
	})
	f.Set("stage", route(testHost, up))
	res, err := f.client.Do(f.request(t, testHost, "/", io.MultiReader(noise(size))))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	sent, got := sha256.New(), sha256.New()
	copyAll(t, sent, noise(size))
	copyAll(t, got, res.Body)
	if string(sent.Sum(nil)) != string(got.Sum(nil)) {
		t.Error("what came back differs from what was sent")
	}
}

func copyAll(t *testing.T, sum hash.Hash, from io.Reader) {
	t.Helper()
	if _, err := io.Copy(sum, from); err != nil {
		t.Fatal(err)
	}
}

func TestAnEarlyAnswerArrivesAndEndsTheConnection(t *testing.T) {
	f := newFront(t, router.Config{})
	up, _ := backend(t, "a", func(w http.ResponseWriter, _ *http.Request) {
		if err := http.NewResponseController(w).EnableFullDuplex(); err != nil {
			t.Error(err)
		}
		w.WriteHeader(http.StatusRequestEntityTooLarge)
	})
	f.Set("stage", route(testHost, up))
	body, client := io.Pipe() // never ends by itself
	defer func() { _ = client.Close() }()
	res, _ := f.do(t, f.request(t, testHost, "/", body))
	if res.StatusCode != http.StatusRequestEntityTooLarge || !res.Close {
		t.Errorf("answered %s, connection closed: %t", res.Status, res.Close)
	}
}

func TestTheEndOfATaskIsToldToAClientThatStillSends(t *testing.T) {
	f := newFront(t, router.Config{})
	up, _ := backend(t, "a", func(w http.ResponseWriter, _ *http.Request) { hangUp(nil, w) })
	f.Set("stage", route(testHost, up))
	body, client := io.Pipe() // never ends by itself
	defer func() { _ = client.Close() }()
	if res, _ := f.do(t, f.request(t, testHost, "/", body)); res.StatusCode != http.StatusBadGateway || !res.Close {
		t.Errorf("answered %s, connection closed: %t", res.Status, res.Close)
	}
}

func TestTrailersPass(t *testing.T) {
	f := newFront(t, router.Config{})
	up, _ := backend(t, "a", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Trailer", "Sum")
		_, _ = io.WriteString(w, "body")
		w.Header().Set("Sum", "42")
	})
	f.Set("stage", route(testHost, up))
	if res, _ := f.do(t, f.request(t, testHost, "/", nil)); res.Trailer.Get("Sum") != "42" {
		t.Errorf("trailer is %v", res.Trailer)
	}
}

func TestAClientThatLeavesEndsTheRequestToTheApp(t *testing.T) {
	f := newFront(t, router.Config{})
	begun, ended := make(chan struct{}), make(chan struct{})
	up, _ := backend(t, "a", func(_ http.ResponseWriter, req *http.Request) {
		close(begun)
		<-req.Context().Done()
		close(ended)
	})
	f.Set("stage", route(testHost, up))
	ctx, leave := context.WithCancel(t.Context())
	answered := f.inBackground(f.request(t, testHost, "/", nil).WithContext(ctx))
	<-begun
	leave()
	if err := <-answered; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	<-ended
	eventually(t, "nothing is in flight", func() bool { return f.InFlight("a") == 0 })
}

func TestAnAnswerThatTheAppCutIsCutForTheClient(t *testing.T) {
	f := newFront(t, router.Config{})
	up, _ := backend(t, "a", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		_, _ = io.WriteString(w, "half")
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	})
	f.Set("stage", route(testHost, up))
	if err := <-f.inBackground(f.request(t, testHost, "/", nil)); err == nil {
		t.Error("the client was told that the answer is whole")
	}
	eventually(t, "nothing is in flight", func() bool { return f.InFlight("a") == 0 })
}
