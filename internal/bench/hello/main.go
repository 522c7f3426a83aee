// Command hello is the app that the bench deploys: it answers every request with 200, and each process of it gives itself
// a name, so that an answer tells which one it is from. It listens on PORT, or on the address that is its argument.
package main

import (
	"crypto/rand"
	"fmt"
	"net"
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
	fmt.Println("listens on", outside(address))
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

// outside is where a task is reached from its host: at the address of its own network, and not on loopback.
func outside(address string) string {
	_, port, _ := net.SplitHostPort(address)
	all, _ := net.InterfaceAddrs()
	for _, a := range all {
		if prefix, ok := a.(*net.IPNet); ok && !prefix.IP.IsLoopback() {
			return net.JoinHostPort(prefix.IP.String(), port)
		}
	}
	return address
}
