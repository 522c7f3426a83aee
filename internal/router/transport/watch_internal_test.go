package transport

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/url"
	"runtime"
	"testing"
	"time"
)

// at reports how old an exchange is to the watch, of which it is the only one.
func (w *watch) at() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case len(w.young) > 0:
		return "young"
	case len(w.older) > 0:
		return "older"
	case w.timer != nil:
		return "ending"
	}
	return "away"
}

func awaitAge(t *testing.T, tr *Transport, age string) {
	t.Helper()
	deadline := time.Now().Add(time.Minute)
	for tr.watch.at() != age {
		if time.Now().After(deadline) {
			t.Fatalf("it is never %s, but %s", age, tr.watch.at())
		}
		runtime.Gosched()
	}
}

// newMute is the address of a task that never answers.
func newMute(t *testing.T) (addr string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	return listener.Addr().String()
}

// stopClock has no moment pass but by let: a busy machine may take longer than one to look.
func (w *watch) stopClock() { w.timer = time.AfterFunc(time.Hour, w.look) }

func (w *watch) let(moments int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for range moments {
		w.age()
	}
}

func (w *watch) startClock() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.timer.Reset(moment)
}

func TestARequestEndsWithItsContextHoweverLongItHasLasted(t *testing.T) {
	for moments, age := range []string{"young", "older", "ending"} {
		addr, tr := newMute(t), New(Config{})
		tr.watch.stopClock()
		ctx, cancel := context.WithCancelCause(t.Context())
		ended := make(chan error, 1)
		go func() { // ends when the context does
			req := &http.Request{Method: http.MethodGet, URL: &url.URL{Path: "/"}, Host: "mute"}
			_, err := tr.Send(ctx, addr, req, nil)
			ended <- err
		}()
		awaitAge(t, tr, "young")
		tr.watch.let(moments)
		if got := tr.watch.at(); got != age {
			t.Errorf("after %d moments it is %s", moments, got)
		}
		cause := errors.New("the client has left")
		cancel(cause)
		tr.watch.startClock()
		if err := <-ended; !errors.Is(err, cause) {
			t.Errorf("%s: got %v", age, err)
		}
		awaitAge(t, tr, "away")
	}
}

func TestAConnectionOutlivesTheContextsOfItsRequests(t *testing.T) {
	p, tr := newPatient(t), New(Config{})
	defer tr.CloseIdleConnections()
	for range 10 {
		ctx, cancel := context.WithCancel(t.Context())
		res, err := tr.Send(ctx, p.addr, p.request(t, http.MethodGet, ""), nil)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		cancel()
	}
	awaitAge(t, tr, "away")
	if len(p.accepted) != 1 {
		t.Errorf("made %d connections", len(p.accepted))
	}
}
