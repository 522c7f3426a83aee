package script

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// serve answers until a SIGTERM, then lets requests in flight end:
//
//	GET /              200 and "hello"; 503 while the file "down" is there
//	GET /status/N      N
//	GET /env/KEY       the variable
//	GET /touch/NAME    makes the file, /drop/NAME deletes it
//	GET /slow/D        200 after the duration
//	GET /ask/HOST/PATH what http://HOST/PATH answers; 502 where that is nothing within 2 s
//	GET /exit/N        ends the program
func (r *runner) serve(ctx context.Context, address string) int {
	l, err := r.Listen(address)
	if err != nil {
		fmt.Fprintln(r.Stdout, err)
		return 1
	}
	exit := make(chan int, 1)
	server := &http.Server{Handler: r.handler(exit), ReadHeaderTimeout: time.Minute}
	served := make(chan struct{})
	go func() {
		defer close(served)
		if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			fmt.Fprintln(r.Stdout, err)
		}
	}()
	ended := make(chan int, 1)
	waiting, stop := context.WithCancel(ctx)
	go func() { ended <- r.wait(waiting) }()
	var code int
	select {
	case code = <-exit:
		stop()
		<-ended
		server.Close() //nolint:errcheck // it ends at once, as a crash does
	case code = <-ended:
		stop()
		server.Shutdown(ctx) //nolint:errcheck // what is left then is cut
		server.Close()       //nolint:errcheck // see above
	}
	<-served
	return code
}

func (r *runner) handler(exit chan<- int) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /", func(w http.ResponseWriter, _ *http.Request) {
		if r.Files.Has("down") {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		fmt.Fprintln(w, "hello")
	})
	mux.HandleFunc("GET /status/{value}", func(w http.ResponseWriter, q *http.Request) {
		code, err := strconv.Atoi(q.PathValue("value"))
		if err != nil || code < 200 || code > 599 {
			code = http.StatusBadRequest
		}
		w.WriteHeader(code)
	})
	mux.HandleFunc("GET /env/{value}", func(w http.ResponseWriter, q *http.Request) {
		fmt.Fprint(w, r.Getenv(q.PathValue("value")))
	})
	mux.HandleFunc("GET /touch/{value}", r.change(r.Files.Touch))
	mux.HandleFunc("GET /drop/{value}", r.change(r.Files.Drop))
	mux.HandleFunc("GET /slow/{value}", func(w http.ResponseWriter, q *http.Request) {
		d, _ := time.ParseDuration(q.PathValue("value"))
		pause(q.Context(), d)
		fmt.Fprintln(w, "slept", d)
	})
	mux.HandleFunc("GET /ask/{host}/{path...}", func(w http.ResponseWriter, q *http.Request) {
		status, body, err := r.request(q.Context(), "http://"+q.PathValue("host")+"/"+q.PathValue("path"))
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		w.WriteHeader(status)
		w.Write(body) //nolint:errcheck // a client that is gone misses nothing
	})
	mux.HandleFunc("GET /exit/{value}", func(_ http.ResponseWriter, q *http.Request) {
		code, _ := strconv.Atoi(q.PathValue("value"))
		select {
		case exit <- code:
		default: // it ends already
		}
	})
	return mux
}

func (r *runner) change(do func(string) error) http.HandlerFunc {
	return func(w http.ResponseWriter, q *http.Request) {
		if err := do(q.PathValue("value")); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
		}
	}
}
