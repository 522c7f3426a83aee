//go:build linux

// Command app is what runs in the containers of package system: an app that can be broken in many ways. Its arguments
// are steps, done in order; each may have a value behind =.
package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unsafe"
)

func main() {
	for _, step := range os.Args[1:] {
		name, value, _ := strings.Cut(step, "=")
		do, known := steps[name]
		if !known {
			fmt.Println("unknown step", name)
			os.Exit(99)
		}
		do(value)
	}
}

var steps = map[string]func(string){
	"print":   func(v string) { fmt.Println(os.ExpandEnv(v)) },
	"require": require,
	"sleep":   func(v string) { d, err := time.ParseDuration(v); must(err); time.Sleep(d) },
	"exit":    func(v string) { os.Exit(number(v)) },
	"eat":     eat,
	"forbid":  forbid,
	"status":  func(v string) { answer.status = number(v) },
	"body":    func(v string) { answer.body = os.ExpandEnv(v) },
	"serve":   serve,
	"blurt":   blurt,
	"mute":    func(string) { _, err := net.Listen("tcp", ":"+os.Getenv("PORT")); must(err); time.Sleep(time.Hour) },
}

func number(v string) int { n, err := strconv.Atoi(v); must(err); return n }

func must(err error) {
	if err != nil {
		fmt.Println(err)
		os.Exit(98)
	}
}

// require is how many apps end whose configuration is not complete.
func require(variable string) {
	if os.Getenv(variable) == "" {
		fmt.Println(variable, "is not set")
		os.Exit(1)
	}
}

var eaten [][]byte

// eat takes megabytes of memory, every page of them.
func eat(megabytes string) {
	for range number(megabytes) {
		chunk := make([]byte, 1<<20)
		for i := 0; i < len(chunk); i += os.Getpagesize() {
			chunk[i] = 1
		}
		eaten = append(eaten, chunk)
	}
}

// forbid has the kernel end this process by SIGSYS at its next system call. No other signal would do: the first process
// of a container is deaf to those of its own container.
func forbid(string) {
	const (
		setNoNewPrivileges = 38
		setSeccomp         = 22
		filterMode         = 2
		returnConstant     = 0x06
		killProcess        = 0x80000000
	)
	filter := syscall.SockFilter{Code: returnConstant, K: killProcess}
	program := syscall.SockFprog{Len: 1, Filter: &filter}
	for _, args := range [][3]uintptr{{setNoNewPrivileges, 1, 0}, {setSeccomp, filterMode, uintptr(unsafe.Pointer(&program))}} {
		if _, _, errno := syscall.Syscall(syscall.SYS_PRCTL, args[0], args[1], args[2]); errno != 0 {
			must(errno)
		}
	}
	fmt.Println("this is one")
}

var answer = struct {
	status int
	body   string
}{200, "hello"}

// serve answers everything alike; /env/KEY has a variable.
func serve(address string) {
	if address == "" {
		address = ":" + os.Getenv("PORT")
	}
	http.HandleFunc("GET /env/{key}", func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, os.Getenv(r.PathValue("key"))) })
	http.HandleFunc("GET /slow/{for}", func(w http.ResponseWriter, r *http.Request) {
		d, err := time.ParseDuration(r.PathValue("for"))
		must(err)
		time.Sleep(d)
		fmt.Fprintln(w, answer.body)
	})
	http.HandleFunc("GET /echo", echo)
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		if answer.status/100 == 3 {
			http.Redirect(w, r, r.URL.Path, answer.status)
			return
		}
		w.WriteHeader(answer.status)
		fmt.Fprintln(w, answer.body)
	})
	server := &http.Server{Addr: address, ReadHeaderTimeout: time.Minute}
	must(server.ListenAndServe())
}

// echo changes the protocol to one that says everything twice.
func echo(w http.ResponseWriter, _ *http.Request) {
	conn, both, err := w.(http.Hijacker).Hijack()
	must(err)
	defer conn.Close()
	_, _ = both.WriteString("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
	_ = both.Flush()
	_, _ = io.Copy(conn, both)
}

// blurt answers every connection with something that is no HTTP.
func blurt(text string) {
	l, err := net.Listen("tcp", ":"+os.Getenv("PORT"))
	must(err)
	for {
		conn, err := l.Accept()
		must(err)
		_, _ = conn.Read(make([]byte, 1024))
		_, _ = fmt.Fprintln(conn, text)
		_ = conn.Close()
	}
}
