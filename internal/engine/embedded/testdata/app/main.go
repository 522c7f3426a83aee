// Command app is what the tests of the embedded engine run in containers. Its arguments are small steps, done in order.
package main

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"
)

func main() {
	for _, step := range os.Args[1:] {
		name, value, _ := strings.Cut(step, "=")
		do, known := steps[name]
		if !known {
			fmt.Fprintln(os.Stderr, "unknown step", name)
			os.Exit(99)
		}
		do(value)
	}
}

var steps = map[string]func(string){
	"print":   func(v string) { fmt.Println(v) },
	"warn":    func(v string) { fmt.Fprintln(os.Stderr, v) },
	"long":    func(v string) { fmt.Println(strings.Repeat("x", number(v))) },
	"flood":   flood,
	"exit":    func(v string) { os.Exit(number(v)) },
	"env":     func(v string) { fmt.Println(v + "=" + os.Getenv(v)) },
	"cat":     cat,
	"ls":      ls,
	"write":   func(v string) { must(os.WriteFile(v, []byte("x"), 0o600)) },
	"id":      id,
	"cwd":     func(string) { wd, err := os.Getwd(); must(err); fmt.Println(wd) },
	"rlimit":  rlimit,
	"die":     func(v string) { must(syscall.Kill(os.Getpid(), syscall.Signal(number(v)))); time.Sleep(time.Hour) },
	"eat":     eat,
	"fork":    fork,
	"spawn":   spawn,
	"status":  status,
	"mount":   func(string) { fmt.Println(syscall.Mount("none", "/tmp", "tmpfs", 0, "")) },
	"sleep":   func(v string) { d, err := time.ParseDuration(v); must(err); time.Sleep(d) },
	"forever": func(string) { time.Sleep(24 * time.Hour) },
	"term":    term,
	"tick":    tick,
	"listen":  func(v string) { _, err := net.Listen("tcp", ":"+v); must(err) },
	"http":    serve,
	"dial":    dial,
}

func number(v string) int { n, err := strconv.Atoi(v); must(err); return n }

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(98)
	}
}

func flood(v string) {
	for i := range number(v) {
		fmt.Println("line", i)
	}
}

func cat(v string) {
	b, err := os.ReadFile(v)
	must(err)
	os.Stdout.Write(b)
}

func ls(v string) {
	entries, err := os.ReadDir(v)
	must(err)
	for _, e := range entries {
		fmt.Println(e.Name())
	}
}

func id(string) {
	groups, err := os.Getgroups()
	must(err)
	fmt.Println(os.Getuid(), os.Getgid(), groups)
}

func rlimit(string) {
	var l syscall.Rlimit
	must(syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l))
	fmt.Println(l.Max)
}

// eat touches megabytes of memory until it has, or is no more.
func eat(v string) {
	var kept [][]byte
	for range number(v) {
		b := make([]byte, 1<<20)
		for i := 0; i < len(b); i += 4096 {
			b[i] = 1
		}
		kept = append(kept, b)
	}
	fmt.Println("ate", len(kept))
}

// fork makes processes until the kernel refuses. They end at once, and count all the same as nobody asks how: so many
// of them need hardly any memory.
func fork(string) {
	for n := 0; ; n++ {
		pid, _, errno := syscall.RawSyscall(syscall.SYS_CLONE, uintptr(syscall.SIGCHLD), 0, 0)
		switch {
		case errno != 0:
			fmt.Println("forked", n, errno)
			return
		case pid == 0:
			for {
				syscall.RawSyscall(syscall.SYS_EXIT_GROUP, 0, 0, 0)
			}
		}
	}
}

// spawn leaves a child that holds on to the output.
func spawn(v string) {
	c := exec.Command("/app", "sleep="+v)
	c.Stdout, c.Stderr = os.Stdout, os.Stderr
	must(c.Start())
}

// status prints fields of what the kernel says of this process.
func status(fields string) {
	b, err := os.ReadFile("/proc/self/status")
	must(err)
	for line := range strings.Lines(string(b)) {
		name, value, _ := strings.Cut(line, ":")
		for want := range strings.SplitSeq(fields, ",") {
			if name == want {
				fmt.Println(name, strings.TrimSpace(value))
			}
		}
	}
}

func term(v string) {
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, syscall.SIGTERM)
	fmt.Println("waiting")
	<-asked
	fmt.Println("asked to end")
	os.Exit(number(v))
}

func tick(v string) {
	d, err := time.ParseDuration(v)
	must(err)
	for i := 0; ; i++ {
		fmt.Println("tick", i)
		time.Sleep(d)
	}
}

func serve(v string) {
	l, err := net.Listen("tcp", v)
	must(err)
	fmt.Println("listening")
	must(http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprintln(w, "hello") })))
}

func dial(v string) {
	c, err := net.DialTimeout("tcp", v, time.Second)
	if err != nil {
		fmt.Println("cannot reach", v)
		return
	}
	c.Close()
	fmt.Println("reached", v)
}
