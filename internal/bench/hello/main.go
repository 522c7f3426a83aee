// Command hello is the app that the bench deploys: it answers every request with 200, and each process of it gives itself
// a name, so that an answer tells which one it is from. It listens on PORT, or on the address that is its argument.
package main

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	instance := rand.Text()
	http.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Instance", instance)
		fmt.Fprintln(w, "hello")
	})
	failed := make(chan error, 1)
	address := ":" + os.Getenv("PORT")
	if len(os.Args) > 1 {
		address = os.Args[1]
	}
	go func() { failed <- http.ListenAndServe(address, nil) }()
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM)
	select {
	case err := <-failed:
		return err
	case <-stop:
		return nil
	}
}
