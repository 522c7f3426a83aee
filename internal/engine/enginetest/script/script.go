// Package script is a program whose arguments say how it behaves: the app that engines are tested with. The command
// testapp runs it as a process of its own, the fake engine runs it in memory; both mean the same by the same words.
//
//	print TEXT       writes a line to its output
//	count N          writes N lines: line 1, line 2, …
//	env KEY          prints a variable
//	sleep DURATION   as 100ms; a SIGTERM does not end it
//	exit N           ends
//	term N           from now on, a SIGTERM ends it with this code (0 unless said)
//	ignore-term      from now on, a SIGTERM does nothing
//	touch NAME       makes a file in /tmp; "drop NAME" deletes it
//	need NAME        ends with 1 where the file is missing; "lack NAME" where it is there
//	await NAME       waits until the file is there
//	allocate MB      takes so much memory and keeps it
//	dial ADDRESS     ends with 1 where no TCP connection can be made within 2 s
//	get URL          asks for http://NAME/PATH and writes status and body; ends with 1 where there is no answer within 2 s
//	hear ADDRESS     connects and writes what the other side says; ends with 1 as dial does
//	errors TEXT      writes a line as an error
//	echo             writes what it reads, to the end of its input
//	resized          waits until the size of its terminal is another than before, 0 at first, and writes it as 80x24
//	wait             waits for SIGTERM
//	accept ADDRESS   from now on, takes connections there and says nothing
//	serve            answers HTTP on the port that PORT names until SIGTERM; see web.go for what it answers
//	serve-on ADDRESS the same on another address, as :81 or 127.0.0.1:5000
//
// Start with Run.
package script

import (
	"bufio"
	"cmp"
	"context"
	"fmt"
	"io"
	"net"
	"strconv"
	"syscall"
	"time"
)

// Process is what a script runs in.
type Process struct {
	Args    []string // the words of the script, without the name of the program
	Getenv  func(key string) string
	Stdin   io.Reader // nil: there is none
	Stdout  io.Writer
	Stderr  io.Writer                  // nil: as Stdout
	Size    func() (columns, rows int) // of its terminal, 0 where it has none
	Signals <-chan syscall.Signal
	Listen  func(address string) (net.Listener, error)
	Dial    func(ctx context.Context, address string) (net.Conn, error)
	Files   Files
	// Allocate takes memory for good. It may not return: what is over the limit is killed.
	Allocate func(ctx context.Context, megabytes int)
}

// Files are flags that outlive a process and are seen by all of one container.
type Files interface {
	Touch(name string) error
	Drop(name string) error
	Has(name string) bool
}

// badScript is the exit code for words that are not understood.
const badScript = 64

// Run runs the script and gives its exit code. It returns early when ctx ends, as by SIGKILL.
func Run(ctx context.Context, p Process) int {
	r := &runner{Process: p}
	for args := p.Args; len(args) > 0 && ctx.Err() == nil; {
		word, rest := args[0], args[1:]
		if !plain[word] {
			if len(rest) == 0 {
				return r.bad(word, "a value is missing")
			}
			r.value, rest = rest[0], rest[1:]
		}
		if code, ended := r.step(ctx, word); ended {
			return code
		}
		args = rest
	}
	return 0
}

// plain words take no value.
var plain = map[string]bool{"ignore-term": true, "wait": true, "serve": true, "echo": true, "resized": true}

type runner struct {
	Process
	value         string // of the current word
	termCode      int
	ignoreTerm    bool
	columns, rows int // of the terminal, as it was written last
}

// count writes as fast as it is read.
func (r *runner) count() (code int, ended bool) {
	n, err := strconv.Atoi(r.value)
	if err != nil {
		return r.bad("count", err.Error()), true
	}
	out := bufio.NewWriter(r.Stdout)
	for i := range n {
		fmt.Fprintln(out, "line", i+1)
	}
	return r.failed(out.Flush())
}

// step runs one word. It reports true when the program ends, with what code.
func (r *runner) step(ctx context.Context, word string) (code int, ended bool) {
	switch word {
	case "print":
		fmt.Fprintln(r.Stdout, r.value)
	case "errors":
		fmt.Fprintln(cmp.Or[io.Writer](r.Stderr, r.Stdout), r.value)
	case "echo":
		if r.Stdin != nil {
			_, err := io.Copy(r.Stdout, r.Stdin)
			return r.failed(err)
		}
	case "resized":
		r.resized(ctx)
	case "count":
		return r.count()
	case "env":
		fmt.Fprintln(r.Stdout, r.value+"="+r.Getenv(r.value))
	case "sleep":
		d, err := time.ParseDuration(r.value)
		if err != nil {
			return r.bad(word, err.Error()), true
		}
		pause(ctx, d)
	case "ignore-term":
		r.ignoreTerm = true
	case "touch":
		return r.failed(r.Files.Touch(r.value))
	case "drop":
		return r.failed(r.Files.Drop(r.value))
	case "need":
		return 1, !r.Files.Has(r.value)
	case "lack":
		return 1, r.Files.Has(r.value)
	case "await":
		for !r.Files.Has(r.value) && ctx.Err() == nil {
			pause(ctx, time.Millisecond)
		}
	case "dial":
		return r.failed(r.dial(ctx))
	case "get":
		return r.failed(r.get(ctx))
	case "hear":
		return r.failed(r.hear(ctx))
	case "accept":
		return r.failed(r.accept(ctx))
	case "wait":
		return r.wait(ctx), true
	case "serve":
		return r.serve(ctx, ":"+r.Getenv("PORT")), true
	case "serve-on":
		return r.serve(ctx, r.value), true
	case "exit", "term", "allocate":
		return r.number(ctx, word)
	default:
		return r.bad(word, "no such word"), true
	}
	return 0, false
}

// resized waits for a size that is another than before.
func (r *runner) resized(ctx context.Context) {
	columns, rows := r.Size()
	for columns == r.columns && rows == r.rows && ctx.Err() == nil {
		pause(ctx, time.Millisecond)
		columns, rows = r.Size()
	}
	r.columns, r.rows = columns, rows
	fmt.Fprintf(r.Stdout, "%dx%d\n", columns, rows)
}

// number runs the words whose value is a number.
func (r *runner) number(ctx context.Context, word string) (code int, ended bool) {
	n, err := strconv.Atoi(r.value)
	if err != nil {
		return r.bad(word, err.Error()), true
	}
	switch word {
	case "exit":
		return n, true
	case "term":
		r.termCode = n
	case "allocate":
		r.Allocate(ctx, n)
	}
	return 0, false
}

func (r *runner) bad(word, why string) int {
	fmt.Fprintf(r.Stdout, "script: %s: %s\n", word, why)
	return badScript
}

func (r *runner) failed(err error) (code int, ended bool) {
	if err == nil {
		return 0, false
	}
	fmt.Fprintln(r.Stdout, err)
	return 1, true
}

// wait blocks until a SIGTERM that counts.
func (r *runner) wait(ctx context.Context) int {
	for {
		select {
		case <-ctx.Done():
			return 0
		case s := <-r.Signals:
			if s == syscall.SIGTERM && !r.ignoreTerm {
				return r.termCode
			}
		}
	}
}

func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
