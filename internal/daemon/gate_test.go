package daemon

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"time"
)

// gated is a gate with a server before it, and another process behind its relay.
func gated(t *testing.T) (g *gate, address string) {
	t.Helper()
	next := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		fmt.Fprintf(w, "next %s %s %s %s %v", r.Method, r.Host, r.URL, body, err)
	}))
	t.Cleanup(next.Close)
	g = newGate(false, func() string { return next.Listener.Addr().String() })
	server := httptest.NewServer(g)
	t.Cleanup(server.Close)
	return g, server.URL
}

// ask gives the answer, or the error.
func ask(t *testing.T, url string) string {
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPut, url+"/a%2Fb?c=d", strings.NewReader("body"))
	if err != nil {
		return err.Error()
	}
	request.Host = "api.example"
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return err.Error()
	}
	defer answer.Body.Close() //nolint:errcheck // it is read
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

func TestAClosedGatePassesRequestsOnAsTheyAre(t *testing.T) {
	g, url := gated(t)
	want := "next PUT api.example /a%2Fb?c=d body <nil>"
	if got := ask(t, url); got != want {
		t.Errorf("%q", got)
	}
	first := g.open(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "own") }))
	if got := ask(t, url); got != "own" {
		t.Errorf("%q", got)
	}
	g.close(first, time.Hour)
	if got := ask(t, url); got != want {
		t.Errorf("%q", got)
	}
	g.close(first, time.Hour) // closing twice does nothing
	g.close(nil, time.Hour)
}

func TestACoreThatFollowsAnotherInterruptsNobody(t *testing.T) {
	g, url := gated(t)
	arrived, finish := make(chan struct{}), make(chan struct{})
	first := g.open(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		close(arrived)
		<-finish
		fmt.Fprint(w, "first")
	}))
	answer := make(chan string)
	go func() { answer <- ask(t, url) }()
	<-arrived
	second := g.open(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "second") }))
	if got := ask(t, url); got != "second" {
		t.Errorf("%q", got)
	}
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		g.close(first, time.Hour)
	}()
	close(finish)
	if got := <-answer; got != "first" {
		t.Errorf("%q", got)
	}
	<-closed
	if got := ask(t, url); got != "second" { // who has left takes nobody else along
		t.Errorf("%q", got)
	}
	g.close(second, time.Hour)
}

// TestABodyIsHereBeforeItsRequestIsPassedOn looks for the length, which nobody knows of a body that is still to come.
func TestABodyIsHereBeforeItsRequestIsPassedOn(t *testing.T) {
	next := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // or what is longer than a socket takes could not be sent
		fmt.Fprint(w, r.ContentLength)
	}))
	defer next.Close()
	server := httptest.NewServer(newGate(false, func() string { return next.Listener.Addr().String() }))
	defer server.Close()
	for size, want := range map[int]string{0: "0", 2: "2", mostHeld - 1: "1048575", mostHeld: "-1", mostHeld + 1: "-1"} {
		answer, err := http.Post(server.URL, "application/json", io.MultiReader(strings.NewReader(strings.Repeat("x", size))))
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(answer.Body)
		if err = errors.Join(err, answer.Body.Close()); err != nil || string(text) != want {
			t.Errorf("%d bytes came with the length %s, %v", size, text, err)
		}
	}
}

func TestAGateWaitsForThoseWhoAreInside(t *testing.T) {
	g, url := gated(t)
	arrived, finish, closed := make(chan struct{}), make(chan struct{}), make(chan struct{})
	open := g.open(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		close(arrived)
		<-finish
		fmt.Fprint(w, "own")
	}))
	answer := make(chan string)
	go func() { answer <- ask(t, url) }()
	<-arrived
	go func() {
		defer close(closed)
		g.close(open, time.Hour)
	}()
	for isOpen(g) {
		runtime.Gosched()
	}
	if got := ask(t, url); !strings.HasPrefix(got, "next ") {
		t.Errorf("%q", got)
	}
	select {
	case <-closed:
		t.Error("it did not wait")
	default:
	}
	close(finish)
	if got := <-answer; got != "own" {
		t.Errorf("%q", got)
	}
	<-closed
}

func isOpen(g *gate) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.now != nil
}

func TestAfterItsLimitAGateEndsTheContextsOfThoseInside(t *testing.T) {
	g, url := gated(t)
	arrived, why := make(chan struct{}), make(chan error, 1)
	open := g.open(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		close(arrived)
		<-r.Context().Done()
		why <- context.Cause(r.Context())
	}))
	answered := make(chan struct{})
	go func() {
		defer close(answered)
		ask(t, url)
	}()
	<-arrived
	g.close(open, time.Millisecond)
	if err := <-why; err == nil {
		t.Error("it goes on")
	}
	<-answered
}
