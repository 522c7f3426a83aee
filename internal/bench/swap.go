//go:build linux

package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/setopsco/setops/internal/router"
)

const (
	swapRoutes = 10_000
	swapRounds = 1001
	swapLimit  = time.Millisecond
	swapPause  = time.Millisecond // far more swaps than anybody makes, and time for the client
)

// measureSwap replaces one route among ten thousand, again and again, while a client asks for another one.
func measureSwap(ctx context.Context, _ *bench, res *result) error {
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello") }))
	defer app.Close()
	r := router.New(router.Config{})
	defer r.Close()
	for i := range swapRoutes {
		setRoute(r, i, 0, app)
	}
	front := httptest.NewServer(r)
	defer front.Close()

	asking, stop := context.WithCancel(ctx)
	defer stop()
	type answers struct {
		took samples
		err  error
	}
	asked := make(chan answers, 1)
	go func() {
		var a answers
		for asking.Err() == nil && a.err == nil {
			began := time.Now()
			_, a.err = ask(ctx, front.Client(), front.URL, routeHost(1))
			a.took.keep(0, time.Since(began))
		}
		asked <- a
	}()
	var took samples
	err := rounds(swapRounds, func(round int) error {
		began := time.Now()
		setRoute(r, 0, round+2, app)
		took.keep(round, time.Since(began))
		time.Sleep(swapPause)
		return ctx.Err()
	})
	stop()
	a := <-asked
	if err != nil || a.err != nil {
		return firstError(err, a.err)
	}
	res.add(row{
		what: "A route swapped among 10,000, with requests to another one all the while",
		ours: show(median(took)), goal: "≤ " + show(swapLimit), met: median(took) <= swapLimit,
	})
	res.note("Of %d such swaps the longest took %s; of %d requests meanwhile the longest took %s (median %s).",
		len(took), show(longest(took)), len(a.took), show(longest(a.took)), show(median(a.took)))
	return nil
}

func routeHost(i int) string { return fmt.Sprintf("app%d.production.shop.example.net", i) }

// setRoute gives the i-th owner its only route, to the n-th task of its app.
func setRoute(r *router.Router, i, n int, app *httptest.Server) {
	r.Set(fmt.Sprint("stage ", i), router.Routes{HTTP: []router.Route{{
		Host: routeHost(i), Upstreams: []router.Upstream{{ID: fmt.Sprint(i, ".", n), Addr: app.Listener.Addr().String()}},
	}}})
}
